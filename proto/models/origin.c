// What others began is told the own other node too, by an object of Settings for each: a node that lost its store still
// has to know from whom it takes more. A setting of this store says the same and is asked first; it goes with the
// store.
#include "models/origin.h"

#include "models/settings.h"

static struct span kept_name(struct model *m, const struct hash *id_hash)
{
    return arena_printf(m->arena, "origin.%s.%s", hash_text(&m->self->person).s, hash_text(id_hash).s);
}

enum status origin_get(struct model *m, const struct hash *id_hash, struct hash *person, struct error *e)
{
    struct span text;
    const struct store_setting_name name = store_setting_about("origin", id_hash);
    enum status status = store_setting_get(m->store, name.s, m->arena, &text, NULL);
    if (status != STATUS_OK)
        status = settings_get(m, kept_name(m, id_hash), SPAN("person"), &text, e);
    if (status == STATUS_OK && !hash_parse(text, person))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is nobody's", name.s);
    return status;
}

bool origin_is(struct model *m, const struct hash *id_hash, const struct hash *person)
{
    struct hash origin;
    return origin_get(m, id_hash, &origin, NULL) == STATUS_OK && hash_eq(&origin, person);
}

enum status origin_set(struct model *m, const struct hash *id_hash, const struct hash *person, struct error *e)
{
    const struct store_setting_name name = store_setting_about("origin", id_hash);
    enum status status = store_setting_set(m->store, name.s, span_of(hash_text(person).s), e);
    if (status != STATUS_OK || hash_eq(person, &m->self->person))
        return status;
    return settings_set(m, kept_name(m, id_hash), SPAN("person"), span_of(hash_text(person).s), e);
}
