// A number for each file in the order they were asked for: what is no number counts as "not here", so that nobody gives
// bytes up for it.
#include "chum/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void chum_held_write(struct store *s, const struct hash_list *files, struct buf *text)
{
    for (size_t i = 0; i < files->count; i++) {
        uint64_t size;
        bool held = store_holds(s, &files->items[i], &size);
        buf_printf(text, "%s%lld", i != 0 ? " " : "", held ? (long long)size : -1LL);
    }
}

int64_t chum_held_next(struct span *text)
{
    char word[24] = {0};
    char *end;
    size_t len = 0;
    while (len < text->len && text->ptr[len] != ' ')
        len++;
    if (len == 0 || len >= sizeof word)
        return -1;
    memcpy(word, text->ptr, len);
    *text = span_from(*text, len < text->len ? len + 1 : len);
    errno = 0;
    long long size = strtoll(word, &end, 10);
    return errno == 0 && *end == '\0' && size >= 0 ? size : -1;
}

// ---- Asking ---------------------------------------------------------------------------------------------------------

struct asking {
    size_t count;
    void (*done)(void *ctx, const int64_t *sizes);
    void *ctx;
};

static void answered(void *ctx, const struct rpc_reply *reply)
{
    struct asking *a = ctx;
    int64_t sizes[CHUM_HELD_MAX];
    struct span text;
    struct error e;
    enum status st = chum_fetch_text(reply, "FEED-BROKEN", &text, &e);
    for (size_t i = 0; st == STATUS_OK && i < a->count; i++)
        sizes[i] = chum_held_next(&text);
    a->done(a->ctx, st == STATUS_OK ? sizes : NULL);
    free(a);
}

bool chum_held_ask(struct chum_fetch *f, const struct hash_list *files, void (*done)(void *ctx, const int64_t *sizes),
                   void *ctx)
{
    struct buf args = {0};
    struct asking *a = mem_alloc(sizeof *a);
    *a = (struct asking){.count = files->count, .done = done, .ctx = ctx};
    for (size_t i = 0; i < files->count; i++)
        buf_printf(&args, "%s\"%s\"", i != 0 ? "," : "[", hash_text(&files->items[i]).s);
    buf_add_char(&args, ']');
    bool asked = files->count != 0 && files->count <= CHUM_HELD_MAX &&
                 chum_fetch_call(f, CHUM_HOLDS, buf_span(&args), answered, a) >= 0;
    buf_free(&args);
    if (!asked)
        free(a);
    return asked;
}
