// Control methods on our profile and on groups: profile.*, group.*.
#include <string.h>

#include "data/jsonform.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/names.h"
#include "models/profile.h"
#include "models/sharing.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/params.h"

// ---- Profiles ------------------------------------------------------------------------------------------------------

static json_t *show_linked(struct model *m, const struct hash_list *hashes)
{
    json_t *list = json_array();
    for (size_t i = 0; i < hashes->count; i++) {
        struct object o;
        if (store_get_object(m->store, &hashes->items[i], m->arena, &o, NULL) != STATUS_OK)
            continue;
        json_t *item = json_pack("{s:o, s:o}", "type", node_json_text(o.recipe->name), "hash", node_json_hash(&o.hash));
        for (size_t k = 0; k < o.value->object.count; k++) {
            const struct value_member *member = &o.value->object.members[k];
            char *name = mem_text(member->name);
            if (member->value->kind == VALUE_STRING)
                json_object_set_new(item, name, node_json_name(member->value->string));
            else if (member->value->kind == VALUE_NUMBER)
                json_object_set_new(item, name, jsonform_write(member->value));
            free(name);
        }
        json_array_append_new(list, item);
    }
    return list;
}

static enum status show_profile(struct node_job *job, struct model *m, const struct hash *id_hash, struct error *e)
{
    struct profile p = {0};
    struct span name;
    struct span email;
    enum status st = profile_load(m, id_hash, &p, e);
    if (st == STATUS_OK)
        st = profile_name_of(m, &p.person, &name, e);
    if (st == STATUS_OK)
        st = profile_email_of(m, &p.person, &email, e);
    if (st == STATUS_OK)
        job->result =
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "personId", node_json_hash(&p.person), "profileId",
                      node_json_text(p.profile_id), "profile", node_json_hash(&p.id_hash), "name", node_json_name(name),
                      "email", node_json_text(email), "owner", node_json_hash(&p.owner), "descriptions",
                      show_linked(m, &p.descriptions), "endpoints", show_linked(m, &p.endpoints));
    profile_free(&p);
    return st;
}

static enum status main_profile_of(struct model *m, const struct hash *person, struct hash *id_hash, struct error *e)
{
    if (hash_eq(person, &m->self->person))
        return profile_own(m, id_hash, e);
    return profile_id_hash(m, SPAN("default"), person, person, id_hash, e);
}

static enum status profile_get_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash person = m->self->person;
    struct hash id_hash;
    bool given;
    enum status st = node_job_optional_hash(job, P_person, &person, &given, e);
    if (st == STATUS_OK)
        st = main_profile_of(m, &person, &id_hash, e);
    return st == STATUS_OK ? show_profile(job, m, &id_hash, e) : st;
}

// What profile.set changes: a parameter, and the object it becomes.
struct described {
    enum ipc_name param;
    const char *type;
    const char *member;
};

static enum status make_description(struct node_job *job, const struct described *d, struct span text,
                                    struct value *object, struct error *e)
{
    struct model *m = &job->model;
    bool archive = job->node->kind->program == WALL_ARCHIVE;
    struct hash file;
    if (strcmp(d->type, "ProfileImage") != 0) {
        model_set_text(m, object, d->member, text);
    } else {
        if (!hash_parse(text, &file))
            return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no such file for the %s",
                             IPC_NAME_TEXTS[d->param]);
        if (store_presence(m->store, &file) == STORE_ABSENT) // the archive fetches what the sparse node left to it
            return error_set(e, STATUS_NOT_FOUND, archive ? "BLOB-UNAVAILABLE" : "NOT-FOUND",
                             "the file for the %s is not here", IPC_NAME_TEXTS[d->param]);
        model_set_hash(m, object, d->member, &file);
    }
    if (strcmp(d->type, "PersonStatus") == 0) {
        model_set_number(m, object, "timestamp", (double)m->now_ms);
        model_set_text(m, object, "location", SPAN(""));
    }
    return STATUS_OK;
}

static enum status describe(struct node_job *job, struct model *m, const struct described *d, struct span text,
                            struct error *e)
{
    struct value *object = model_object(m, d->type);
    if (text.len == 0)
        return profile_describe(m, d->type, NULL, e);
    enum status st = make_description(job, d, text, object, e);
    return st == STATUS_OK ? profile_describe(m, d->type, object, e) : st;
}

// The archive's profile, which is what the world sees, says the same. Nobody has to wait for that.
static enum status tell_archive(struct node_job *job, struct model *m, struct error *e)
{
    static const enum ipc_name all[] = {P_name, P_status, P_organisation, P_image, P_mail, P_phone};
    json_t *params = json_object();
    struct hash archive;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (ipc_request_text(job->request, all[i]) != NULL)
            json_object_set_new(params, IPC_NAME_TEXTS[all[i]], node_json_text(node_job_text(job, all[i])));
    if (!face_is(job) || sharing_own_node(m, &archive, NULL) != STATUS_OK || json_object_size(params) == 0) {
        json_decref(params);
        return STATUS_OK;
    }
    enum status st = face_defer(job, m, "profile.set", params, e);
    json_decref(job->result);
    job->result = NULL;
    job->intent.waits = false;
    job->intent.deferred = false;
    return st;
}

static enum status profile_set_work(struct node_job *job, struct model *m, struct error *e)
{
    static const struct described all[] = {{P_status, "PersonStatus", "value"},
                                           {P_organisation, "OrganisationName", "name"},
                                           {P_image, "ProfileImage", "image"},
                                           {P_mail, "Email", "email"},
                                           {P_phone, "PhoneNumber", "number"}};
    struct hash id_hash;
    enum status st = STATUS_OK;
    if (ipc_request_text(job->request, P_name) != NULL)
        st = profile_set_name(m, node_job_text(job, P_name), e);
    for (size_t i = 0; st == STATUS_OK && i < sizeof all / sizeof *all; i++)
        if (ipc_request_text(job->request, all[i].param) != NULL)
            st = describe(job, m, &all[i], node_job_text(job, all[i].param), e);
    if (st == STATUS_OK)
        st = tell_archive(job, m, e);
    if (st == STATUS_OK)
        st = profile_own(m, &id_hash, e);
    return st == STATUS_OK ? show_profile(job, m, &id_hash, e) : st;
}

// ---- Groups --------------------------------------------------------------------------------------------------------

static enum status no_group(struct span text, struct error *e)
{
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no group '%.*s'", (int)text.len, text.ptr);
}

enum status node_job_group(struct node_job *job, struct model *m, struct hash *id_hash, struct error *e)
{
    struct span text = node_job_text(job, P_group);
    struct group g;
    enum status st = group_id(m, text, id_hash, e);
    if (st == STATUS_OK && group_get(m, id_hash, &g, NULL) == STATUS_OK)
        return STATUS_OK;
    if (st == STATUS_OK)
        st = names_complete(m, text, id_hash, e);
    if (st == STATUS_INVALID || st == STATUS_NOT_FOUND)
        return no_group(text, e);
    return st == STATUS_OK && group_get(m, id_hash, &g, NULL) != STATUS_OK ? no_group(text, e) : st;
}

// A group is its name: who makes it twice would put the persons of the second into the first.
static enum status check_new(struct model *m, struct span name, struct error *e)
{
    struct hash id_hash;
    struct group there;
    if (group_id(m, name, &id_hash, NULL) != STATUS_OK || group_get(m, &id_hash, &there, NULL) != STATUS_OK)
        return STATUS_OK;
    return error_set(e, STATUS_EXISTS, "EXISTS",
                     "there is a group '%.*s' (%.12s) already; 'tandem group add' puts somebody into it", (int)name.len,
                     name.ptr, hash_text(&id_hash).s);
}

static enum status group_create_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list persons = {0};
    struct hash id_hash;
    enum status st = node_job_hashes(job, P_persons, &persons, e);
    if (st == STATUS_OK)
        st = check_new(m, node_job_text(job, P_name), e);
    if (st == STATUS_OK)
        st = group_create(m, node_job_text(job, P_name), true, &id_hash, e);
    if (st == STATUS_OK && persons.count != 0)
        st = group_add(m, &id_hash, persons.items, persons.count, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o}", "groupId", node_json_hash(&id_hash));
    hash_list_free(&persons);
    return st;
}

static enum status group_list_work(struct node_job *job, struct model *m, struct error *e)
{
    struct groups groups = {0};
    enum status st = group_list(m, &groups, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < groups.count; i++) {
        const struct group *g = &groups.items[i];
        json_t *persons = json_array();
        for (size_t k = 0; k < g->person_count; k++)
            json_array_append_new(persons, node_json_hash(&g->persons[k]));
        json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "groupId", node_json_hash(&g->id_hash), "name",
                                               node_json_text(g->name), "persons", persons));
    }
    node_job_page(job, items);
    return STATUS_OK;
}

static enum status find_member(struct node_job *job, struct model *m, struct hash *group, struct hash *person,
                               struct error *e)
{
    enum status st = node_job_group(job, m, group, e);
    return st == STATUS_OK ? node_job_hash(job, P_person, person, e) : st;
}

static enum status group_add_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash group;
    struct hash person;
    enum status st = find_member(job, m, &group, &person, e);
    return st == STATUS_OK ? group_add(m, &group, &person, 1, e) : st;
}

static enum status group_remove_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash group;
    struct hash person;
    enum status st = find_member(job, m, &group, &person, e);
    return st == STATUS_OK ? group_remove(m, &group, &person, e) : st;
}

const struct node_method NODE_METHODS_PEOPLE[] = {
    {"profile.get", profile_get_work, NULL},
    {"profile.set", profile_set_work, NULL},
    {"group.create", group_create_work, NULL},
    {"group.list", group_list_work, NULL},
    {"group.add", group_add_work, NULL},
    {"group.remove", group_remove_work, NULL},
    {NULL, NULL, NULL},
};
