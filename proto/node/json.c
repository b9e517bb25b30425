// jansson takes no text that is not UTF-8 and returns NULL then, which json_pack would turn into a failure of the whole
// answer: one bad name would hide a page. So every text from the store comes through here.
#include "node/json.h"

#include "base/text.h"

enum { NAME_SHOWN = 2048 };

json_t *node_json_hash(const struct hash *h)
{
    return hash_is_zero(h) ? json_null() : json_string(hash_text(h).s);
}

json_t *node_json_hashes(const struct hash_list *list)
{
    json_t *hashes = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(hashes, node_json_hash(&list->items[i]));
    return hashes;
}

json_t *node_json_text(struct span s)
{
    json_t *text = s.len != 0 ? json_stringn(s.ptr, s.len) : json_string("");
    return text != NULL ? text : json_string("\xEF\xBF\xBD"); // not UTF-8: cannot be shown in JSON
}

json_t *node_json_beginning(struct span s, size_t max)
{
    return node_json_text(utf8_beginning(s, max));
}

json_t *node_json_name(struct span s)
{
    return node_json_beginning(s, NAME_SHOWN);
}
