// What the page shows and does today, by the method it takes; a test of the page's files keeps both lists the same.
#include "supervisor/ui/allowed.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

static bool is_listed(const char *method)
{
    static const char *const methods[] = {
        "blob.abort",    "blob.begin",    "blob.chunk",       "blob.commit",     "blob.read",        "chat.list",
        "chat.send",     "config.show",   "connections.list", "contact.disable", "contact.enable",   "contact.name",
        "contacts.list", "events.since",  "health",           "pairing.accept",  "pairing.invite",   "profile.get",
        "profile.set",   "settings.list", "settings.set",     "status",          "storage",          "topic.add",
        "topic.create",  "topic.leave",   "topic.list",       "topic.read",      "topic.read-up-to", "topic.send",
        "trace",
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

bool ui_may_ask(const char *method, const json_t *params)
{
    const json_t *store = json_object_get(params, "store");
    bool its_own = span_eq_text((struct span){json_string_value(store), json_string_length(store)}, UI_SETTINGS);
    return is_listed(method) && (its_own || strncmp(method, "settings.", strlen("settings.")) != 0);
}
