// The two own nodes are not alike: the archive gets everything that is put on the sparse node, and the sparse node has
// of the archive what it is granted (gives_all). Grants are offered and not granted (store_offer), or each would need a
// grant, which would need one in turn. What each node derives for itself is left out, or the two would answer each
// other for ever.
#include "models/keeping.h"

#include <string.h>

#include "models/access.h"
#include "models/channel.h"
#include "models/deletion.h"
#include "models/group.h"
#include "models/instance.h"
#include "models/kinds.h"
#include "models/leute.h"
#include "models/own_node.h"
#include "models/profile.h"
#include "models/topic.h"
#include "models/trust.h"

// The archive keeps what is put on the sparse node; that one has of the archive's what it is granted.
static bool gives_all(struct model *m)
{
    return store_kind(m->store) == STORE_SPARSE;
}

static bool is_grant(const char *type)
{
    return strcmp(type, "IdAccess") == 0 || strcmp(type, "Access") == 0;
}

bool keeping_is_noticed(const char *type)
{
    return is_grant(type) || strcmp(type, "Group") == 0 || strcmp(type, "Recipe") == 0 ||
           policy_is_application(span_of(type));
}

static bool is_ours(struct model *m, const struct hash *own, const struct hash *person)
{
    return hash_eq(person, own) || hash_eq(person, &m->self->person);
}

static bool names_others(struct model *m, const struct hash *own, const struct value *object)
{
    struct hash_list persons = {0};
    bool others = false;
    model_read_hashes(value_get(object, SPAN("person")), &persons);
    for (size_t i = 0; i < persons.count && !others; i++)
        others = !is_ours(m, own, &persons.items[i]);
    hash_list_free(&persons);
    return others;
}

// ---- Grants ---------------------------------------------------------------------------------------------------------

// Who sees a conversation follows from who takes part, which each node finds out for itself.
static bool is_of_conversation(struct model *m, const struct value *channel)
{
    struct span id;
    struct hash one;
    struct hash two;
    struct topic topic;
    return value_get_string(channel, "id", &id) &&
           (topic_is_one_to_one(id, &one, &two) || topic_find(m, id, &topic, NULL) == STATUS_OK);
}

// What follows from a contact or a conversation.
static bool is_derived(struct model *m, const struct hash *own, const struct hash *target)
{
    struct store_info info;
    struct value *object;
    struct hash owner;
    if (store_info(m->store, target, &info, NULL) != STATUS_OK)
        return false;
    if (strcmp(info.type, "Profile") == 0)
        return model_read(m, target, "Profile", &object, NULL) == STATUS_OK &&
               value_get_hash(object, "owner", &owner) && is_ours(m, own, &owner);
    if (strcmp(info.type, "ChannelInfo") == 0)
        return model_read(m, target, "ChannelInfo", &object, NULL) == STATUS_OK && is_of_conversation(m, object);
    return strcmp(info.type, "Topic") == 0;
}

static bool has_groups(const struct value *object)
{
    const struct value *groups = value_get(object, SPAN("group"));
    return groups != NULL && (groups->kind == VALUE_LIST || groups->kind == VALUE_SET) && groups->list.count != 0;
}

// Once offered it stays so: that nobody is left in it is news as well.
static enum status offer_grant(struct model *m, const struct hash *own, const char *type, const struct hash *id_hash,
                               struct error *e)
{
    struct value *object;
    struct hash target;
    enum status status = model_current(m, id_hash, type, &object, NULL, e);
    if (status != STATUS_OK || !value_get_hash(object, strcmp(type, "IdAccess") == 0 ? "id" : "object", &target) ||
        (!names_others(m, own, object) && !has_groups(object)) || is_derived(m, own, &target))
        return status;
    return store_offer(m->store, own, true, id_hash, true, e);
}

// ---- Groups and recipes ---------------------------------------------------------------------------------------------

// Every node has these by itself; they say something only when they name somebody else.
static bool is_everywhere(struct span group)
{
    return span_eq_text(group, GROUP_EVERYONE) || span_eq_text(group, GROUP_DISABLED) ||
           span_eq_text(group, GROUP_BLACKLIST);
}

static enum status offer_group(struct model *m, const struct hash *own, const struct hash *id_hash, bool came,
                               struct error *e)
{
    struct value *object;
    struct span name = {0};
    struct hash group;
    enum status status = model_current(m, id_hash, "Group", &object, NULL, e);
    if (status == STATUS_OK)
        value_get_string(object, "name", &name);
    if (status == STATUS_OK && (!is_everywhere(name) || names_others(m, own, object)))
        status = store_offer(m->store, own, true, id_hash, true, e);
    if (status != STATUS_OK || !came)
        return status; // else its GroupProfile is made here, too
    return group_create(m, name, !span_eq_text(name, GROUP_DISABLED), &group, e);
}

static enum status share_id(struct model *m, const struct hash *own, const struct hash *id_hash, struct error *e)
{
    return access_grant(m, (struct access_target){ACCESS_ID, *id_hash}, own, e);
}

static enum status share_recipe(struct model *m, const struct hash *own, const struct hash *id_hash, bool came,
                                struct error *e)
{
    struct value *recipe;
    struct hash hash;
    bool is_new;
    enum status status = STATUS_OK;
    if (came)
        status = model_current(m, id_hash, "Recipe", &recipe, NULL, e);
    if (status == STATUS_OK && came)
        status = instance_add_recipe(m, recipe, &hash, &is_new, e);
    return status == STATUS_OK ? share_id(m, own, id_hash, e) : status;
}

enum status keeping_notice(struct model *m, const char *type, const struct hash *id_hash, const struct hash *from,
                           struct error *e)
{
    struct hash own;
    bool came = !hash_is_zero(from);
    if (sharing_own_node(m, &own, NULL) != STATUS_OK || (came && !hash_eq(from, &own)))
        return STATUS_OK;
    if (is_grant(type))
        return offer_grant(m, &own, type, id_hash, e);
    if (strcmp(type, "Group") == 0)
        return offer_group(m, &own, id_hash, came, e);
    if (strcmp(type, "Recipe") == 0)
        return share_recipe(m, &own, id_hash, came, e);
    return came || gives_all(m) ? share_id(m, &own, id_hash, e) : STATUS_OK;
}

// ---- Objects and files ----------------------------------------------------------------------------------------------

static enum status share_object(struct model *m, const struct hash *own, const struct hash *hash, struct error *e)
{
    return access_grant(m, (struct access_target){ACCESS_OBJECT, *hash}, own, e);
}

enum status keeping_notice_object(struct model *m, const struct hash *hash, const struct hash *from, struct error *e)
{
    struct hash own;
    if (sharing_own_node(m, &own, NULL) != STATUS_OK || !hash_eq(from, &own))
        return STATUS_OK;
    return share_object(m, &own, hash, e);
}

enum status keeping_object(struct model *m, const struct object *o, struct error *e)
{
    struct hash own;
    if (!gives_all(m) || o->recipe->versioned || sharing_own_node(m, &own, NULL) != STATUS_OK)
        return STATUS_OK; // of versions the hooks take care
    return share_object(m, &own, &o->hash, e);
}

// A file is shown as part of an object only.
enum status keeping_file(struct model *m, const struct hash *file, uint64_t size, struct error *e)
{
    struct hash own;
    struct hash hash;
    if (!gives_all(m) || sharing_own_node(m, &own, NULL) != STATUS_OK)
        return STATUS_OK;
    struct value *descriptor = model_object(m, "BlobDescriptor");
    model_set_hash(m, descriptor, "data", file);
    model_set_number(m, descriptor, "lastModified", 0);
    model_set_text(m, descriptor, "name", span_of(hash_text(file).s));
    model_set_number(m, descriptor, "size", (double)size);
    model_set_text(m, descriptor, "type", SPAN("application/octet-stream"));
    struct object o;
    enum status status = object_make(store_recipes(m->store), m->arena, descriptor, MICRODATA_OBJECT, &o, e);
    bool deleted = status == STATUS_OK && store_is_deleted(m->store, &o.hash);
    if (status == STATUS_OK)
        status = model_put(m, descriptor, &hash, e);
    if (status == STATUS_OK && deleted)
        status = deletion_taken_back(m, &hash, e);
    if (status == STATUS_OK && deleted)
        status = deletion_taken_back(m, file, e);
    return status == STATUS_OK ? share_object(m, &own, &hash, e) : status;
}

// ---- Everything there is --------------------------------------------------------------------------------------------

struct builtin {
    struct model *m;
    struct hash_map *ids;
};

static void add_builtin(struct span name, struct span microdata, void *arg)
{
    struct builtin *b = arg;
    struct value *recipe = model_object(b->m, "Recipe");
    struct hash id;
    (void)microdata;
    model_set_text(b->m, recipe, "name", name);
    if (model_id(b->m, recipe, &id, NULL) == STATUS_OK)
        hash_map_add(b->ids, &id);
}

// What every node has from its beginning; its ids tell without reading it.
static struct hash_map *builtin_recipes(struct model *m)
{
    struct builtin b = {.m = m, .ids = hash_map_create()};
    recipes_each_builtin(false, add_builtin, &b);
    recipes_each_builtin(true, add_builtin, &b);
    return b.ids;
}

static enum status keep_all_of(struct model *m, const char *type, const struct hash_map *but, struct error *e)
{
    const struct hash here = {{0}};
    struct hash_list ids = {0};
    enum status status = store_ids_of_type(m->store, span_of(type), &ids, e);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        if (!hash_map_has(but, &ids.items[i]))
            status = keeping_notice(m, type, &ids.items[i], &here, e);
    }
    hash_list_free(&ids);
    return status;
}

struct finding {
    struct model *m;
    struct hash_list ids;
};

static enum status find_application(const struct hash *hash, const struct store_info *info, void *arg, struct error *e)
{
    struct finding *f = arg;
    struct hash head;
    (void)e;
    if (info->kind == STORE_ID_OBJECT && policy_is_application(span_of(info->type)) &&
        store_head(f->m->store, hash, &head, NULL) == STATUS_OK)
        hash_list_add(&f->ids, hash);
    return STATUS_OK;
}

static enum status keep_applications(struct model *m, struct error *e)
{
    struct hash own;
    struct finding f = {.m = m};
    if (!gives_all(m) || sharing_own_node(m, &own, NULL) != STATUS_OK)
        return STATUS_OK; // once the other node is known, everything is shared
    enum status status = store_each(m->store, find_application, &f, e);
    for (size_t i = 0; status == STATUS_OK && i < f.ids.count; i++)
        status = share_id(m, &own, &f.ids.items[i], e);
    hash_list_free(&f.ids);
    return status;
}

enum status keeping_all(struct model *m, struct error *e)
{
    static const char *const types[] = {"Recipe", "Group", "IdAccess", "Access"};
    struct hash_map *but = builtin_recipes(m);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof types / sizeof *types; i++)
        status = keep_all_of(m, types[i], but, e);
    hash_map_destroy(but);
    return status == STATUS_OK ? keep_applications(m, e) : status;
}

// ---- Whom the other node knows --------------------------------------------------------------------------------------

static bool is_certified_by(struct model *m, const struct hash *version, const struct hash *issuer)
{
    struct hash_list certificates = {0};
    bool found = false;
    if (store_referrers(m->store, version, SPAN("TrustKeysCertificate"), false, &certificates, NULL) != STATUS_OK)
        certificates.count = 0;
    for (size_t i = 0; i < certificates.count && !found; i++)
        found = trust_signed_by(m, &certificates.items[i], issuer, NULL);
    hash_list_free(&certificates);
    return found;
}

static bool has_withdrawn(struct model *m, const struct hash *issuer, const struct hash *person)
{
    struct trust_keys keys;
    bool withdrawn = false;
    if (trust_keys_of(m, person, &keys, NULL) != STATUS_OK)
        return true;
    for (size_t i = 0; i < keys.count && !withdrawn; i++)
        withdrawn = trust_is_withdrawn(m, issuer, person, &keys.items[i].key);
    return withdrawn;
}

bool keeping_knows(struct model *m, const struct hash *person)
{
    struct hash own;
    struct hash profile;
    struct hash head;
    struct hash_list nodes = {0};
    bool found = false;
    if (sharing_own_node(m, &own, NULL) != STATUS_OK || has_withdrawn(m, &own, person) ||
        profile_id_hash(m, SPAN("default"), person, person, &profile, NULL) != STATUS_OK ||
        store_head(m->store, &profile, &head, NULL) != STATUS_OK ||
        version_list(store_versions(m->store), &head, &nodes, NULL) != STATUS_OK)
        nodes.count = 0;
    for (size_t i = 0; i < nodes.count && !found; i++) {
        struct hash data;
        found = version_data(store_versions(m->store), &nodes.items[i], &data, NULL) == STATUS_OK &&
                is_certified_by(m, &data, &own);
    }
    hash_list_free(&nodes);
    return found;
}
