// Control methods that begin topics and change who takes part in them.
#include "models/deletion.h"
#include "models/group.h"
#include "models/names.h"
#include "models/sharing.h"
#include "models/way.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/params.h"

// ---- By way of the archive ------------------------------------------------------------------------------------------

// The installation's groups are the archive's, unless this node's person takes part in one itself.
static bool is_archives(struct node_job *job, struct model *m, const struct topic *topic)
{
    enum way way;
    if (!face_is(job))
        return false;
    if (topic->members != NULL)
        return !members_has(topic->members, &m->self->person);
    return way_into(m, topic, &way, NULL) == STATUS_OK && way == WAY_ARCHIVE; // its statement may come later
}

// The same request for the archive, with the topic's unambiguous name.
static enum status leave_to_archive(struct node_job *job, struct model *m, const struct topic *topic, struct error *e)
{
    struct hash_list persons = {0};
    static const enum ipc_name copied[] = {P_role, P_history, P_name, P_wipe};
    enum status st = node_job_hashes(job, P_persons, &persons, e);
    json_t *list = node_json_hashes(&persons);
    json_t *params = json_pack("{s:o}", "topic", node_json_text(topic_key(m, topic)));
    if (persons.count != 0)
        json_object_set(params, "persons", list);
    json_decref(list);
    hash_list_free(&persons);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
        json_t *value = ipc_request_json(job->request, copied[i]);
        if (value != NULL)
            json_object_set(params, IPC_NAME_TEXTS[copied[i]], value);
    }
    if (st == STATUS_OK)
        return face_defer(job, m, ipc_request_method(job->request), params, e);
    json_decref(params);
    return st;
}

// ---- Beginning ------------------------------------------------------------------------------------------------------

static enum status add_group(struct node_job *job, struct model *m, struct hash_list *persons, struct error *e)
{
    struct hash id;
    struct group group;
    if (ipc_request_text(job->request, P_group) == NULL)
        return STATUS_OK;
    enum status st = node_job_group(job, m, &id, e);
    if (st == STATUS_OK)
        st = group_get(m, &id, &group, e);
    if (st == STATUS_OK)
        hash_list_add_missing(persons, group.persons, group.person_count);
    return st;
}

static enum status open_topic(struct node_job *job, struct model *m, const struct hash_list *persons,
                              struct topic *topic, struct error *e)
{
    struct topic_plan plan = {.name = node_job_text(job, P_name),
                              .id = node_job_text(job, P_id),
                              .history = ipc_request_bool(job->request, P_history, false)};
    bool by_group = ipc_request_text(job->request, P_group) != NULL;
    if (ipc_request_bool(job->request, P_everyone, false))
        return topic_open_everyone(m, topic, e);
    if (persons->count == 1 && plan.name.len == 0 && plan.id.len == 0 && !by_group)
        return topic_open_one_to_one(m, &persons->items[0], topic, e);
    plan.persons = persons->items;
    plan.count = persons->count;
    return topic_create_group(m, &plan, topic, e);
}

static json_t *describe_plan(struct node_job *job, const struct hash_list *persons, struct span id)
{
    json_t *params = json_pack("{s:o, s:b, s:b}", "persons", node_json_hashes(persons), "history",
                               ipc_request_bool(job->request, P_history, false), "everyone",
                               ipc_request_bool(job->request, P_everyone, false));
    if (ipc_request_text(job->request, P_name) != NULL)
        json_object_set_new(params, "name", node_json_text(node_job_text(job, P_name)));
    if (id.len != 0)
        json_object_set_new(params, "id", node_json_text(id));
    return params;
}

static enum status expect_topic(struct node_job *job, struct model *m, const struct hash_list *persons, struct span id,
                                struct topic *topic, struct error *e)
{
    struct hash archive;
    enum status st = sharing_own_node(m, &archive, e);
    if (st != STATUS_OK)
        return st;
    if (id.len != 0)
        return topic_expect(m, id, node_job_text(job, P_name), &archive, topic, e);
    if (ipc_request_bool(job->request, P_everyone, false))
        return topic_open_everyone(m, topic, e); // it is the same for all, and can be written to at once
    topic->id = topic_one_to_one_id(m->arena, &archive, &persons->items[0]);
    return channel_id_hash(m, topic->id, NULL, &topic->channel, e);
}

// Whom this node itself is paired with it can talk to alone; everybody else is the archive's.
static bool all_are_ours(struct model *m, const struct hash_list *persons)
{
    for (size_t i = 0; i < persons->count; i++) {
        enum way way = WAY_NONE;
        if (!sharing_is_own_node(m, &persons->items[i]) &&
            (way_to(m, &persons->items[i], &way, NULL) != STATUS_OK || way != WAY_DIRECT))
            return false;
    }
    return persons->count != 0;
}

static enum status create_by_archive(struct node_job *job, struct model *m, struct hash_list *persons, struct error *e)
{
    struct topic topic = {0};
    bool repeats;
    enum status st = face_repeats(job, m, &repeats, e);
    if (st != STATUS_OK || repeats)
        return st;
    struct span id = node_job_text(job, P_id);
    bool group = id.len != 0 || node_job_text(job, P_name).len != 0 || persons->count != 1;
    if (id.len == 0 && group && !ipc_request_bool(job->request, P_everyone, false))
        id = topic_make_id(m, node_job_text(job, P_name));
    st = expect_topic(job, m, persons, id, &topic, e);
    if (st == STATUS_OK)
        st = face_defer(job, m, "topic.create", describe_plan(job, persons, id), e);
    if (st == STATUS_OK) {
        json_object_set_new(job->result, "topicId", node_json_text(topic.id));
        json_object_set_new(job->result, "channel", node_json_hash(&topic.channel));
    }
    return st;
}

static enum status topic_create(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list persons = {0};
    struct topic topic;
    bool whole = ipc_request_json(job->request, P_persons) == NULL;
    if (whole && !ipc_request_bool(job->request, P_everyone, false) && ipc_request_text(job->request, P_group) == NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "give \"persons\", \"group\" or \"everyone\"");
    if (names_is_like_id(node_job_text(job, P_id)) || names_is_me(node_job_text(job, P_id)))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a person may be meant by this id");
    enum status st = node_job_hashes(job, P_persons, &persons, e);
    if (st == STATUS_OK)
        st = add_group(job, m, &persons, e);
    bool by_archive = st == STATUS_OK && face_is(job) && !all_are_ours(m, &persons);
    if (by_archive)
        st = create_by_archive(job, m, &persons, e);
    else if (st == STATUS_OK)
        st = open_topic(job, m, &persons, &topic, e);
    if (st == STATUS_OK && !by_archive)
        job->result =
            json_pack("{s:o, s:o}", "topicId", node_json_text(topic.id), "channel", node_json_hash(&topic.channel));
    hash_list_free(&persons);
    return st;
}

// ---- Changes --------------------------------------------------------------------------------------------------------

static enum status answer_changed(struct node_job *job, struct model *m, const struct topic *topic, enum status st)
{
    if (st == STATUS_OK)
        job->result = node_topic_show(m, topic);
    return st;
}

static enum status topic_add_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct hash_list persons = {0};
    enum member_role role = MEMBER_WRITER;
    const char *name = ipc_request_text(job->request, P_role);
    enum status st = node_job_group_topic(job, m, &topic, e);
    if (st == STATUS_OK && is_archives(job, m, &topic))
        return leave_to_archive(job, m, &topic, e);
    if (st == STATUS_OK)
        st = node_job_hashes(job, P_persons, &persons, e);
    if (name != NULL)
        (void)member_role_parse(span_of(name), &role);
    for (size_t i = 0; st == STATUS_OK && i < persons.count; i++)
        st = topic_set_role(m, &topic, &persons.items[i], role, ipc_request_bool(job->request, P_history, false), e);
    hash_list_free(&persons);
    return answer_changed(job, m, &topic, st);
}

static enum status topic_remove_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct hash_list persons = {0};
    enum status st = node_job_group_topic(job, m, &topic, e);
    if (st == STATUS_OK && is_archives(job, m, &topic))
        return leave_to_archive(job, m, &topic, e);
    if (st == STATUS_OK)
        st = node_job_hashes(job, P_persons, &persons, e);
    for (size_t i = 0; st == STATUS_OK && i < persons.count; i++)
        st = topic_remove(m, &topic, &persons.items[i], e);
    hash_list_free(&persons);
    return answer_changed(job, m, &topic, st);
}

static enum status topic_rename_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    enum status st = node_job_group_topic(job, m, &topic, e);
    if (st == STATUS_OK && is_archives(job, m, &topic))
        return leave_to_archive(job, m, &topic, e);
    if (st == STATUS_OK)
        st = topic_rename(m, &topic, node_job_text(job, P_name), e);
    return answer_changed(job, m, &topic, st);
}

// Who owns it now and did not before.
static json_t *new_owner(const struct members *before, const struct members *now)
{
    for (size_t i = 0; now != NULL && i < now->count; i++) {
        const struct member *was = members_find(before, &now->items[i].person);
        if (now->items[i].role == MEMBER_OWNER && was != NULL && was->role != MEMBER_OWNER)
            return node_json_hash(&now->items[i].person);
    }
    return json_null();
}

static enum status wipe_topic(struct model *m, const struct topic *topic, struct error *e)
{
    struct hash_list channels = {0};
    enum status st = topic_channels(m, topic, &channels, e);
    if (st == STATUS_OK && !hash_list_has(&channels, &topic->channel))
        hash_list_add(&channels, &topic->channel);
    if (st == STATUS_OK)
        st = deletion_of_channels(m, &channels, e);
    hash_list_free(&channels);
    return st;
}

// Neither by the beginning of an id nor by a name, which others choose.
static bool is_named_whole(struct node_job *job, const struct topic *topic)
{
    struct span text = node_job_text(job, P_topic);
    return span_eq(text, topic->id) || span_eq_text(text, hash_text(&topic->channel).s);
}

static enum status topic_leave_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct members before = {0};
    enum status st = node_job_group_topic(job, m, &topic, e);
    if (st == STATUS_OK && ipc_request_bool(job->request, P_wipe, false) && !is_named_whole(job, &topic))
        return error_set(e, STATUS_INVALID, "BAD-INPUT",
                         "to delete a chat give its whole id, as 'tandem topic list' shows it");
    if (st == STATUS_OK && is_archives(job, m, &topic))
        return leave_to_archive(job, m, &topic, e);
    if (st == STATUS_OK && topic.members != NULL)
        before = members_copy(m, topic.members);
    if (st == STATUS_OK)
        st = topic_leave(m, &topic, e);
    if (st == STATUS_OK && ipc_request_bool(job->request, P_wipe, false))
        st = wipe_topic(m, &topic, e);
    st = answer_changed(job, m, &topic, st);
    if (st == STATUS_OK)
        json_object_set_new(job->result, "newOwner", new_owner(&before, topic.members));
    return st;
}

// What who is removed had not got has failed.
static void tell_deliveries(struct node_job *job)
{
    deliveries_changed(job->node->deliveries);
}

const struct node_method NODE_METHODS_TOPICS_CHANGE[] = {
    {"topic.create", topic_create, NULL},
    {"topic.add", topic_add_work, NULL},
    {"topic.remove", topic_remove_work, tell_deliveries},
    {"topic.rename", topic_rename_work, NULL},
    {"topic.leave", topic_leave_work, NULL},
    {NULL, NULL, NULL},
};
