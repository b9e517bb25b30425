// Finds the links of an object in its text without parsing it.
#include <string.h>

#include "store/state.h"
#include "store/textlinks.h"

static bool link_kind_of(struct span word, enum link_kind *out)
{
    static const char *const words[] = {
        [LINK_OBJECT] = "obj", [LINK_ID] = "id", [LINK_CLOB] = "clob", [LINK_BLOB] = "blob"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *out = (enum link_kind)i;
        if (span_eq_text(word, words[i]))
            return true;
    }
    return false;
}

bool text_next_link(struct span *rest, enum link_kind *kind, struct hash *target)
{
    static const char mark[] = " data-type=\"";
    const size_t length = sizeof mark - 1;
    const char *at;
    while (rest->len != 0 && (at = memmem(rest->ptr, rest->len, mark, length)) != NULL) {
        *rest = span_from(*rest, (size_t)(at - rest->ptr) + length);
        const char *end = memchr(rest->ptr, '"', rest->len < 5 ? rest->len : 5);
        size_t word = end != NULL ? (size_t)(end - rest->ptr) : 0;
        if (end == NULL || rest->len < word + 2 + HASH_HEX || end[1] != '>')
            continue;
        if (link_kind_of((struct span){rest->ptr, word}, kind) &&
            hash_parse((struct span){end + 2, HASH_HEX}, target)) {
            *rest = span_from(*rest, word + 2 + HASH_HEX);
            return true;
        }
    }
    return false;
}
