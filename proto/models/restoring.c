// Both halves of a restore: what the other own node shows while it lasts, and what the restored one does when all is
// here. Its end takes a fixed order: keys of further identities, then the contact book (where they looked like
// strangers until then), then what contacts are due, then the registries, which are made of all that.
#include "models/restoring.h"
#include "models/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "models/channel.h"
#include "models/contact.h"
#include "models/instance.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/selves.h"
#include "models/sharing.h"
#include "models/someone.h"
#include "models/topic.h"
#include "models/trust.h"

#define RESTORING_SETTING "restoring"
#define GIVING_SETTING "restoring.other"
#define YES SPAN("1")
#define NO SPAN("")

static bool is_set(struct model *m, const char *setting)
{
    struct span value;
    return store_setting_get(m->store, setting, m->arena, &value, NULL) == STATUS_OK && span_eq(value, YES);
}

bool restoring_is(struct model *m)
{
    return is_set(m, RESTORING_SETTING);
}

enum status restoring_begin(struct model *m, struct error *e)
{
    return store_setting_set(m->store, RESTORING_SETTING, YES, e);
}

// ---- Giving ---------------------------------------------------------------------------------------------------------

struct giving {
    struct model *m;
    struct hash own;
    bool give;
};

static bool is_theirs(const struct giving *g, const struct value *object, const char *property)
{
    struct hash person;
    return value_get_hash(object, property, &person) &&
           (hash_eq(&person, &g->own) || selves_is_elsewhere(g->m, &person));
}

// Whoever takes in a history at once needs its merges to be part of it.
static enum status give_id(const struct giving *g, const struct hash *id_hash, struct error *e)
{
    struct version_result ignored;
    enum status status = store_offer(g->m->store, &g->own, true, id_hash, g->give, e);
    if (status == STATUS_OK && g->give)
        status = version_confirm(store_versions(g->m->store), id_hash, (double)g->m->now_ms, &ignored, e);
    return status;
}

static enum status give_all_of(const struct giving *g, const char *type, const char *property, struct error *e)
{
    struct hash_list ids = {0};
    struct model *m = g->m;
    enum status status = store_ids_of_type(m->store, span_of(type), &ids, e);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        struct value *object;
        if (model_read(m, &ids.items[i], type, &object, NULL) == STATUS_OK && is_theirs(g, object, property))
            status = give_id(g, &ids.items[i], e);
    }
    hash_list_free(&ids);
    return status;
}

static enum status give_signatures(const struct giving *g, const struct hash *issuer, struct error *e)
{
    struct hash_list signatures = {0};
    struct model *m = g->m;
    enum status status = store_referrers(m->store, issuer, SPAN("Signature"), false, &signatures, e);
    for (size_t i = 0; status == STATUS_OK && i < signatures.count; i++)
        if (sharing_is_worth_keeping(m, &signatures.items[i], issuer))
            status = store_offer(m->store, &g->own, false, &signatures.items[i], g->give, e);
    hash_list_free(&signatures);
    return status;
}

static enum status give_all_signatures(const struct giving *g, struct error *e)
{
    struct selves further;
    enum status status = selves_elsewhere(g->m, &further, e);
    if (status == STATUS_OK)
        status = give_signatures(g, &g->own, e);
    for (size_t i = 0; status == STATUS_OK && i < further.count; i++)
        status = give_signatures(g, &further.items[i]->person, e);
    selves_free(&further);
    return status;
}

enum status restoring_give(struct model *m, bool give, struct error *e)
{
    struct giving g = {.m = m, .give = give};
    if (!give && !is_set(m, GIVING_SETTING))
        return STATUS_OK;
    enum status status = sharing_own_node(m, &g.own, e);
    if (status == STATUS_OK && give)
        status = sharing_everything(m, e);
    if (status == STATUS_OK)
        status = give_all_of(&g, "Profile", "owner", e);
    if (status == STATUS_OK)
        status = give_all_of(&g, "ChannelInfo", "owner", e);
    if (status == STATUS_OK)
        status = give_all_signatures(&g, e);
    return status == STATUS_OK ? store_setting_set(m->store, GIVING_SETTING, give ? YES : NO, e) : status;
}

// ---- Taking up again ------------------------------------------------------------------------------------------------

// Until its keys were found to be here a further identity of ours looked like somebody else.
static bool is_stranger(struct model *m, const struct hash *someone)
{
    struct someone s;
    bool strange = someone_load(m, someone, &s, NULL) == STATUS_OK && s.count != 0;
    for (size_t i = 0; i < s.count && strange; i++)
        strange = !leute_is_me(m, &s.identities[i].person) && !trust_was_withdrawn(m, &s.identities[i].person);
    someone_free(&s);
    return strange;
}

static enum status clear_list(struct model *m, struct error *e)
{
    struct hash_list others = {0};
    enum status status = leute_others(m, &others, e);
    for (size_t i = 0; status == STATUS_OK && i < others.count; i++)
        if (!is_stranger(m, &others.items[i]))
            status = leute_remove_other(m, &others.items[i], e);
    hash_list_free(&others);
    return status;
}

// Those whose keys we have signed, in a pairing: they are given again what follows from that.
static enum status greet_contacts(struct model *m, struct error *e)
{
    struct contact_endpoints rows;
    struct hash_list greeted = {0};
    enum status status = contact_endpoints(m, &rows, e);
    for (size_t i = 0; status == STATUS_OK && i < rows.count; i++) {
        const struct contact_endpoint *row = &rows.items[i];
        if (!row->certified || hash_list_has(&greeted, &row->person))
            continue;
        hash_list_add(&greeted, &row->person);
        status = sharing_apply(m, &row->person, e);
    }
    hash_list_free(&greeted);
    return status;
}

static enum status greet_all(struct model *m, struct keychain *k, struct error *e)
{
    struct identity **further;
    size_t count;
    struct model as_it = *m;
    enum status status = greet_contacts(m, e);
    if (status != STATUS_OK)
        return status;
    status = instance_identities(m, k, &further, &count, e);
    for (size_t i = 0; i < count; i++) {
        as_it.self = further[i];
        if (status == STATUS_OK)
            status = greet_contacts(&as_it, e);
        identity_destroy(further[i]);
    }
    free(further);
    return status;
}

enum status restoring_end(struct model *m, struct keychain *k, struct error *e)
{
    enum status status = instance_find_identities(m, k, e);
    if (status == STATUS_OK)
        status = clear_list(m, e);
    if (status == STATUS_OK)
        status = greet_all(m, k, e);
    if (status == STATUS_OK)
        status = channel_catch_up(m, e);
    if (status == STATUS_OK)
        status = topic_catch_up(m, e);
    if (status == STATUS_OK)
        status = delivery_restore(m, e);
    return status == STATUS_OK ? store_setting_set(m->store, RESTORING_SETTING, NO, e) : status;
}
