// Numbers that may pass 2^53 come as texts, because JavaScript has no such integers.
#include "chum/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct chum_asked asked[] = {
    {CHUM_GET_OBJECT_CHILDREN, false, "CES-GOC1", "obj"}, {CHUM_GET_ID_OBJECT_CHILDREN, true, "CES-GIDOC1", "id obj"},
    {CHUM_GET_OBJECT, false, "CES-GO1", "obj"},           {CHUM_GET_ID_OBJECT, true, "CES-GIDO1", "id obj"},
    {CHUM_GET_BLOB, false, "CES-GBL1", "file"},
};

const struct chum_asked *chum_asked_find(int64_t service)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if ((int64_t)asked[i].service == service)
            return &asked[i];
    return NULL;
}

enum status chum_asked_hash(const struct chum_asked *a, const json_t *args, struct hash *hash, struct error *e)
{
    const json_t *text = json_array_get(args, 0);
    if (json_is_string(text) && hash_parse((struct span){json_string_value(text), json_string_length(text)}, hash))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, a->is_id ? "UTC-EIDHASH" : "UTC-EHASH", "the argument is not a hash");
}

enum status chum_asked_encoding(const json_t *args, bool *as_text, struct error *e)
{
    const json_t *encoding = json_array_get(args, 1);
    *as_text = json_is_string(encoding) && strcmp(json_string_value(encoding), "utf8") == 0;
    if (*as_text || encoding == NULL || rpc_is_undefined(encoding))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "CES-GBL2", "only utf8 or no encoding is known");
}

enum status chum_asked_files(const json_t *args, struct hash_list *out, struct error *e)
{
    size_t i;
    json_t *text;
    if (json_array_size(args) > CHUM_HELD_MAX)
        return error_set(e, STATUS_INVALID, "UTC-EHASH", "more than %d files are asked for", CHUM_HELD_MAX);
    json_array_foreach(args, i, text)
    {
        struct hash hash;
        if (!json_is_string(text) ||
            !hash_parse((struct span){json_string_value(text), json_string_length(text)}, &hash))
            return error_set(e, STATUS_INVALID, "UTC-EHASH", "an argument is not a hash");
        hash_list_add(out, &hash);
    }
    return STATUS_OK;
}

bool chum_asked_cursor(const json_t *args, struct chum_cursor *out)
{
    const json_t *epoch = json_array_get(args, 0);
    const json_t *place = json_array_get(args, 1);
    char *end;
    if (!json_is_string(epoch) || !json_is_integer(place) || json_integer_value(place) < -1)
        return false;
    errno = 0;
    *out = (struct chum_cursor){strtoll(json_string_value(epoch), &end, 10), json_integer_value(place)};
    return errno == 0 && *end == '\0' && end != json_string_value(epoch);
}

enum chum_word chum_asked_word(const json_t *args, size_t at)
{
    static const char *const words[] = {"", "left", "all", "ahead"};
    const char *word = json_string_value(json_array_get(args, at));
    for (size_t i = 1; word != NULL && i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum chum_word)i;
    return CHUM_WORD_NONE;
}
