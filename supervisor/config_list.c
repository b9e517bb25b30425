// An entry is looked at as a text of its own, since what judges it wants to see its end.
#include "supervisor/config_list.h"

#include <stdlib.h>
#include <string.h>

struct span config_list_next(const char **text)
{
    *text += strspn(*text, ", \t");
    struct span entry = {*text, strcspn(*text, ", \t")};
    *text += entry.len;
    return entry;
}

bool config_list_is(struct span entry, bool (*is)(const char *entry))
{
    char *text = mem_text(entry);
    bool it_is = is(text);
    free(text);
    return it_is;
}

bool config_list_all(const char *text, bool (*are)(const char *entry))
{
    bool all = true;
    for (struct span s = config_list_next(&text); s.len > 0; s = config_list_next(&text))
        all = all && config_list_is(s, are);
    return all;
}

json_t *config_list_json(const char *text)
{
    json_t *list = json_array();
    for (struct span s = config_list_next(&text); s.len > 0; s = config_list_next(&text))
        json_array_append_new(list, json_stringn(s.ptr, s.len));
    return list;
}
