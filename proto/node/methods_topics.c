// Control methods on topics themselves: who takes part, what they are called. What is said in them is in
// methods_chat.c.
#include "models/access.h"
#include "models/topic.h"
#include "node/methods.h"

static json_t *topic_persons(struct model *m, const struct topic *topic)
{
    json_t *persons = json_array();
    struct hash one;
    struct hash two;
    if (topic_is_one_to_one(topic->id, &one, &two)) {
        json_array_append_new(persons, node_json_hash(&one));
        json_array_append_new(persons, node_json_hash(&two));
        return persons;
    }
    struct hash_list list = {0};
    struct access_target target = {ACCESS_OBJECT, topic->hash};
    if (access_persons(m, target, &list, NULL) == STATUS_OK) {
        for (size_t i = 0; i < list.count; i++)
            json_array_append_new(persons, node_json_hash(&list.items[i]));
    }
    hash_list_free(&list);
    return persons;
}

static enum status topic_list_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topics topics = {0};
    enum status st = topic_list(m, &topics, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < topics.count; i++) {
        const struct topic *t = &topics.items[i];
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o}", "topicId", node_json_text(t->id), "name",
                                               node_json_name(t->name), "channel", node_json_hash(&t->channel),
                                               "persons", topic_persons(m, t)));
    }
    node_job_page(job, items);
    return STATUS_OK;
}

static enum status open_topic(struct node_job *job, struct model *m, const struct hash_list *persons,
                              struct topic *topic, struct error *e)
{
    struct span name = node_job_text(job, "name");
    struct hash group;
    bool by_group = ipc_request_text(job->request, "group") != NULL;
    if (ipc_request_bool(job->request, "everyone", false))
        return topic_open_everyone(m, topic, e);
    if (persons->count == 1 && name.len == 0 && !by_group)
        return topic_open_one_to_one(m, &persons->items[0], topic, e);
    enum status st = by_group ? node_job_group(job, m, &group, e) : STATUS_OK;
    if (st == STATUS_OK)
        st = topic_create_group(m, name, (struct span){0}, persons->items, persons->count, topic, e);
    return st == STATUS_OK && by_group ? topic_add_group(m, topic, &group, e) : st;
}

static enum status topic_create(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list persons = {0};
    struct topic topic;
    bool whole = json_object_get(ipc_request_params(job->request), "persons") == NULL;
    if (whole && !ipc_request_bool(job->request, "everyone", false) && ipc_request_text(job->request, "group") == NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "give \"persons\", \"group\" or \"everyone\"");
    enum status st = node_job_hashes(job, "persons", &persons, e);
    if (st == STATUS_OK)
        st = open_topic(job, m, &persons, &topic, e);
    if (st == STATUS_OK)
        job->result =
            json_pack("{s:o, s:o}", "topicId", node_json_text(topic.id), "channel", node_json_hash(&topic.channel));
    hash_list_free(&persons);
    return st;
}

const struct node_method NODE_METHODS_TOPICS[] = {
    {"topic.create", topic_create, NULL},
    {"topic.list", topic_list_work, NULL},
    {NULL, NULL, NULL},
};
