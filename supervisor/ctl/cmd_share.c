// share grant, revoke, list; roots. What is granted and what a person is offered are two things: "roots" shows the
// second, with everything that groups and the policy make of the first.
#include <stdio.h>
#include <string.h>

#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"

enum status run_share_change(struct ctl *c, struct error *e)
{
    char method[32];
    const char *kind = ctl_has(c, "id") ? "id" : "object";
    const char *who = ctl_has(c, "with") ? "with" : "group";
    if (ctl_has(c, "id") == ctl_has(c, "object"))
        return ctl_usage(e, "%s wants either --id IDHASH or --object HASH", c->command->name);
    if (ctl_has(c, "with") == ctl_has(c, "group"))
        return ctl_usage(e, "%s wants either --with PERSON or --group GROUP", c->command->name);
    snprintf(method, sizeof method, "share.%s", strchr(c->command->name, ' ') + 1);
    json_t *params = json_pack("{s:s, s:s}", kind, ctl_value(c, kind), who, ctl_value(c, who));
    return output_done(c, ctl_call(c, method, params, e), "Done.", e);
}

enum status run_share_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"KIND", "kind", OUTPUT_TEXT},
                                                   {"HASH", "hash", OUTPUT_ID},
                                                   {"TYPE", "type", OUTPUT_TEXT},
                                                   {"GROUPS", "groups", OUTPUT_COUNT},
                                                   {"WITH", "who", OUTPUT_TEXT}};
    json_t *items = ctl_list(c, "share.list", NULL, e);
    json_t *names = c->json || items == NULL ? NULL : names_load(c);
    if (names != NULL)
        names_add_all(items, "persons", names);
    json_decref(names);
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "Nothing is shared.", e);
}

enum status run_roots(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "for"))
        return ctl_usage(e, "roots wants --for PERSON");
    static const struct output_column columns[] = {
        {"ROOT", "type", OUTPUT_TEXT}, {"OF TYPE", "of", OUTPUT_TEXT}, {"HASH", "shown", OUTPUT_ID}};
    static const char *const names[] = {"node", "hash", "idHash"};
    size_t i;
    json_t *item;
    json_t *items = ctl_list(c, "roots.list", json_pack("{s:s}", "for", ctl_value(c, "for")), e);
    json_array_foreach(items, i, item)
    {
        json_t *of = json_object_get(item, "oneType");
        if (c->json)
            continue;
        json_object_set(item, "of", of != NULL ? of : json_object_get(item, "dataType"));
        for (size_t k = 0; k < sizeof names / sizeof *names && json_object_get(item, "shown") == NULL; k++)
            json_object_set(item, "shown", json_object_get(item, names[k]));
    }
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "Nothing would be offered.", e);
}
