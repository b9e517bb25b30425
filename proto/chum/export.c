// Two decide what is offered: the store, to whom it was granted, and the policy, whether it is anybody's business at
// all (chum_serves). Answers are written at once as the inside of a JSON string, so that a long list is in memory once.
// Whoever is shown a version node may ask for the node, and not for the id it belongs to.
#include "chum/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "chum/lists.h"

// ---- Roots ---------------------------------------------------------------------------------------------------------

struct listing {
    struct store *store;
    const struct chum_policy *policy;
    const struct hash *person;
    struct buf *text;
    struct hash_list *shown;
    bool any;
    struct hash asked; // the id the policy was asked about last, and what it said
    bool served;
};

bool chum_serves(const struct chum_policy *policy, struct store *s, const struct hash *person, struct span fragment,
                 const struct hash *what)
{
    struct store_info info;
    if (policy == NULL || policy->serves == NULL)
        return true;
    struct span type = store_root_type(fragment);
    if (type.len == 0 && store_info(s, what, &info, NULL) != STATUS_OK)
        return false;
    return policy->serves(policy->ctx, s, person, type.len != 0 ? type : span_of(info.type), what);
}

// An id and its versions come one after the other.
static bool serves(struct listing *l, struct span fragment, const struct hash *hash, const struct hash *id_hash)
{
    if (id_hash == NULL)
        return chum_serves(l->policy, l->store, l->person, fragment, hash);
    if (!hash_eq(id_hash, &l->asked)) {
        l->asked = *id_hash;
        l->served = chum_serves(l->policy, l->store, l->person, fragment, id_hash);
    }
    return l->served;
}

static enum status list_root(struct span fragment, const struct hash *hash, const struct hash *id_hash, void *arg)
{
    struct listing *l = arg;
    if (!serves(l, fragment, hash, id_hash))
        return STATUS_OK;
    if (l->any)
        buf_add_char(l->text, ',');
    l->any = true;
    text_add_json_part(fragment, l->text);
    bool is_version_node = span_starts_with(fragment, SPAN("{\"type\":\"version_node\""));
    if (hash != NULL)
        hash_list_add(l->shown, hash);
    if (id_hash != NULL && !is_version_node)
        hash_list_add(l->shown, id_hash);
    return STATUS_OK;
}

bool chum_is_own(const struct chum_policy *policy, struct store *s, const struct hash *person)
{
    return policy != NULL && policy->is_own != NULL && policy->is_own(policy->ctx, s, person);
}

static enum status export_roots(struct store *s, const struct chum_policy *policy, const struct hash *person,
                                struct buf *text, struct hash_list *shown, struct error *e)
{
    struct listing l = {.store = s, .policy = policy, .person = person, .text = text, .shown = shown};
    uint64_t skipped;
    buf_add_char(text, '[');
    enum status st = chum_is_own(policy, s, person) ? store_roots_own(s, person, list_root, &l, &skipped, e)
                                                    : store_roots_offered(s, person, list_root, &l, &skipped, e);
    buf_add_char(text, ']');
    return st;
}

static enum status check_form(const struct store_info *info, enum chum_service service, const struct hash *hash,
                              struct error *e)
{
    bool wants_id = service == CHUM_GET_ID_OBJECT || service == CHUM_GET_ID_OBJECT_CHILDREN;
    bool is_right = info->kind == (wants_id ? STORE_ID_OBJECT : STORE_OBJECT);
    if (is_right)
        return STATUS_OK;
    if (service == CHUM_GET_OBJECT)
        return error_set(e, STATUS_INVALID, "CES-GO2", "%s is not an object", hash_text(hash).s);
    if (service == CHUM_GET_ID_OBJECT)
        return error_set(e, STATUS_INVALID, "CES-GIDO2", "%s is not an id object", hash_text(hash).s);
    return error_set(e, STATUS_INVALID, "M2O-PH1", "%s is not %s", hash_text(hash).s,
                     wants_id ? "an id object" : "an object");
}

static enum status export_children(struct store *s, const struct hash *hash, struct buf *text, struct hash_list *shown,
                                   struct error *e)
{
    struct store_children children = {0};
    enum status st = store_children(s, hash, &children, e);
    if (st != STATUS_OK)
        return st;
    struct buf entry = {0};
    buf_add_char(text, '[');
    for (size_t i = 0; i < children.count; i++) { // one by one: a long list is in memory once
        buf_clear(&entry);
        chum_child_write(&children.items[i], &entry);
        if (i != 0)
            buf_add_char(text, ',');
        text_add_json_part(buf_span(&entry), text);
        hash_list_add(shown, &children.items[i].hash);
    }
    buf_add_char(text, ']');
    buf_free(&entry);
    free(children.items);
    return STATUS_OK;
}

static enum status export_text(struct store *s, const struct hash *hash, struct buf *text, struct error *e)
{
    struct arena *arena = arena_create();
    struct span microdata;
    enum status st = store_get(s, hash, arena, &microdata, e);
    if (st == STATUS_OK)
        text_add_json_part(microdata, text);
    arena_destroy(arena);
    return st;
}

enum status chum_export(struct store *s, const struct chum_policy *policy, const struct hash *person,
                        enum chum_service service, const struct hash *hash, struct buf *text, struct hash_list *shown,
                        struct error *e)
{
    if (service == CHUM_GET_ACCESSIBLE_ROOTS)
        return export_roots(s, policy, person, text, shown, e);
    struct store_info info;
    enum status st = store_info(s, hash, &info, e);
    if (st == STATUS_OK)
        st = check_form(&info, service, hash, e);
    if (st == STATUS_NOT_FOUND)
        return error_set(e, st, "SB-READ2", "File not found: %s", hash_text(hash).s);
    if (st != STATUS_OK)
        return st;
    if (service == CHUM_GET_OBJECT || service == CHUM_GET_ID_OBJECT)
        return export_text(s, hash, text, e);
    return export_children(s, hash, text, shown, e);
}
