// A merge of two versions keeps the descriptions of both, so "the" name of a profile is a question about its history:
// find_latest reads the written versions from the oldest on and takes what was set last. That is long, and asked only
// where there are several. Names of a person go by owner: ours, then the person's own, then anybody's.
#include "models/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "models/history.h"

enum { MAX_NAME = 1024, MAX_URL = 2048 };

#define MAIN_PROFILE SPAN("default")

void profile_free(struct profile *p)
{
    hash_list_free(&p->endpoints);
    hash_list_free(&p->descriptions);
}

// ---- Loading and saving ---------------------------------------------------------------------------------------------

static struct value *make_id(struct model *m, struct span profile_id, const struct hash *person,
                             const struct hash *owner)
{
    struct value *profile = model_object(m, "Profile");
    model_set_text(m, profile, "profileId", profile_id);
    model_set_hash(m, profile, "personId", person);
    model_set_hash(m, profile, "owner", owner);
    return profile;
}

enum status profile_id_hash(struct model *m, struct span profile_id, const struct hash *person,
                            const struct hash *owner, struct hash *out, struct error *e)
{
    return model_id(m, make_id(m, profile_id, person, owner), out, e);
}

enum status profile_own(struct model *m, struct hash *id_hash, struct error *e)
{
    return profile_id_hash(m, MAIN_PROFILE, &m->self->person, &m->self->person, id_hash, e);
}

enum status profile_load(struct model *m, const struct hash *id_hash, struct profile *out, struct error *e)
{
    struct value *profile;
    *out = (struct profile){.id_hash = *id_hash};
    enum status status = model_current(m, id_hash, "Profile", &profile, &out->hash, e);
    if (status != STATUS_OK)
        return status;
    value_get_string(profile, "profileId", &out->profile_id);
    value_get_hash(profile, "personId", &out->person);
    value_get_hash(profile, "owner", &out->owner);
    model_read_hashes(value_get(profile, SPAN("communicationEndpoint")), &out->endpoints);
    model_read_hashes(value_get(profile, SPAN("personDescription")), &out->descriptions);
    return STATUS_OK;
}

enum status profile_save(struct model *m, struct profile *p, struct error *e)
{
    struct value *profile = make_id(m, p->profile_id, &p->person, &p->owner);
    value_set_member(m->arena, profile, SPAN("communicationEndpoint"),
                     model_hashes(m, p->endpoints.items, p->endpoints.count, false));
    value_set_member(m->arena, profile, SPAN("personDescription"),
                     model_hashes(m, p->descriptions.items, p->descriptions.count, false));
    struct version_result stored;
    enum status status = model_change(m, profile, &stored, e);
    if (status == STATUS_OK) {
        p->id_hash = stored.id_hash;
        p->hash = stored.hash;
    }
    return status;
}

void profiles_free(struct profiles *list)
{
    for (size_t i = 0; i < list->count; i++)
        profile_free(&list->items[i]);
}

enum status profiles_about(struct model *m, const struct hash *person, struct profiles *out, struct error *e)
{
    struct hash_list candidates = {0}; // also those the person owns about others
    enum status status = store_referrers(m->store, person, SPAN("Profile"), true, &candidates, e);
    *out = (struct profiles){.items = arena_alloc(m->arena, (candidates.count + 1) * sizeof *out->items)};
    for (size_t i = 0; status == STATUS_OK && i < candidates.count; i++) {
        struct profile *p = &out->items[out->count];
        status = profile_load(m, &candidates.items[i], p, e);
        if (status == STATUS_OK && hash_eq(&p->person, person))
            out->count++;
        else
            profile_free(p);
        if (status == STATUS_NOT_FOUND) { // an id without a version
            error_clear(e);
            status = STATUS_OK;
        }
    }
    hash_list_free(&candidates);
    return status;
}

// ---- Endpoints and descriptions -------------------------------------------------------------------------------------

static enum status profile_put_endpoint(struct model *m, const struct profile_endpoint *endpoint, struct hash *out,
                                        struct error *e)
{
    if (endpoint->url.len > MAX_URL || !utf8_valid(endpoint->url))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a url is at most %d bytes of UTF-8", MAX_URL);
    struct value *object = model_object(m, "OneInstanceEndpoint");
    model_set_hash(m, object, "personId", &endpoint->person);
    model_set_hash(m, object, "instanceId", &endpoint->instance);
    model_set_hash(m, object, "personKeys", &endpoint->person_keys);
    model_set_hash(m, object, "instanceKeys", &endpoint->instance_keys);
    if (endpoint->url.len != 0) // an empty url would be dialled (MODELS.md 1.4)
        model_set_text(m, object, "url", endpoint->url);
    return model_put(m, object, out, e);
}

enum status profile_read_endpoint(struct model *m, const struct hash *hash, struct profile_endpoint *out,
                                  struct error *e)
{
    struct value *object;
    *out = (struct profile_endpoint){0};
    enum status status = model_read(m, hash, "OneInstanceEndpoint", &object, e);
    if (status != STATUS_OK)
        return status;
    value_get_hash(object, "personId", &out->person);
    value_get_hash(object, "instanceId", &out->instance);
    value_get_hash(object, "personKeys", &out->person_keys);
    value_get_hash(object, "instanceKeys", &out->instance_keys);
    value_get_string(object, "url", &out->url);
    return STATUS_OK;
}

enum status profile_put_sign_key(struct model *m, const struct sign_public *key, struct hash *out, struct error *e)
{
    char hex[2 * SIGN_PUBLIC + 1];
    hex_encode(key->b, sizeof key->b, hex);
    struct value *object = model_object(m, "SignKey");
    model_set_text(m, object, "key", span_of(hex));
    return model_put(m, object, out, e);
}

static bool is_of_instance(struct model *m, const struct hash *endpoint, const struct hash *person,
                           const struct hash *instance, struct profile_endpoint *out)
{
    return profile_read_endpoint(m, endpoint, out, NULL) == STATUS_OK && hash_eq(&out->person, person) &&
           hash_eq(&out->instance, instance);
}

static void drop_endpoints(struct model *m, struct profile *p, const struct hash *person, const struct hash *instance)
{
    struct hash_list kept = {0};
    struct profile_endpoint old;
    for (size_t i = 0; i < p->endpoints.count; i++)
        if (!is_of_instance(m, &p->endpoints.items[i], person, instance, &old))
            hash_list_add(&kept, &p->endpoints.items[i]);
    hash_list_free(&p->endpoints);
    p->endpoints = kept;
}

enum status profile_replace_endpoint(struct model *m, struct profile *p, const struct profile_endpoint *endpoint,
                                     struct error *e)
{
    struct hash hash;
    enum status status = profile_put_endpoint(m, endpoint, &hash, e);
    if (status != STATUS_OK || hash_list_has(&p->endpoints, &hash))
        return status;
    drop_endpoints(m, p, &endpoint->person, &endpoint->instance);
    hash_list_add(&p->endpoints, &hash);
    return STATUS_OK;
}

static bool is_of_type(struct model *m, const struct hash *hash, const char *type)
{
    struct store_info info;
    return store_info(m->store, hash, &info, NULL) == STATUS_OK && span_eq_text(span_of(info.type), type);
}

// How many of the type a list has; the first one goes to *out.
static size_t count_type(struct model *m, const struct hash_list *list, const char *type, struct hash *out)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (is_of_type(m, &list->items[i], type) && count++ == 0)
            *out = list->items[i];
    return count;
}

// What a version says about which description counts: the only one it has, or the one that no older version had.
static void follow_version(struct model *m, const struct hash_list *descriptions, const char *type,
                           struct hash_list *known, struct hash *latest)
{
    size_t count = 0;
    const struct hash *found = NULL;
    for (size_t i = 0; i < descriptions->count; i++) {
        if (!is_of_type(m, &descriptions->items[i], type))
            continue;
        found = &descriptions->items[i];
        count++;
        if (hash_list_has(known, found))
            continue;
        hash_list_add(known, found);
        *latest = *found;
    }
    if (count == 1)
        *latest = *found;
}

static int by_time(const void *a, const void *b)
{
    const struct history_version *x = a;
    const struct history_version *y = b;
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    return (x->depth > y->depth) - (x->depth < y->depth);
}

// A merge keeps what either side has, so of a description that was replaced elsewhere both lie in the profile. The
// versions that somebody wrote, from the oldest on, tell which was set last.
static void find_latest(struct model *m, const struct profile *p, const char *type, struct hash *out)
{
    struct history history;
    struct hash_list known = {0};
    struct hash latest = *out;
    if (history_of(m, &p->id_hash, &history, NULL) != STATUS_OK)
        return;
    qsort(history.items, history.count, sizeof *history.items, by_time);
    for (size_t i = 0; i < history.count; i++) {
        struct value *object;
        struct hash_list descriptions = {0};
        if (model_read(m, &history.items[i].hash, "Profile", &object, NULL) != STATUS_OK)
            continue;
        model_read_hashes(value_get(object, SPAN("personDescription")), &descriptions);
        follow_version(m, &descriptions, type, &known, &latest);
        hash_list_free(&descriptions);
    }
    hash_list_free(&known);
    if (hash_list_has(&p->descriptions, &latest))
        *out = latest;
}

static enum status profile_description(struct model *m, const struct profile *p, const char *type, struct value **out,
                                       struct error *e)
{
    struct hash found;
    size_t count = count_type(m, &p->descriptions, type, &found);
    if (count == 0)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "the profile has no %s", type);
    if (count > 1)
        find_latest(m, p, type, &found);
    return model_read(m, &found, type, out, e);
}

// ---- Names ----------------------------------------------------------------------------------------------------------

enum status profile_email_of(struct model *m, const struct hash *person, struct span *email, struct error *e)
{
    struct value *object;
    *email = (struct span){0};
    enum status status = model_read(m, person, "Person", &object, e);
    if (status == STATUS_OK)
        value_get_string(object, "email", email);
    return status;
}

static bool name_in(struct model *m, const struct profile *p, struct span *name)
{
    struct value *object = NULL;
    return profile_description(m, p, "PersonName", &object, NULL) == STATUS_OK &&
           value_get_string(object, "name", name) && name->len != 0;
}

// 0: ours; 1: the person's own; 2: anybody's.
static int name_rank(const struct model *m, const struct profile *p)
{
    if (hash_eq(&p->owner, &m->self->person))
        return 0;
    return hash_eq(&p->owner, &p->person) ? 1 : 2;
}

// Which of many descriptions counts is a long question: no more profiles are asked than until one has a name.
enum status profile_name_of(struct model *m, const struct hash *person, struct span *name, struct error *e)
{
    struct profiles profiles;
    bool found = false;
    enum status status = profiles_about(m, person, &profiles, e);
    for (int rank = 0; status == STATUS_OK && rank < 3 && !found; rank++)
        for (size_t i = 0; i < profiles.count && !found; i++)
            found = name_rank(m, &profiles.items[i]) == rank && name_in(m, &profiles.items[i], name);
    if (!found)
        *name = (struct span){0};
    if (status == STATUS_OK && !found)
        profile_email_of(m, person, name, NULL);
    profiles_free(&profiles);
    return status;
}

// ---- Our own profile ------------------------------------------------------------------------------------------------

enum status profile_put_default(struct model *m, const struct identity *i, struct span url, struct profile *p,
                                struct error *e)
{
    const struct profile_endpoint endpoint = {
        .person = i->person,
        .instance = i->instance,
        .person_keys = i->person_keys.keys,
        .instance_keys = i->instance_keys.keys,
        .url = url,
    };
    struct hash key;
    *p = (struct profile){.profile_id = SPAN("default"), .person = i->person, .owner = i->person};
    enum status status = profile_replace_endpoint(m, p, &endpoint, e);
    if (status == STATUS_OK)
        status = profile_put_sign_key(m, &i->person_keys.sign_public, &key, e);
    if (status == STATUS_OK) {
        hash_list_add(&p->descriptions, &key);
        status = profile_save(m, p, e);
    }
    return status;
}

static enum status load_own(struct model *m, struct profile *p, struct error *e)
{
    struct hash id;
    *p = (struct profile){0};
    enum status status = profile_own(m, &id, e);
    return status == STATUS_OK ? profile_load(m, &id, p, e) : status;
}

static void drop_type(struct model *m, struct hash_list *list, const char *type)
{
    struct hash_list kept = {0};
    for (size_t i = 0; i < list->count; i++)
        if (!is_of_type(m, &list->items[i], type))
            hash_list_add(&kept, &list->items[i]);
    hash_list_free(list);
    *list = kept;
}

enum status profile_describe(struct model *m, const char *type, const struct value *object, struct error *e)
{
    struct profile p;
    struct hash hash;
    bool is_endpoint = strcmp(type, "Email") == 0 || strcmp(type, "PhoneNumber") == 0;
    enum status status = load_own(m, &p, e);
    struct hash_list *list = is_endpoint ? &p.endpoints : &p.descriptions;
    if (status == STATUS_OK)
        drop_type(m, list, type);
    if (status == STATUS_OK && object != NULL) {
        status = model_put(m, object, &hash, e);
        hash_list_add(list, &hash);
    }
    if (status == STATUS_OK)
        status = profile_save(m, &p, e);
    profile_free(&p);
    return status;
}

enum status profile_set_name(struct model *m, struct span name, struct error *e)
{
    if (name.len > MAX_NAME || !utf8_valid(name))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "a name is at most %d bytes of UTF-8", MAX_NAME);
    struct value *object = model_object(m, "PersonName");
    model_set_text(m, object, "name", name);
    return profile_describe(m, "PersonName", name.len != 0 ? object : NULL, e);
}

enum status profile_urls(struct model *m, struct profile_urls *out, struct error *e)
{
    struct profile p;
    struct profile_endpoint own;
    *out = (struct profile_urls){0};
    enum status status = load_own(m, &p, e);
    for (size_t i = 0; i < p.endpoints.count && out->count < PROFILE_URLS; i++)
        if (is_of_instance(m, &p.endpoints.items[i], &m->self->person, &m->self->instance, &own) && own.url.len != 0)
            out->items[out->count++] = own.url;
    profile_free(&p);
    return status;
}

static enum status add_own_endpoint(struct model *m, struct profile *p, struct span url, struct error *e)
{
    struct hash hash;
    struct profile_endpoint endpoint = {
        .person = m->self->person,
        .instance = m->self->instance,
        .person_keys = m->self->person_keys.keys,
        .instance_keys = m->self->instance_keys.keys,
        .url = url,
    };
    enum status status = profile_put_endpoint(m, &endpoint, &hash, e);
    if (status == STATUS_OK && !hash_list_has(&p->endpoints, &hash))
        hash_list_add(&p->endpoints, &hash);
    return status;
}

enum status profile_set_urls(struct model *m, const struct profile_urls *urls, struct error *e)
{
    struct profile p;
    enum status status = load_own(m, &p, e);
    if (status == STATUS_OK)
        drop_endpoints(m, &p, &m->self->person, &m->self->instance);
    for (size_t i = 0; status == STATUS_OK && i < urls->count; i++)
        status = add_own_endpoint(m, &p, urls->items[i], e);
    if (status == STATUS_OK && urls->count == 0)
        status = add_own_endpoint(m, &p, SPAN(""), e);
    if (status == STATUS_OK)
        status = profile_save(m, &p, e);
    profile_free(&p);
    return status;
}
