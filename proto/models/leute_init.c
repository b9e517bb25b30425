// What must exist before the node meets anybody: written at the first start, and afterwards what of it is missing.
#include "models/group.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/someone.h"
#include "models/trust.h"

static enum status make_profile(struct model *m, struct span url, struct hash *id_hash, struct error *e)
{
    struct profile p;
    enum status status = profile_put_default(m, m->self, url, &p, e);
    *id_hash = p.id_hash;
    profile_free(&p);
    return status;
}

static enum status provide_profile(struct model *m, struct span url, struct hash *id_hash, struct error *e)
{
    enum status status = profile_own(m, id_hash, e);
    if (status != STATUS_OK)
        return status;
    return model_has_head(m, id_hash) ? STATUS_OK : make_profile(m, url, id_hash, e);
}

static enum status provide_me(struct model *m, const struct hash *profile, struct hash *someone, struct error *e)
{
    enum status status = someone_id_hash(m, SPAN(SOMEONE_ME), someone, e);
    if (status != STATUS_OK || model_has_head(m, someone))
        return status;
    struct someone me;
    someone_begin(m, SPAN(SOMEONE_ME), &m->self->person, profile, &me);
    status = someone_save(m, &me, e);
    someone_free(&me);
    return status;
}

enum status leute_init_core(struct model *m, struct span url, struct error *e)
{
    struct hash profile;
    struct hash me;
    struct hash everyone;
    enum status status = provide_profile(m, url, &profile, e);
    if (status == STATUS_OK)
        status = provide_me(m, &profile, &me, e);
    if (status == STATUS_OK)
        status = leute_provide(m, &me, e);
    if (status == STATUS_OK)
        status = trust_grant_right(m, LICENCE_RIGHT_FOR_EVERYBODY, &m->self->person, e);
    if (status == STATUS_OK)
        status = trust_grant_right(m, LICENCE_RIGHT_FOR_SELF, &m->self->person, e);
    if (status == STATUS_OK)
        status = group_create(m, SPAN(GROUP_EVERYONE), true, &everyone, e);
    if (status == STATUS_OK)
        status = group_add(m, &everyone, &m->self->person, 1, e);
    return status;
}

enum status leute_init_topics(struct model *m, struct error *e)
{
    struct hash id;
    struct value *registry = model_object(m, "TopicAppRegistry");
    model_set_text(m, registry, "id", SPAN("TopicAppRegistry"));
    enum status status = model_id(m, registry, &id, e);
    if (status != STATUS_OK || model_has_head(m, &id))
        return status;
    value_set_member(m->arena, registry, SPAN("topics"), value_map(m->arena));
    return model_change(m, registry, NULL, e);
}

enum status leute_init(struct model *m, struct span url, struct error *e)
{
    struct hash disabled;
    enum status status = leute_init_core(m, url, e);
    if (status == STATUS_OK)
        status = leute_init_topics(m, e);
    if (status == STATUS_OK)
        status = group_create(m, SPAN(GROUP_DISABLED), false, &disabled, e);
    return status;
}
