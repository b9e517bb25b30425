// Control methods that show topics: which there are, who takes part, what they are called, how much is unread. What is
// said in them is in methods_chat.c, how they begin and change in methods_topics_change.c.
#include <stdlib.h>

#include "models/names.h"
#include "models/profile.h"
#include "models/readstate.h"
#include "models/selves.h"
#include "models/way.h"
#include "node/author.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node.h"
#include "node/page.h"
#include "node/params.h"
#include "node/speaker.h"

enum { SHORT_ID = 12 };

enum status node_job_topic(struct node_job *job, struct model *m, struct topic *topic, struct error *e)
{
    return topic_named(m, node_job_text(job, P_topic), topic, e);
}

// The beginning of a person's id may be that of several topics' ids.
static bool may_be_person(struct model *m, struct span text, enum status why)
{
    struct hash id;
    return why == STATUS_NOT_FOUND || (why == STATUS_REFUSED && names_complete(m, text, &id, NULL) == STATUS_OK);
}

// The id of a conversation with somebody; it may still be to come from the archive.
static bool is_pair(struct model *m, struct span text, struct hash *person)
{
    struct hash pair[2];
    if (!topic_is_one_to_one(text, &pair[0], &pair[1]) || way_is_self(m, &pair[0]) == way_is_self(m, &pair[1]))
        return false;
    *person = way_is_self(m, &pair[0]) ? pair[1] : pair[0];
    return true;
}

// Its whole id, which nobody else chose and which is no person's.
static bool is_its_id(struct model *m, struct span text, const struct topic *topic)
{
    struct hash owner;
    bool is_ours = topic->kind != TOPIC_GROUP ||
                   (channel_owner(m, &topic->channel, &owner) == STATUS_OK && selves_is_ours(m, &owner));
    return span_eq(text, topic->id) && is_ours && !names_is_like_id(text);
}

static enum status either(struct span text, const struct topic *topic, const struct hash *person, struct error *e)
{
    return error_set(e, STATUS_REFUSED, "AMBIGUOUS-ID",
                     "the chat " SPAN_FMT " (%.12s) and the person %s may be meant by " SPAN_FMT, SPAN_ARG(topic->id),
                     hash_text(&topic->channel).s, hash_text(person).s, SPAN_ARG(text));
}

// Others choose what their groups are called, also as somebody else is: then neither is meant. The whole id of a person
// is the person's. *person: who is meant and not the topic.
static enum status tell_apart(struct node_job *job, struct model *m, const struct topic *topic, struct hash *person,
                              bool *is_person, struct error *e)
{
    struct hash whole;
    struct span text = node_job_text(job, P_topic);
    *is_person = false;
    if (is_its_id(m, text, topic))
        return STATUS_OK;
    enum status st = names_find(m, text, person, e);
    if (st == STATUS_REFUSED)
        return st;
    error_clear(e);
    if (st != STATUS_OK || !names_is_person(m, person) || face_is_self(job, m, person) || topic_is_with(topic, person))
        return STATUS_OK;
    *is_person = hash_parse(text, &whole);
    return *is_person ? STATUS_OK : either(text, topic, person, e);
}

// Of several that may be meant all are conversations with the person.
static enum status none_besides(struct model *m, struct span text, const struct hash *person, struct error *e)
{
    struct topic other;
    enum status st = hash_parse(text, &other.hash) ? STATUS_NOT_FOUND : topic_named_besides(m, text, person, &other, e);
    if (st != STATUS_NOT_FOUND)
        return st == STATUS_OK ? either(text, &other, person, e) : st;
    error_clear(e);
    return STATUS_OK;
}

static void mean_person(struct node_job *job, enum ipc_name param, const struct hash *person)
{
    ipc_request_set(job->request, param, node_json_hash(person));
}

static enum status find_person(struct node_job *job, struct model *m, enum ipc_name param, enum status st,
                               struct error *e)
{
    struct hash person;
    struct error why = {0};
    struct span text = node_job_text(job, P_topic);
    if (!may_be_person(m, text, st))
        return st;
    enum status found = is_pair(m, text, &person) ? STATUS_OK : names_find(m, text, &person, &why);
    if (found == STATUS_OK && st == STATUS_REFUSED)
        found = none_besides(m, text, &person, &why);
    if (found == STATUS_OK) {
        mean_person(job, param, &person);
        error_clear(e);
    } else if (found == STATUS_REFUSED && e != NULL) {
        *e = why;
    }
    return found == STATUS_OK || found == STATUS_REFUSED ? found : st;
}

enum status node_job_topic_or_person(struct node_job *job, struct model *m, struct topic *topic, enum ipc_name param,
                                     struct error *e)
{
    struct hash person;
    bool is_person;
    if (names_is_me(node_job_text(job, P_topic))) {
        mean_person(job, param, &m->self->person);
        return STATUS_OK;
    }
    enum status st = node_job_topic(job, m, topic, e);
    if (st != STATUS_OK)
        return find_person(job, m, param, st, e);
    st = tell_apart(job, m, topic, &person, &is_person, e);
    if (st == STATUS_OK && (is_person || (face_is(job) && is_pair(m, topic->id, &person))))
        mean_person(job, param, &person);
    return st;
}

// Of what both own nodes say with a person, what is said for the installation.
static enum status pick_conversation(struct model *m, const struct hash *person, struct topic *topic, struct error *e)
{
    struct hash voice;
    struct way_topics all;
    enum status st = way_conversation(m, person, &all, e);
    if (st == STATUS_OK && all.count == 0)
        st = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "nothing was said with %.12s yet", hash_text(person).s);
    if (st != STATUS_OK)
        return st;
    *topic = all.items[0];
    for (size_t i = 1; i < all.count && way_voice(m, &voice, NULL) == STATUS_OK; i++)
        if (topic_is_with(&all.items[i], &voice))
            *topic = all.items[i];
    return STATUS_OK;
}

enum status node_job_conversation(struct node_job *job, struct model *m, struct topic *topic, struct error *e)
{
    struct hash person;
    bool is_person;
    enum status st = node_job_topic_or_person(job, m, topic, P_with, e);
    if (st == STATUS_OK)
        st = node_job_optional_hash(job, P_with, &person, &is_person, e);
    return st == STATUS_OK && is_person ? pick_conversation(m, &person, topic, e) : st;
}

enum status node_job_group_topic(struct node_job *job, struct model *m, struct topic *topic, struct error *e)
{
    enum status st = node_job_conversation(job, m, topic, e);
    if (st == STATUS_OK && topic->kind == TOPIC_ONE_TO_ONE)
        return error_set(e, STATUS_REFUSED, "REFUSED",
                         "that is the conversation with one person, in which nobody else takes part; 'tandem topic "
                         "create' begins a group");
    return st;
}

// ---- Showing --------------------------------------------------------------------------------------------------------

static json_t *show_pair(const struct topic *topic)
{
    struct hash pair[2];
    json_t *list = json_array();
    topic_is_one_to_one(topic->id, &pair[0], &pair[1]);
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        json_array_append_new(list, json_pack("{s:o, s:s}", "personId", node_json_hash(&pair[i]), "role",
                                              member_role_name(MEMBER_WRITER)));
    return list;
}

static json_t *show_members(const struct topic *topic)
{
    json_t *list = json_array();
    for (size_t i = 0; topic->members != NULL && i < topic->members->count; i++) {
        const struct member *one = &topic->members->items[i];
        if (one->role != MEMBER_GONE)
            json_array_append_new(list, json_pack("{s:o, s:s}", "personId", node_json_hash(&one->person), "role",
                                                  member_role_name(one->role)));
    }
    return list;
}

static json_t *topic_persons(struct model *m, const struct topic *topic)
{
    struct hash_list list = {0};
    struct hash pair[2];
    if (topic_is_one_to_one(topic->id, &pair[0], &pair[1])) {
        hash_list_add(&list, &pair[0]);
        hash_list_add(&list, &pair[1]);
    } else if (topic_persons_of(m, topic, &list, NULL) != STATUS_OK) {
        list.count = 0;
    }
    json_t *persons = node_json_hashes(&list);
    hash_list_free(&list);
    return persons;
}

// Of a conversation of two: who is not us, or else not this node.
static bool other_of(struct model *m, const struct topic *t, struct hash *other)
{
    struct hash pair[2];
    if (!topic_is_one_to_one(t->id, &pair[0], &pair[1]))
        return false;
    bool first =
        hash_eq(&pair[1], &m->self->person) || (selves_is_ours(m, &pair[1]) && !hash_eq(&pair[0], &m->self->person));
    *other = first ? pair[0] : pair[1];
    return true;
}

json_t *node_topic_name(struct model *m, const struct topic *topic)
{
    struct hash other;
    struct span name = {0};
    if (!other_of(m, topic, &other))
        return node_json_name(topic->name);
    if (names_local(m, &other, &name, NULL) != STATUS_OK || name.len == 0)
        (void)profile_name_of(m, &other, &name, NULL);
    return name.len != 0 ? node_json_name(name) : json_pack("s%", hash_text(&other).s, (size_t)SHORT_ID);
}

json_t *node_topic_show(struct model *m, const struct topic *t)
{
    struct hash other = {{0}};
    (void)other_of(m, t, &other);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "topicId", node_json_text(t->id), "identity",
                     node_json_hash(&m->self->person), "name", node_topic_name(m, t), "channel",
                     node_json_hash(&t->channel), "with", node_json_hash(&other), "persons", topic_persons(m, t),
                     "members", show_members(t));
}

// With "as" only those of that identity; else each as the identity sees it whose it is.
static void keep_wanted(struct node_job *job, struct model *m, const struct selves *further, struct topics *topics)
{
    struct model main = *m;
    main.self = node_self(job->node);
    bool all = ipc_request_text(job->request, P_as) == NULL;
    size_t kept = 0;
    for (size_t i = 0; i < topics->count; i++) {
        const struct identity *of = speaker_of_topic(&main, further, &topics->items[i]);
        bool is_its = job->speaker != NULL ? speaker_takes_part(m, &topics->items[i], &m->self->person) : of == NULL;
        if (all || is_its)
            topics->items[kept++] = topics->items[i];
    }
    topics->count = kept;
}

enum status node_job_topics(struct node_job *job, struct model *m, struct topics *out, struct error *e)
{
    struct selves further = {0};
    enum status st = topic_list(m, out, e);
    if (st == STATUS_OK)
        st = node_job_identities(job, m, &further, e);
    if (st == STATUS_OK)
        keep_wanted(job, m, &further, out);
    selves_free(&further);
    return st;
}

static json_t *show_as(struct node_job *job, const struct model *m, const struct selves *further,
                       const struct topic *topic)
{
    struct model as_it = *m;
    as_it.self = node_self(job->node);
    const struct identity *of = speaker_of_topic(&as_it, further, topic);
    as_it.self = job->speaker != NULL ? job->speaker : of != NULL ? of : as_it.self;
    return node_topic_show(&as_it, topic);
}

// Of the installation's two conversations with somebody the one that goes on.
static bool is_the_way(struct model *m, const struct topic *t, const struct hash *other)
{
    struct hash pair[2];
    enum way way = WAY_NONE;
    bool ours = topic_is_one_to_one(t->id, &pair[0], &pair[1]) &&
                (hash_eq(&pair[0], &m->self->person) || hash_eq(&pair[1], &m->self->person));
    return way_to(m, other, &way, NULL) == STATUS_OK && (way == WAY_DIRECT) == ours;
}

static bool with_person(struct model *m, const struct topic *t, struct hash *other)
{
    struct hash pair[2];
    bool ours = topic_is_one_to_one(t->id, &pair[0], &pair[1]) &&
                (way_is_self(m, &pair[0]) || way_is_self(m, &pair[1])); // and not a further identity's
    return ours && other_of(m, t, other) && !way_is_self(m, other);
}

// For the installation what either own node says with a person is one conversation.
static void join_pairs(struct model *m, struct topics *topics)
{
    struct hash other;
    struct hash_map *seen = hash_map_create();
    size_t left = 0;
    for (size_t i = 0; i < topics->count; i++) {
        bool pair = with_person(m, &topics->items[i], &other);
        struct topic *first = pair ? hash_map_get(seen, &other) : NULL;
        if (first == NULL) {
            topics->items[left] = topics->items[i];
            if (pair)
                hash_map_set(seen, &other, &topics->items[left]);
            left++;
        } else if (is_the_way(m, &topics->items[i], &other)) {
            *first = topics->items[i];
        }
    }
    topics->count = left;
    hash_map_destroy(seen);
}

static enum status readstate_of(struct node_job *job, struct model *m, const struct topic *topic, struct readstate *r,
                                struct error *e)
{
    struct hash other;
    struct way_topics both;
    if (!face_is(job) || !with_person(m, topic, &other))
        return readstate_get(m, topic, 1, r, e);
    enum status st = way_conversation(m, &other, &both, e);
    return st == STATUS_OK ? readstate_get(m, both.items, both.count, r, e) : st;
}

static enum status add_readstate(struct node_job *job, struct model *m, const struct topic *topic, json_t *shown,
                                 struct error *e)
{
    struct readstate r;
    enum status st = readstate_of(job, m, topic, &r, e);
    if (st != STATUS_OK)
        return st;
    json_object_set_new(shown, "unread", json_integer((json_int_t)r.unread));
    if (r.has_last)
        json_object_set_new(shown, "lastAt", json_integer((json_int_t)r.last_ms));
    return STATUS_OK;
}

// What is unread costs work for each, so it is found out for the topics of the page only.
static enum status topic_list_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topics topics = {0};
    struct selves further = {0};
    enum status st = topic_list(m, &topics, e);
    if (st == STATUS_OK && face_is(job))
        join_pairs(m, &topics);
    json_t *items = json_array();
    if (st == STATUS_OK)
        st = node_job_identities(job, m, &further, e);
    if (st == STATUS_OK)
        keep_wanted(job, m, &further, &topics);
    for (size_t i = 0; st == STATUS_OK && i < topics.count; i++)
        json_array_append_new(items, show_as(job, m, &further, &topics.items[i]));
    selves_free(&further);
    st = node_job_listed(job, st, items);
    size_t first =
        (size_t)strtoull(node_job_text(job, P_after).len != 0 ? node_job_text(job, P_after).ptr : "0", NULL, 10);
    items = json_object_get(job->result, "items");
    for (size_t i = 0; st == STATUS_OK && i < json_array_size(items); i++)
        st = add_readstate(job, m, &topics.items[first + i], json_array_get(items, i), e);
    return st;
}

// ---- Read state -----------------------------------------------------------------------------------------------------

static enum status read_up_to(struct node_job *job, struct model *m, const struct topic *topics, size_t count,
                              struct error *e)
{
    struct hash message;
    bool given;
    enum status st = node_job_optional_hash(job, P_message, &message, &given, e);
    for (size_t i = 0; st == STATUS_OK && i < count; i++)
        st = readstate_set(m, &topics[i], given ? &message : NULL, e);
    return st;
}

static enum status topic_read_up_to(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct hash with;
    bool given;
    struct way_topics pair;
    enum status st = node_job_optional_hash(job, P_with, &with, &given, e);
    if (st == STATUS_OK && given == (node_job_text(job, P_topic).len != 0))
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "give \"topic\" or \"with\"");
    if (st == STATUS_OK && !given)
        st = node_job_topic_or_person(job, m, &topic, P_with, e);
    if (st == STATUS_OK && !given)
        st = node_job_optional_hash(job, P_with, &with, &given, e);
    if (st == STATUS_OK && !given)
        return read_up_to(job, m, &topic, 1, e);
    if (st == STATUS_OK)
        st = way_conversation(m, &with, &pair, e);
    return st == STATUS_OK ? read_up_to(job, m, pair.items, pair.count, e) : st;
}

static enum status topic_members_work(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    enum status st = node_job_conversation(job, m, &topic, e);
    if (st == STATUS_OK)
        node_job_page(job, topic.kind == TOPIC_ONE_TO_ONE ? show_pair(&topic) : show_members(&topic));
    return st;
}

const struct node_method NODE_METHODS_TOPICS[] = {
    {"topic.list", topic_list_work, NULL},
    {"topic.members", topic_members_work, NULL},
    {"topic.read-up-to", topic_read_up_to, NULL},
    {NULL, NULL, NULL},
};
