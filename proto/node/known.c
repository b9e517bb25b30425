// What is said is kept as the JSON that came, with sorted keys, so that "nothing new" is a comparison of texts: the
// archive is asked often, and a write costs a transaction.
#include "node/known.h"

#include <stdlib.h>

#include "ipc/contacts.h"
#include "models/contact.h"

static struct span read_known(struct model *m, const struct hash *person)
{
    struct span text = {0};
    return store_setting_get(m->store, store_setting_about("known", person).s, m->arena, &text, NULL) == STATUS_OK
               ? text
               : SPAN("");
}

enum status known_keep(struct model *m, const json_t *item, struct error *e)
{
    struct hash person;
    if (!hash_parse(span_of(json_string_value(json_object_get(item, "personId"))), &person) ||
        !contact_exists(m, &person))
        return STATUS_OK;
    json_t *kept = json_pack("{s:O?, s:O?}", "safety", json_object_get(item, "safety"), "lastSeenAt",
                             json_object_get(item, "lastSeenAt"));
    char *text = json_dumps(kept, JSON_COMPACT | JSON_SORT_KEYS);
    enum status st = STATUS_OK;
    if (text != NULL && !span_eq_text(read_known(m, &person), text))
        st = store_setting_set(m->store, store_setting_about("known", &person).s, span_of(text), e);
    free(text);
    json_decref(kept);
    return st;
}

void known_fill(struct model *m, const struct hash *person, json_t *item)
{
    struct span text = read_known(m, person);
    json_t *kept = text.len != 0 ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
    ipc_contact_fill(item, kept);
    json_decref(kept);
}

enum status known_forget(struct model *m, const struct hash *person, struct error *e)
{
    return read_known(m, person).len != 0
               ? store_setting_set(m->store, store_setting_about("known", person).s, SPAN(""), e)
               : STATUS_OK;
}
