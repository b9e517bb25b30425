// The recorded steps of the models: the model layer does what the step says, with the recorded keys, clock and licence
// hashes, and must store the same objects and move the same heads (docs/conformance.md, "Models").
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/access.h"
#include "models/chat.h"
#include "models/group.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/settings.h"
#include "models/someone.h"
#include "replay.h"

static struct hash put_person(struct replay *r, const char *email)
{
    struct hash id = {{0}};
    struct value *person = model_object(r->m, "Person");
    model_set_text(r->m, person, "email", span_of(email));
    OK(model_put_id(r->m, person, &id, &e));
    return id;
}

static struct hash put_blob(struct replay *r, struct span bytes)
{
    struct store_writer *w;
    struct hash hash = {{0}};
    bool is_new;
    OK(store_writer_create(r->m->store, false, &w, &e));
    OK(store_writer_add(w, bytes, &e));
    OK(store_writer_finish(w, NULL, &hash, &is_new, &e));
    store_writer_destroy(w);
    return hash;
}

// Posts the ChatMessage the step recorded.
static void post_recorded(struct replay *r, const char *id, const struct hash *owner, const struct channel_post *how)
{
    struct hash channel;
    struct channel_entry entry;
    struct value *message = vector_value(r->run, replay_recorded(r, "ChatMessage"));
    OK(channel_id_hash(r->m, span_of(id), owner, &channel, &e));
    OK(channel_post(r->m, &channel, message, how, &entry, &e));
}

static void put_contact(struct replay *r, const struct hash *person, const struct hash *owner)
{
    struct profile p = {.profile_id = SPAN("default"), .person = *person, .owner = *owner};
    OK(profile_save(r->m, &p, &e));
}

// ---- first-start-*.json ---------------------------------------------------------------------------------------------

static void do_nothing(struct replay *r)
{
    (void)r;
}

static void do_leute_init(struct replay *r)
{
    OK(leute_init_core(r->m, vector_text(replay_recorded(r, "OneInstanceEndpoint"), "url"), &e));
}

static void do_topic_init(struct replay *r)
{
    OK(leute_init_topics(r->m, &e));
}

static void do_connections_init(struct replay *r)
{
    struct hash id;
    OK(group_create(r->m, SPAN(GROUP_DISABLED), false, &id, &e));
}

static void do_groups(struct replay *r)
{
    struct hash id;
    OK(group_create(r->m, SPAN("federation"), true, &id, &e));
    OK(group_create(r->m, SPAN("replicant"), true, &id, &e));
    OK(group_create(r->m, SPAN(GROUP_BLACKLIST), true, &id, &e));
}

static void do_contacts_channel(struct replay *r)
{
    struct hash id;
    OK(channel_create(r->m, SPAN("contacts"), &r->m->self->person, &id, &e));
}

static void do_name(struct replay *r)
{
    OK(profile_set_name(r->m, vector_text(replay_recorded(r, "PersonName"), "name"), &e));
}

static void do_profile_for_everyone(struct replay *r)
{
    struct hash profile;
    struct hash everyone;
    OK(profile_own(r->m, &profile, &e));
    OK(group_id(r->m, SPAN(GROUP_EVERYONE), &everyone, &e));
    OK(access_add(r->m, (struct access_target){ACCESS_ID, profile}, NULL, 0, &everyone, 1, &e));
}

// ---- channel-topic-access.json --------------------------------------------------------------------------------------

static struct hash me(const struct replay *r)
{
    return r->m->self->person;
}

static struct hash bob(struct replay *r)
{
    struct hash id;
    OK(instance_person_id(store_recipes(r->m->store), SPAN("bob@lama.local"), &id, &e));
    return id;
}

static struct hash carol(struct replay *r)
{
    struct hash id;
    OK(instance_person_id(store_recipes(r->m->store), SPAN("carol@lama.local"), &id, &e));
    return id;
}

static void do_team(struct replay *r)
{
    struct hash id;
    OK(channel_create(r->m, SPAN("team"), &r->m->self->person, &id, &e));
}

static void do_shared(struct replay *r)
{
    struct hash id;
    OK(channel_create(r->m, SPAN("shared"), NULL, &id, &e));
}

static void do_post(struct replay *r)
{
    double timestamp = json_number_value(json_object_get(replay_recorded(r, "CreationTime"), "timestamp"));
    post_recorded(r, "team", &r->m->self->person, &(struct channel_post){.timestamp = timestamp, .author = r->second});
}

static void do_second_identity(struct replay *r)
{
    struct hash person = replay_recorded_hash(r, "OneInstanceEndpoint", "personId");
    struct hash instance = replay_recorded_hash(r, "OneInstanceEndpoint", "instanceId");
    struct keys_pair keys[2];
    if (!replay_find_keys(r->run, &person, &keys[0]) || !replay_find_keys(r->run, &instance, &keys[1]))
        return;
    const struct instance_options options = {
        .email = SPAN("second@lama.local"),
        .instance_name = SPAN("lama-second"),
        .person_keys = &keys[0],
        .instance_keys = &keys[1],
    };
    OK(instance_add_identity(r->m, r->node.keys, &options, SPAN("ws://localhost:8765"), &r->second, &e));
    replay_free_keys(&keys[0]);
    replay_free_keys(&keys[1]);
}

static void do_persons(struct replay *r)
{
    put_person(r, "bob@lama.local");
    put_person(r, "carol@lama.local");
}

static void do_one_to_one(struct replay *r)
{
    struct topic topic;
    struct hash person = bob(r);
    OK(topic_open_one_to_one(r->m, &person, &topic, &e));
}

static void send(struct replay *r, const struct chat_attachment *files, size_t count)
{
    struct topic topic;
    struct chat_sent sent;
    struct hash person = bob(r);
    OK(topic_open_one_to_one(r->m, &person, &topic, &e));
    OK(chat_send(r->m, &topic, vector_text(replay_recorded(r, "ChatMessage"), "text"), files, count, &sent, &e));
}

static void do_message(struct replay *r)
{
    send(r, NULL, 0);
}

static void do_attachment(struct replay *r)
{
    const struct chat_attachment file = {
        .hash = put_blob(r, SPAN("hello world\n")),
        .name = SPAN("hello.txt"),
        .type = SPAN("text/plain"),
        .last_modified_ms = 1699999999999,
    };
    send(r, &file, 1);
}

// The recorded preview has a file name of its own, which chat_send does not offer, and nobody wrote its bytes down.
static void do_thumbnail(struct replay *r)
{
    size_t i;
    const json_t *o;
    struct hash ignored;
    struct hash person = bob(r);
    json_array_foreach(json_object_get(r->step, "newObjects"), i, o)
    {
        if (span_eq_text(vector_text(o, "type"), "BlobDescriptor"))
            OK(model_put(r->m, vector_value(r->run, json_object_get(o, "object")), &ignored, &e));
    }
    struct span id = topic_one_to_one_id(r->m->arena, &r->m->self->person, &person);
    post_recorded(r, id.ptr, NULL, NULL);
}

static void grant_group(struct replay *r, const struct topic *topic, const struct hash *group)
{
    OK(access_grant_group(r->m, (struct access_target){ACCESS_ID, topic->channel}, group, &e));
    OK(access_grant_group(r->m, (struct access_target){ACCESS_OBJECT, topic->hash}, group, &e));
}

// The reference shows everyone what it has heard from others; a node of ours does not.
static void open_for_everyone(struct replay *r, struct span id, struct span name)
{
    struct topic topic;
    struct hash everyone;
    OK(topic_make(r->m, id, name, NULL, &topic, &e));
    OK(group_create(r->m, SPAN(GROUP_EVERYONE), true, &everyone, &e));
    grant_group(r, &topic, &everyone);
}

static void do_everyone_topic(struct replay *r)
{
    open_for_everyone(r, SPAN(TOPIC_EVERYONE), SPAN("Everyone"));
}

static void do_glue_topic(struct replay *r)
{
    open_for_everyone(r, SPAN(TOPIC_GLUE), SPAN("glue.one"));
}

static void do_glue_message(struct replay *r)
{
    post_recorded(r, TOPIC_GLUE, NULL, &(struct channel_post){.append_profile = true});
}

static void do_group_topic(struct replay *r)
{
    struct topic topic;
    OK(topic_make(r->m, SPAN("project"), SPAN("Project"), &r->m->self->person, &topic, &e));
}

static void do_topic_persons(struct replay *r)
{
    struct topic topic;
    const struct hash persons[] = {me(r), bob(r)};
    OK(topic_find(r->m, SPAN("project"), &topic, &e));
    OK(topic_add_persons(r->m, &topic, persons, 2, &e));
}

static void do_group(struct replay *r)
{
    struct hash group;
    const struct hash persons[] = {me(r), bob(r)};
    OK(group_create(r->m, SPAN("project-group"), true, &group, &e));
    OK(group_add(r->m, &group, persons, 2, &e));
}

static void do_topic_group(struct replay *r)
{
    struct topic topic;
    struct hash group;
    OK(topic_find(r->m, SPAN("project"), &topic, &e));
    OK(group_id(r->m, SPAN("project-group"), &group, &e));
    grant_group(r, &topic, &group);
}

static struct access_target team(struct replay *r)
{
    struct access_target target = {.kind = ACCESS_ID};
    OK(channel_id_hash(r->m, SPAN("team"), &r->m->self->person, &target.hash, &e));
    return target;
}

static void do_add_bob(struct replay *r)
{
    struct hash person = bob(r);
    OK(access_grant(r->m, team(r), &person, &e));
}

static void do_add_carol(struct replay *r)
{
    struct hash person = carol(r);
    OK(access_grant(r->m, team(r), &person, &e));
}

static void do_replace(struct replay *r)
{
    struct hash person = carol(r);
    const struct hash_list only = {.items = &person, .count = 1};
    OK(access_set(r->m, team(r), &only, &e));
}

static void do_revoke(struct replay *r)
{
    const struct hash_list nobody = {0};
    OK(access_set(r->m, team(r), &nobody, &e));
}

static void do_grant_profile(struct replay *r)
{
    struct hash profile;
    struct hash person = bob(r);
    OK(profile_own(r->m, &profile, &e));
    OK(access_grant(r->m, (struct access_target){ACCESS_ID, profile}, &person, &e));
}

// Two contacts for one person, a defect of the recorded application, made by hand because later steps build on it.
static void do_double_contact(struct replay *r)
{
    struct hash profile;
    struct hash person = bob(r);
    struct hash own = me(r);
    struct someone s;
    char id[100];
    snprintf(id, sizeof id, "someone-for-%s", hash_text(&person).s);
    OK(profile_id_hash(r->m, SPAN("default"), &person, &own, &profile, &e));
    const char *const ids[] = {id, "QyPtUDSDqjGZs1MvVUWOgExgxtbrHY_3"};
    put_contact(r, &person, &own);
    for (size_t i = 0; i < 2; i++) {
        someone_begin(r->m, span_of(ids[i]), &person, &profile, &s);
        OK(someone_save(r->m, &s, &e));
        OK(leute_add_other(r->m, &s.id_hash, &e));
        someone_free(&s);
    }
}

static void do_shallow_identity(struct replay *r)
{
    struct hash person = put_person(r, "dave@lama.local");
    struct hash own = me(r);
    replay_fix_someone(r);
    put_contact(r, &person, &own);
}

static void do_settings(struct replay *r)
{
    OK(settings_set(r->m, SPAN("lama.settings"), SPAN("connections.maxConnections"), SPAN("50"), &e));
    OK(settings_set(r->m, SPAN("lama.settings"), SPAN("ui.theme"), SPAN("dark"), &e));
}

static void do_relation(struct replay *r)
{
    struct hash person = bob(r);
    struct hash certificate;
    struct hash signature;
    const struct trust_certificate *kind = trust_certificate_find(SPAN("RelationCertificate"));
    struct value *object = model_object(r->m, "RelationCertificate");
    model_set_text(r->m, object, "app", SPAN("lama"));
    model_set_text(r->m, object, "relation", SPAN("friend"));
    model_set_hash(r->m, object, "person1", &r->m->self->person);
    model_set_hash(r->m, object, "person2", &person);
    OK(trust_certify(r->m, kind, object, &certificate, &signature, &e));
    OK(trust_affirm(r->m, r->m->self, &certificate, &signature, &e));
}

static const struct {
    const char *name;
    void (*act)(struct replay *r);
} acts[] = {
    {"01-register", do_nothing}, // done by opening the node
    {"02-leute-init", do_leute_init},
    {"03-channelmanager-init", do_nothing},
    {"04-topicmodel-init", do_topic_init},
    {"05-connectionsmodel-init", do_connections_init},
    {"06-lama-groups", do_groups},
    {"07-create-channel-contacts", do_contacts_channel},
    {"08-person-name", do_name},
    {"09-access-main-profile-everyone", do_profile_for_everyone},
    {"create-channel-owned", do_team},
    {"create-channel-no-owner", do_shared},
    {"create-channel-exists", do_team},
    {"post-1", do_post},
    {"post-2", do_post},
    {"post-3", do_post},
    {"second-identity", do_second_identity},
    {"post-4-second-writer", do_post},
    {"foreign-persons", do_persons},
    {"one-to-one-topic", do_one_to_one},
    {"one-to-one-message", do_message},
    {"message-with-attachment", do_attachment},
    {"message-with-thumbnail", do_thumbnail},
    {"everyone-topic", do_everyone_topic},
    {"glue-topic", do_glue_topic},
    {"glue-message-with-profile", do_glue_message},
    {"group-topic-owned", do_group_topic},
    {"add-persons-to-topic", do_topic_persons},
    {"group-with-members", do_group},
    {"add-group-to-topic", do_topic_group},
    {"access-add-bob", do_add_bob},
    {"access-add-carol", do_add_carol},
    {"access-add-again", do_add_carol},
    {"access-replace", do_replace},
    {"access-revoke-all", do_revoke},
    {"lama-grant-peer-access", do_grant_profile},
    {"lama-contact", do_double_contact},
    {"shallow-identity", do_shallow_identity},
    {"settings", do_settings},
    {"relation-certificate", do_relation},
};

// Step names are compared as a whole, except that nothing is left out silently: an unknown one fails.
static void act(struct replay *r, const char *name)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].name, name) == 0) {
            model_node_begin(&r->node);
            acts[i].act(r);
            model_node_end(&r->node);
            return;
        }
    vector_expect(r->run, false, "no action for this step");
}

static void take_step(struct replay *r, const json_t *step)
{
    const char *name = json_string_value(json_object_get(step, "step"));
    r->step = step;
    model_node_time = (int64_t)json_number_value(json_object_get(step, "clock"));
    vector_case(r->run, "step %s", name);
    act(r, name);
    if (strcmp(name, "second-identity") == 0) { // the recorded one also grants its profile and signatures to groups
        static const char *const without[] = {"License", "Access", "IdAccess", "VersionNodeEdge", NULL};
        replay_expect_recorded(r, without);
        replay_accept_all(r);
        return;
    }
    if (strcmp(name, "message-with-thumbnail") == 0) {
        static const char *const without[] = {"", NULL}; // blobs, whose bytes are not recorded
        replay_expect_recorded(r, without);
        replay_expect_nothing_else(r);
        return;
    }
    replay_expect_step(r);
}

static void take_steps(struct replay *r, const json_t *steps, size_t count)
{
    size_t i;
    const json_t *step;
    json_array_foreach(steps, i, step)
    {
        if (i < count)
            take_step(r, step);
    }
}

static void replay_first_start(struct vector_run *run, const json_t *file, size_t count, struct replay *r)
{
    const json_t *config = json_object_get(file, "config");
    model_node_time = 1700000000000;
    vector_case(run, "start");
    if (!vector_expect(run, replay_load_licences(run), "well-known.json lacks the licences") ||
        !replay_begin(r, json_string_value(json_object_get(config, "email")),
                      json_string_value(json_object_get(config, "instanceName")), &replay_fixed))
        return;
    take_steps(r, json_object_get(file, "steps"), count);
}

static void check_first_start(struct vector_run *run)
{
    struct replay r = {.run = run};
    replay_check_records(run);
    replay_first_start(run, run->root, SIZE_MAX, &r);
    if (r.known != NULL)
        replay_end(&r);
}

// Continues after the fourth step of first-start-node.json, whose time was that of the second.
static void check_channel_topic_access(struct vector_run *run)
{
    struct replay r = {.run = run};
    json_t *start = vector_sibling(run, "first-start-node.json");
    replay_check_records(run);
    if (vector_expect(run, start != NULL, "first-start-node.json is missing"))
        replay_first_start(run, start, 3, &r);
    if (r.known != NULL) {
        model_node_time = 1700000001000;
        act(&r, "04-topicmodel-init");
        replay_accept_all(&r);
        take_steps(&r, json_object_get(run->root, "steps"), SIZE_MAX);
        replay_end(&r);
    }
    json_decref(start);
}

const struct vector_handler vector_handlers_replay[] = {
    {"first-start-node", check_first_start},
    {"first-start-browser", check_first_start},
    {"channel-topic-access", check_channel_topic_access},
    {NULL, NULL},
};
