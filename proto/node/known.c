// What is said is kept as the JSON that came, with sorted keys, so that "nothing new" is a comparison of texts: the
// archive is asked often, and a write costs a transaction.
#include "node/known.h"

#include <stdlib.h>

#include "crypto/sha256.h"
#include "ipc/contacts.h"
#include "models/contact.h"
#include "models/selves.h"

// A further identity has its own.
static struct store_setting_name name_of(const struct hash *further, const struct hash *person)
{
    const struct hash pair[] = {*person, further != NULL ? *further : (struct hash){{0}}};
    const struct hash both = sha256((struct span){(const char *)pair, sizeof pair});
    return store_setting_about("known", further != NULL ? &both : person);
}

static struct span read_known(struct model *m, const struct store_setting_name *name)
{
    struct span text = {0};
    return store_setting_get(m->store, name->s, m->arena, &text, NULL) == STATUS_OK ? text : SPAN("");
}

enum status known_keep(struct model *m, const json_t *item, struct error *e)
{
    struct hash person;
    struct hash identity;
    if (!hash_parse(span_of(json_string_value(json_object_get(item, "personId"))), &person) ||
        !hash_parse(span_of(json_string_value(json_object_get(item, "identity"))), &identity) ||
        !contact_of_anybody(m, &person))
        return STATUS_OK;
    const struct store_setting_name name = name_of(selves_is_elsewhere(m, &identity) ? &identity : NULL, &person);
    json_t *kept = json_pack("{s:O?, s:O?}", "safety", json_object_get(item, "safety"), "lastSeenAt",
                             json_object_get(item, "lastSeenAt"));
    char *text = json_dumps(kept, JSON_COMPACT | JSON_SORT_KEYS);
    enum status st = STATUS_OK;
    if (text != NULL && !span_eq_text(read_known(m, &name), text))
        st = store_setting_set(m->store, name.s, span_of(text), e);
    free(text);
    json_decref(kept);
    return st;
}

void known_fill(struct model *m, const struct hash *person, json_t *item)
{
    const struct store_setting_name name = name_of(m->self->elsewhere ? &m->self->person : NULL, person);
    struct span text = read_known(m, &name);
    json_t *kept = text.len != 0 ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
    ipc_contact_fill(item, kept);
    json_decref(kept);
}

enum status known_forget(struct model *m, const struct hash *person, struct error *e)
{
    const struct store_setting_name name = name_of(m->self->elsewhere ? &m->self->person : NULL, person);
    return read_known(m, &name).len != 0 ? store_setting_set(m->store, name.s, SPAN(""), e) : STATUS_OK;
}
