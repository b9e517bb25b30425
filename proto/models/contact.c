// The contact book as people see it; pairing is in contact_pair.c, endpoints are in contact_endpoint.c. Forgetting goes
// in an order: trust is withdrawn while the keys are still known. Grants and groups are those of both own nodes, so
// they stay while the other one knows the person. A Someone that is lost is made again of the profiles it referred to,
// for the store knows the links of an object without its bytes.
#include "models/contact.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "models/group.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/someone.h"
#include "models/trust.h"

// ---- Listing --------------------------------------------------------------------------------------------------------

struct safety_text contact_safety(const struct identity *self, const struct contact_endpoint *row)
{
    struct safety_side own = safety_side_of(self);
    struct safety_side other = {
        .person_public = row->person_public,
        .instance_public = row->instance_public,
        .person_sign_public = row->person_sign_public,
        .instance_sign_public = row->instance_sign_public,
    };
    return safety_text(&own, &other);
}

static void fill_instances(struct model *m, const struct contact_endpoints *endpoints, struct contact *c)
{
    bool paired = false; // by this node; such rows come first
    c->instances = arena_alloc(m->arena, (endpoints->count + 1) * sizeof *c->instances);
    for (size_t i = 0; i < endpoints->count; i++) {
        const struct contact_endpoint *row = &endpoints->items[i];
        if (!hash_eq(&row->person, &c->person))
            continue;
        struct contact_instance *instance = &c->instances[c->instance_count++];
        *instance = (struct contact_instance){.instance = row->instance, .url = row->url};
        paired = paired || row->certified;
        if (paired)
            instance->safety = arena_copy(m->arena, span_of(contact_safety(m->self, row).s));
        if (c->safety.len == 0)
            c->safety = instance->safety;
    }
}

static enum status describe(struct model *m, const struct contact_endpoints *endpoints, const struct hash *someone,
                            const struct hash *person, struct contact *c, struct error *e)
{
    *c = (struct contact){.person = *person, .someone = *someone};
    enum status status = profile_name_of(m, person, &c->name, e);
    if (status != STATUS_OK)
        return status;
    profile_email_of(m, person, &c->email, NULL);
    c->trusted = trust_person(m, person);
    c->disabled = contact_is_disabled(m, person);
    fill_instances(m, endpoints, c);
    return STATUS_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct contact *x = a;
    const struct contact *y = b;
    int order = utf16_compare(x->name, y->name);
    return order != 0 ? order : hash_compare(&x->person, &y->person);
}

enum status contact_list(struct model *m, struct contacts *out, struct error *e)
{
    struct hash_list persons = {0};
    struct hash_list someones = {0};
    struct contact_endpoints endpoints;
    *out = (struct contacts){0};
    enum status status = contact_persons(m, &persons, &someones, e);
    if (status == STATUS_OK)
        status = contact_endpoints(m, &endpoints, e);
    out->items = arena_alloc(m->arena, (persons.count + 1) * sizeof *out->items);
    for (size_t i = 0; status == STATUS_OK && i < persons.count; i++)
        status = describe(m, &endpoints, &someones.items[i], &persons.items[i], &out->items[out->count++], e);
    if (status == STATUS_OK)
        qsort(out->items, out->count, sizeof *out->items, by_name);
    hash_list_free(&persons);
    hash_list_free(&someones);
    return status;
}

// ---- Changing -------------------------------------------------------------------------------------------------------

static enum status leave_group(struct model *m, const char *name, const struct hash *person, struct error *e)
{
    struct hash group;
    enum status status = group_id(m, span_of(name), &group, e);
    if (status == STATUS_OK && group_has(m, name, person))
        status = group_remove(m, &group, person, e);
    return status;
}

enum status contact_set_disabled(struct model *m, const struct hash *person, bool disabled, struct error *e)
{
    struct hash someone;
    struct hash group;
    enum status status = contact_someone(m, person, &someone, e);
    if (status == STATUS_OK && !disabled)
        return leave_group(m, GROUP_DISABLED, person, e);
    if (status == STATUS_OK)
        status = group_create(m, SPAN(GROUP_DISABLED), false, &group, e);
    if (status == STATUS_OK)
        status = group_add(m, &group, person, 1, e);
    return status;
}

// ---- Reactions (MODELS.md 7.4) --------------------------------------------------------------------------------------

static enum status create_someone(struct model *m, const struct hash *person, const struct hash *profile,
                                  struct error *e)
{
    struct someone s;
    someone_begin(m, model_random_text(m, 32), person, profile, &s);
    enum status status = someone_save(m, &s, e);
    if (status == STATUS_OK)
        status = leute_add_other(m, &s.id_hash, e);
    someone_free(&s);
    return status;
}

static bool is_default_profile(struct model *m, const struct hash *id_hash)
{
    struct profile p;
    bool yes = profile_load(m, id_hash, &p, NULL) == STATUS_OK && span_eq_text(p.profile_id, "default");
    profile_free(&p);
    return yes;
}

static enum status extend_someone(struct model *m, const struct hash *someone, const struct profile *p, struct error *e)
{
    struct someone s;
    enum status status = someone_load(m, someone, &s, e);
    if (status == STATUS_OK) {
        struct hash_list *profiles = &someone_add(m, &s, &p->person)->profiles;
        hash_list_add_missing(profiles, &p->id_hash, 1);
        bool is_me = span_eq_text(s.someone_id, SOMEONE_ME);
        if (!is_me && span_eq_text(p->profile_id, "default") && !is_default_profile(m, &s.main_profile))
            s.main_profile = p->id_hash;
        status = someone_save(m, &s, e); // nothing happens if it is the same
    }
    someone_free(&s);
    return status;
}

// proved: the person is here itself, pairing.
static enum status list_profile(struct model *m, const struct hash *profile, bool proved, struct error *e)
{
    struct profile p;
    struct hash someone;
    enum status status = profile_load(m, profile, &p, e);
    if (status == STATUS_OK) {
        status = leute_someone_of(m, &p.person, &someone, e);
        if (status == STATUS_OK) {
            status = extend_someone(m, &someone, &p, e);
        } else if (status == STATUS_NOT_FOUND) {
            error_clear(e);
            bool listed = !leute_is_me(m, &p.person) && (proved || !trust_was_withdrawn(m, &p.person));
            status = listed ? create_someone(m, &p.person, &p.id_hash, e) : STATUS_OK;
        }
    }
    profile_free(&p);
    return status;
}

enum status contact_notice_profile(struct model *m, const struct hash *profile, struct error *e)
{
    return list_profile(m, profile, false, e);
}

enum status contact_paired_profile(struct model *m, const struct hash *profile, struct error *e)
{
    return list_profile(m, profile, true, e);
}

enum status contact_notice_someone(struct model *m, const struct hash *someone, struct error *e)
{
    struct someone s;
    struct hash known;
    enum status status = someone_load(m, someone, &s, e);
    bool is_new = status == STATUS_OK && s.count != 0 && !span_eq_text(s.someone_id, SOMEONE_ME);
    for (size_t i = 0; i < s.count && is_new; i++)
        is_new = !leute_is_me(m, &s.identities[i].person) &&
                 leute_someone_of(m, &s.identities[i].person, &known, NULL) == STATUS_NOT_FOUND;
    if (is_new && !leute_listed_once(m, someone)) // whoever was taken out of the list has another Someone next time
        status = leute_add_other(m, someone, e);
    someone_free(&s);
    return status;
}

// ---- Lost ones ------------------------------------------------------------------------------------------------------

static bool is_lost(enum status status)
{
    return status == STATUS_CORRUPT || status == STATUS_NOT_FOUND;
}

static bool is_someone_lost(struct model *m, const struct hash *someone)
{
    struct someone s;
    enum status status = someone_load(m, someone, &s, NULL);
    someone_free(&s);
    return is_lost(status);
}

// What the current version of a Someone referred to: its links are known without it. None if it was given up.
static void links_of_someone(struct model *m, const struct hash *someone, struct hash_list *links)
{
    const struct version_source *s = store_versions(m->store);
    struct hash node;
    struct hash data;
    struct hash ignored;
    if (store_head(m->store, someone, &node, NULL) == STATUS_OK && version_data(s, &node, &data, NULL) == STATUS_OK)
        (void)s->links(s->ctx, &data, links, &ignored);
}

// Stays where it is as long as a profile is lost, too.
static enum status replace_someone(struct model *m, const struct hash *someone, struct error *e)
{
    struct hash_list links = {0};
    enum status status = STATUS_OK;
    bool whole = true;
    links_of_someone(m, someone, &links);
    for (size_t i = 0; i < links.count && status == STATUS_OK; i++) {
        struct error why = {0};
        if (!span_eq_text(store_type_known(m->store, &links.items[i]), "Profile"))
            continue;
        status = list_profile(m, &links.items[i], true, &why);
        whole = whole && !is_lost(status);
        status = is_lost(status) ? STATUS_OK : status;
        if (status != STATUS_OK)
            (void)error_set(e, status, why.code, "%s", why.message);
    }
    if (status == STATUS_OK && whole)
        status = leute_remove_other(m, someone, e);
    if (status == STATUS_OK && whole)
        LOG(LOG_WARN, "contact.remade", LOG_HASH("someone", someone), LOG_INT("links", links.count));
    hash_list_free(&links);
    return status;
}

enum status contact_replace_lost(struct model *m, struct error *e)
{
    struct hash_list others = {0};
    enum status status = leute_others(m, &others, e);
    for (size_t i = 0; status == STATUS_OK && i < others.count; i++)
        if (is_someone_lost(m, &others.items[i]))
            status = replace_someone(m, &others.items[i], e);
    hash_list_free(&others);
    return status;
}
