#include "models/origin.h"

#include <stdio.h>

struct name {
    char s[sizeof "origin." + HASH_HEX];
};

static struct name name_of(const struct hash *id_hash)
{
    struct name name;
    snprintf(name.s, sizeof name.s, "origin.%s", hash_text(id_hash).s);
    return name;
}

enum status origin_get(struct model *m, const struct hash *id_hash, struct hash *person, struct error *e)
{
    struct span text;
    const struct name name = name_of(id_hash);
    enum status status = store_setting_get(m->store, name.s, m->arena, &text, e);
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
    const struct name name = name_of(id_hash);
    return store_setting_set(m->store, name.s, span_of(hash_text(person).s), e);
}
