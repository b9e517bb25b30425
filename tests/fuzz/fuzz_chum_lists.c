// Any text as the two lists of CHUM: what is read is well-formed, and a list of children survives writing and reading.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "chum/lists.h"
#include "fuzz.h"

// Lists are read entry by entry; what that takes for a list has to be one, and the other way round.
static void check_syntax(struct span text, bool is_list)
{
    json_t *whole = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(json_is_array(whole) == is_list);
    json_decref(whole);
}

static void check_root(const struct chum_root *r)
{
    FUZZ_CHECK(r->kind <= CHUM_ROOT_VERSION_NODE);
    if (r->kind == CHUM_ROOT_ID)
        FUZZ_CHECK(hash_is_zero(&r->hash));
    if (r->kind == CHUM_ROOT_UNVERSIONED)
        FUZZ_CHECK(hash_is_zero(&r->id_hash));
    FUZZ_CHECK(r->type.len == 0 || r->type.ptr[r->type.len] == '\0');
}

static void read_roots(struct span text)
{
    struct chum_roots roots;
    struct error e = {0};
    struct arena *a = arena_create();
    if (chum_roots_read(a, text, &roots, &e) == STATUS_OK) {
        for (size_t i = 0; i < roots.count; i++)
            check_root(&roots.items[i]);
        chum_roots_free(&roots);
        check_syntax(text, true);
    } else if (strcmp(e.code, "DAH-PAO3") != 0) {
        check_syntax(text, false);
    }
    arena_destroy(a);
}

static enum status read_all(struct span text, struct store_children *out, struct error *e)
{
    struct chum_children_reader c = {0};
    chum_children_begin(&c);
    enum status status = chum_children_add(&c, text, e);
    if (status == STATUS_OK)
        return chum_children_take(&c, out, e);
    chum_children_end(&c);
    return status;
}

static void check_again(const struct store_children *children)
{
    struct store_children again;
    struct buf text = {0};
    for (size_t i = 0; i < children->count; i++) {
        buf_add_char(&text, i == 0 ? '[' : ',');
        chum_child_write(&children->items[i], &text);
    }
    buf_add_text(&text, children->count == 0 ? "[]" : "]");
    FUZZ_CHECK(read_all(buf_span(&text), &again, NULL) == STATUS_OK && again.count == children->count);
    for (size_t i = 0; i < again.count; i++) {
        FUZZ_CHECK(again.items[i].kind == children->items[i].kind);
        FUZZ_CHECK(hash_eq(&again.items[i].hash, &children->items[i].hash));
    }
    free(again.items);
    buf_free(&text);
}

static void read_children(struct span text)
{
    struct store_children children;
    struct error e = {0};
    if (read_all(text, &children, &e) == STATUS_OK) {
        check_again(&children);
        free(children.items);
        check_syntax(text, true);
    } else if (strcmp(e.code, "DC-PC3") != 0 && strcmp(e.code, "DC-PC4") != 0) {
        check_syntax(text, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    read_roots(text);
    read_children(text);
    return 0;
}
