// Lists are read entry by entry, as they come: as one JSON value a long one would take many times the memory of its
// text. What stands between the entries is looked at here byte by byte, an entry by the JSON parser. What is no list is
// kept as far as one entry may go, only to tell other JSON from what is none: the reference has a code for each.
#include "chum/lists.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "chum/chum.h"

static const char *const root_names[] = {"unversioned", "versioned", "id", "version_node"};
static const struct {
    const char *name;
    enum link_kind kind;
} child_names[] = {{"object", LINK_OBJECT}, {"id", LINK_ID}, {"blob", LINK_BLOB}, {"clob", LINK_CLOB}};

static const struct list_codes root_codes = {"DAH-PAO1", "DAH-PAO2", "DAH-PAO3", NULL};
static const struct list_codes child_codes = {"DC-PC1", "DC-PC2", "DC-PC3", "DC-PC4"};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static enum status not_json(const struct list_reader *r, struct error *e)
{
    return error_set(e, STATUS_INVALID, r->codes->text, "the list is not JSON");
}

static enum status entry_too_big(struct error *e)
{
    return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "an entry of the peer's list has more than %d bytes",
                     CHUM_ENTRY_MAX);
}

static void begin(struct list_reader *r, size_t limit, const struct list_codes *codes, list_entry_fn entry, void *ctx)
{
    *r = (struct list_reader){.codes = codes, .limit = limit, .entry = entry, .ctx = ctx};
}

static enum status read_entry(struct list_reader *r, struct span text, struct error *e)
{
    if (text.len > CHUM_ENTRY_MAX)
        return entry_too_big(e);
    if (r->count == r->limit)
        return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "the peer's list has more than %zu entries", r->limit);
    json_t *item = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
    if (item == NULL)
        return not_json(r, e);
    r->count++;
    enum status st = r->entry(r->ctx, item, e);
    json_decref(item);
    return st;
}

// Reads the entry that ends before the byte at end of the piece.
static enum status end_entry(struct list_reader *r, struct span piece, size_t end, struct error *e)
{
    struct span here = {piece.ptr + r->from, end - r->from};
    if (r->kept.len == 0)
        return read_entry(r, here, e);
    if (here.len > CHUM_ENTRY_MAX - r->kept.len)
        return entry_too_big(e);
    buf_add_span(&r->kept, here);
    enum status st = read_entry(r, buf_span(&r->kept), e);
    buf_clear(&r->kept);
    return st;
}

// A byte of an entry; true when it is not the entry's any more but what ends it.
static bool is_behind_entry(struct list_reader *r, char c)
{
    if (r->in_string) {
        r->in_string = r->escaped || c != '"';
        r->escaped = !r->escaped && c == '\\';
        return false;
    }
    r->in_string = c == '"';
    if (c == '{' || c == '[')
        r->depth++;
    if (r->depth == 0)
        return c == ',' || c == ']' || is_space(c);
    if (c == '}' || c == ']')
        r->depth--;
    return false;
}

// A byte between entries.
static enum status between(struct list_reader *r, char c, size_t i, struct error *e)
{
    if (is_space(c))
        return STATUS_OK;
    if (r->state == LIST_NOTHING && c == '[') {
        r->state = LIST_BEGUN;
    } else if ((r->state == LIST_BEGUN || r->state == LIST_AFTER) && c == ']') {
        r->state = LIST_OVER;
    } else if (r->state == LIST_AFTER && c == ',') {
        r->state = LIST_COMMA;
    } else if ((r->state == LIST_BEGUN || r->state == LIST_COMMA) && c != ',' && c != ']') {
        r->state = LIST_ENTRY;
        r->from = i;
        (void)is_behind_entry(r, c);
    } else {
        return not_json(r, e);
    }
    return STATUS_OK;
}

// What is no list is kept, as far as it may be, until it is clear what it is.
static enum status add_other(struct list_reader *r, struct span piece)
{
    size_t room = CHUM_ENTRY_MAX - r->kept.len;
    buf_add(&r->kept, piece.ptr, piece.len < room ? piece.len : room);
    return STATUS_OK;
}

static enum status add_byte(struct list_reader *r, struct span piece, size_t i, struct error *e)
{
    if (r->state != LIST_ENTRY)
        return between(r, piece.ptr[i], i, e);
    if (!is_behind_entry(r, piece.ptr[i]))
        return STATUS_OK;
    enum status st = end_entry(r, piece, i, e);
    r->state = LIST_AFTER;
    return st == STATUS_OK ? between(r, piece.ptr[i], i, e) : st;
}

static enum status add(struct list_reader *r, struct span piece, struct error *e)
{
    enum status st = STATUS_OK;
    size_t i = 0;
    r->came += piece.len;
    if (r->came > CHUM_LIST_MAX)
        return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "the peer's list has more than %d bytes", CHUM_LIST_MAX);
    while (r->state == LIST_NOTHING && i < piece.len && is_space(piece.ptr[i]))
        i++;
    if (r->state == LIST_OTHER || (r->state == LIST_NOTHING && i < piece.len && piece.ptr[i] != '[')) {
        r->state = LIST_OTHER;
        return add_other(r, span_from(piece, i));
    }
    r->from = 0;
    for (; st == STATUS_OK && i < piece.len; i++)
        st = add_byte(r, piece, i, e);
    if (st != STATUS_OK || r->state != LIST_ENTRY)
        return st;
    struct span rest = span_from(piece, r->from);
    if (rest.len > CHUM_ENTRY_MAX - r->kept.len)
        return entry_too_big(e);
    buf_add_span(&r->kept, rest);
    return STATUS_OK;
}

static enum status end(struct list_reader *r, struct error *e)
{
    if (r->state == LIST_OVER)
        return STATUS_OK;
    if (r->state != LIST_OTHER)
        return not_json(r, e);
    json_t *other = json_loadb(r->kept.data, r->kept.len, JSON_DECODE_ANY, NULL);
    if (other == NULL)
        return not_json(r, e);
    json_decref(other);
    return error_set(e, STATUS_INVALID, r->codes->list, "the list is not a JSON array");
}

static enum status read_whole(struct list_reader *r, struct span json, struct error *e)
{
    enum status st = add(r, json, e);
    if (st == STATUS_OK)
        st = end(r, e);
    buf_free(&r->kept);
    return st;
}

static bool member_hash(const json_t *item, const char *name, struct hash *out)
{
    const json_t *text = json_object_get(item, name);
    return json_is_string(text) && hash_parse((struct span){json_string_value(text), json_string_length(text)}, out);
}

// Lists name few types: the text of the entry before is used again where it can be.
static struct span member_text(struct arena *a, const json_t *item, const char *name, struct span before)
{
    const json_t *text = json_object_get(item, name);
    if (!json_is_string(text))
        return (struct span){0};
    struct span s = {json_string_value(text), json_string_length(text)};
    return span_eq(s, before) ? before : arena_copy(a, s);
}

// *usable is false for an entry without proper hashes, which concerns nobody but itself.
static enum status read_root(struct arena *a, const json_t *item, struct span type_before, struct chum_root *out,
                             bool *usable, struct error *e)
{
    const char *kind = json_string_value(json_object_get(item, "type"));
    size_t i = 0;
    while (i < 4 && (kind == NULL || strcmp(kind, root_names[i]) != 0))
        i++;
    if (i == 4)
        return error_set(e, STATUS_INVALID, root_codes.kind, "unknown kind of root: %.40s",
                         kind != NULL ? kind : "none");
    memset(out, 0, sizeof *out);
    out->kind = (enum chum_root_kind)i;
    out->type = member_text(a, item, i == CHUM_ROOT_VERSION_NODE ? "dataType" : "oneType", type_before);
    switch (out->kind) {
    case CHUM_ROOT_UNVERSIONED:
        *usable = member_hash(item, "hash", &out->hash);
        break;
    case CHUM_ROOT_VERSIONED:
        *usable = member_hash(item, "hash", &out->hash) && member_hash(item, "idHash", &out->id_hash);
        break;
    case CHUM_ROOT_ID:
        *usable = member_hash(item, "idHash", &out->id_hash);
        break;
    case CHUM_ROOT_VERSION_NODE:
        *usable = member_hash(item, "node", &out->hash) && member_hash(item, "dataIdHash", &out->id_hash);
        break;
    }
    return STATUS_OK;
}

struct roots_reading {
    struct arena *arena;
    struct chum_roots *out;
    size_t cap;
    struct chum_root last;
};

static enum status add_root(void *ctx, const json_t *item, struct error *e)
{
    struct roots_reading *reading = ctx;
    struct chum_roots *roots = reading->out;
    bool usable = false;
    enum status st = read_root(reading->arena, item, reading->last.type, &reading->last, &usable, e);
    if (st != STATUS_OK || !usable)
        return st;
    if (roots->count == reading->cap) {
        reading->cap = reading->cap != 0 ? 2 * reading->cap : 64;
        roots->items = mem_resize(roots->items, reading->cap * sizeof *roots->items);
    }
    roots->items[roots->count++] = reading->last;
    return STATUS_OK;
}

enum status chum_roots_read(struct arena *a, struct span json, struct chum_roots *out, struct error *e)
{
    struct list_reader r;
    struct roots_reading reading = {.arena = a, .out = out};
    memset(out, 0, sizeof *out);
    begin(&r, CHUM_ROOTS_MAX, &root_codes, add_root, &reading);
    enum status st = read_whole(&r, json, e);
    if (st != STATUS_OK)
        chum_roots_free(out);
    return st;
}

void chum_roots_free(struct chum_roots *roots)
{
    free(roots->items);
    memset(roots, 0, sizeof *roots);
}

static enum status read_child(const json_t *item, struct store_child *out, struct error *e)
{
    const char *kind = json_string_value(json_object_get(item, "type"));
    for (size_t i = 0; kind != NULL && i < 4; i++) {
        if (strcmp(kind, child_names[i].name) != 0)
            continue;
        out->kind = child_names[i].kind;
        if (!member_hash(item, "hash", &out->hash))
            return error_set(e, STATUS_INVALID, child_codes.hash, "a child has no hash");
        return STATUS_OK;
    }
    return error_set(e, STATUS_INVALID, child_codes.kind, "unknown kind of child: %.40s", kind != NULL ? kind : "none");
}

static enum status add_child(void *ctx, const json_t *item, struct error *e)
{
    struct chum_children_reader *c = ctx;
    struct store_child child;
    enum status st = read_child(item, &child, e);
    if (st != STATUS_OK)
        return st;
    if (c->children.count == c->cap) {
        c->cap = c->cap != 0 ? 2 * c->cap : 16;
        c->children.items = mem_resize(c->children.items, c->cap * sizeof *c->children.items);
    }
    c->children.items[c->children.count++] = child;
    return STATUS_OK;
}

void chum_children_begin(struct chum_children_reader *c)
{
    chum_children_end(c);
    begin(&c->list, CHUM_CHILDREN_MAX, &child_codes, add_child, c);
}

enum status chum_children_add(struct chum_children_reader *c, struct span piece, struct error *e)
{
    return add(&c->list, piece, e);
}

enum status chum_children_take(struct chum_children_reader *c, struct store_children *out, struct error *e)
{
    enum status st = end(&c->list, e);
    *out = st == STATUS_OK ? c->children : (struct store_children){0};
    if (st == STATUS_OK)
        c->children = (struct store_children){0};
    chum_children_end(c);
    return st;
}

void chum_children_end(struct chum_children_reader *c)
{
    free(c->children.items);
    buf_free(&c->list.kept);
    memset(c, 0, sizeof *c);
}

void chum_child_write(const struct store_child *child, struct buf *out)
{
    const char *name = child_names[0].name;
    for (size_t k = 0; k < 4; k++) {
        if (child_names[k].kind == child->kind)
            name = child_names[k].name;
    }
    buf_printf(out, "{\"type\":\"%s\",\"hash\":\"%s\"}", name, hash_text(&child->hash).s);
}
