// Control methods that delete what was said or stored: chat.delete, object.delete. The bytes go later: sweeper.c.
#include "models/chat.h"
#include "models/deletion.h"
#include "models/way.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/params.h"
#include "store/outbox.h"

static enum status answer(struct node_job *job, enum status st, size_t count, bool more)
{
    if (st == STATUS_OK)
        job->result = json_pack("{s:I, s:b}", "deleted", (json_int_t)count, "more", (int)more);
    return st;
}

static enum status delete_one(struct node_job *job, struct model *m, const struct hash *message, struct error *e)
{
    struct hash_list ids = {0};
    size_t count = 0;
    hash_list_add(&ids, message);
    enum status st = deletion_of_messages(m, &ids, &count, e);
    hash_list_free(&ids);
    return answer(job, st, count, false);
}

static enum status delete_newest(struct node_job *job, struct model *m, const struct hash_list *channels,
                                 struct error *e)
{
    size_t count = 0;
    bool more = false;
    bool goes_on;
    struct hash before;
    struct hash last = {{0}};
    enum status st = node_job_optional_hash(job, P_before, &before, &goes_on, e);
    if (st == STATUS_OK)
        st = deletion_of_newest(m, channels, goes_on ? &before : NULL, &count, &more, &last, e);
    st = answer(job, st, count, more);
    if (st == STATUS_OK && more)
        json_object_set_new(job->result, "next", node_json_hash(&last));
    return st;
}

static enum status delete_with(struct node_job *job, struct model *m, struct error *e)
{
    struct hash with;
    struct way_topics topics;
    struct hash_list channels = {0};
    enum status st = node_job_hash(job, P_with, &with, e);
    if (st == STATUS_OK)
        st = way_conversation(m, &with, &topics, e);
    if (st == STATUS_OK)
        st = way_channels(m, topics.items, topics.count, &channels, e);
    if (st == STATUS_OK)
        st = delete_newest(job, m, &channels, e);
    hash_list_free(&channels);
    return st;
}

static enum status delete_in(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct hash_list channels = {0};
    enum status st = node_job_topic_or_person(job, m, &topic, P_with, e);
    if (st == STATUS_OK && ipc_request_text(job->request, P_with) != NULL)
        return delete_with(job, m, e);
    if (st == STATUS_OK)
        st = topic_channels(m, &topic, &channels, e);
    if (st == STATUS_OK)
        st = delete_newest(job, m, &channels, e);
    hash_list_free(&channels);
    return st;
}

static enum status chat_delete(struct node_job *job, struct model *m, struct error *e)
{
    struct hash message;
    bool one;
    bool with = node_job_text(job, P_with).len != 0;
    bool topic = node_job_text(job, P_topic).len != 0;
    enum status st = node_job_optional_hash(job, P_message, &message, &one, e);
    if (st == STATUS_OK && one + with + topic != 1)
        st = error_set(e, STATUS_INVALID, "BAD-PARAMS", "give \"message\", \"with\" or \"topic\"");
    if (st != STATUS_OK)
        return st;
    job->subject = one ? message : (struct hash){{0}};
    if (one)
        return delete_one(job, m, &message, e);
    return with ? delete_with(job, m, e) : delete_in(job, m, e);
}

static void tell_deleted(struct node_job *job)
{
    json_t *count = json_object_get(job->result, "deleted");
    if (json_integer_value(count) != 0)
        node_tell(job->node, "chat.deleted",
                  json_pack("{s:O, s:o*}", "deleted", count, "id",
                            hash_is_zero(&job->subject) ? NULL : node_json_hash(&job->subject)));
    followers_wake(job->node->followers);
}

static enum status object_delete(struct node_job *job, struct model *m, struct error *e)
{
    enum status st = node_job_hash(job, P_hash, &job->subject, e);
    return st == STATUS_OK ? deletion_of_object(m, &job->subject, e) : st;
}

static void tell_object(struct node_job *job)
{
    node_tell(job->node, "object.deleted", json_pack("{s:o}", "hash", node_json_hash(&job->subject)));
}

const struct node_method NODE_METHODS_DELETION[] = {
    {"chat.delete", chat_delete, tell_deleted},
    {"object.delete", object_delete, tell_object},
    {NULL, NULL, NULL},
};
