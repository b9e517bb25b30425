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
