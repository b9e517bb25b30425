// What the page shows and does today, by the method it takes; a test of the page's files keeps both lists the same.
#include "supervisor/ui/allowed.h"

#include <stddef.h>
#include <string.h>

bool ui_may_ask(const char *method)
{
    static const char *const methods[] = {
        "chat.list",    "chat.send", "connections.list", "contact.name",   "contacts.list",
        "events.since", "health",    "pairing.accept",   "pairing.invite", "status",
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}
