// Two recorded processes: pairing, a conversation, writing apart, merging, a name. Both are replayed side by side with
// what CHUM does between them, and must end at the recorded versions (docs/conformance.md, "Models").
#include <stdlib.h>
#include <string.h>

#include "by_topic.h"
#include "models/access.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/leute.h"
#include "models/profile.h"
#include "replay.h"

struct two { // the recorded processes
    struct vector_run *run;
    struct replay node;
    struct replay browser;
    bool exact; // the file holds the licence objects; else ours take their place, and hashes differ
};

static const json_t *step_of(struct replay *r, const char *side, const char *name)
{
    size_t i;
    const json_t *step;
    json_array_foreach(json_object_get(json_object_get(r->run->root, side), "steps"), i, step)
    {
        if (span_eq_text(vector_text(step, "step"), name))
            return step;
    }
    return NULL;
}

static void enter(struct two *t, const char *name)
{
    t->node.step = step_of(&t->node, "node", name);
    t->browser.step = step_of(&t->browser, "browser", name);
    model_node_time = (int64_t)json_number_value(json_object_get(t->node.step, "clock"));
    vector_case(t->run, "step %s", name);
}

// What several steps made, in whichever of them the polling of the recording caught it.
static void expect_both(struct two *t)
{
    static const char *const without[] = {"Chum", NULL};
    if (!t->exact)
        return;
    replay_expect_recorded(&t->node, without);
    replay_expect_recorded(&t->browser, without);
}

static void begin_baseline(struct replay *r, const char *url)
{
    model_node_begin(&r->node);
    OK(leute_init(r->m, span_of(url), &e));
    model_node_end(&r->node);
}

static void take_identity(struct replay *r, const struct model_node *other, const char *url)
{
    struct contact_paired paired;
    struct contact_identity identity = model_node_identity(other, url);
    replay_fix_someone(r);
    model_node_begin(&r->node);
    OK(contact_pair(r->m, &identity, &paired, &e));
    model_node_end(&r->node);
}

static void sync(struct two *t, int passes)
{
    for (int i = 0; i < passes; i++) {
        model_node_sync(&t->node.node, &t->browser.node);
        model_node_sync(&t->browser.node, &t->node.node);
    }
}

static void say(struct replay *r, const struct model_node *to, const char *text, int64_t when)
{
    struct chat_sent sent;
    model_node_time = when;
    model_node_begin(&r->node);
    OK(chat_send_to(r->m, &to->self->person, span_of(text), NULL, 0, &sent, &e));
    model_node_end(&r->node);
}

static void expect_version(struct replay *r, const char *when, const char *side)
{
    const json_t *wanted = json_object_get(json_object_get(r->run->root, when), side);
    struct hash id;
    struct hash hash;
    struct hash current;
    struct value *ignored;
    vector_expect(r->run,
                  vector_hash(wanted, "idHash", &id) && vector_hash(wanted, "hash", &hash) &&
                      model_current(r->m, &id, "ChannelInfo", &ignored, &current, NULL) == STATUS_OK &&
                      hash_eq(&hash, &current),
                  "%s: another version of the channel on the %s", when, side);
}

static void expect_messages(struct replay *r, const struct model_node *other, const char *list)
{
    size_t i;
    const json_t *wanted;
    struct topic topic;
    struct chat_messages page = {0};
    const json_t *messages = json_object_get(json_object_get(r->run->root, "afterMerge"), list);
    OK(chat_with(r->m, &other->self->person, &topic, &e));
    OK(chat_page(r->m, &topic, 0, NULL, &page, &e));
    vector_expect(r->run, page.count == json_array_size(messages), "%zu messages", page.count);
    json_array_foreach(messages, i, wanted)
    {
        struct hash author;
        vector_expect(r->run,
                      i < page.count && span_eq(page.items[i].text, vector_text(wanted, "text")) &&
                          vector_hash(wanted, "author", &author) && hash_eq(&author, &page.items[i].author) &&
                          page.items[i].verification == VERIFICATION_VERIFIED &&
                          page.items[i].timestamp == (int64_t)json_number_value(json_object_get(wanted, "time")),
                      "%s[%zu] differs", list, i);
    }
}

static void replay_apart(struct two *t)
{
    struct model_node *node = &t->node.node;
    struct model_node *browser = &t->browser.node;
    enter(t, "concurrent-offline");
    say(&t->node, browser, "n1", 1700000051000);
    say(&t->browser, node, "b2", 1700000052000);
    say(&t->node, browser, "n3", 1700000053000);
    say(&t->browser, node, "b4", 1700000054000);
    if (t->exact) {
        expect_version(&t->node, "beforeMerge", "node");
        expect_version(&t->browser, "beforeMerge", "browser");
    }
    enter(t, "merged");
    sync(t, 4);
    if (t->exact) {
        expect_version(&t->node, "afterMerge", "node");
        expect_version(&t->browser, "afterMerge", "browser");
    }
    expect_messages(&t->node, browser, "nodeMsgs");
    expect_messages(&t->browser, node, "browserMsgs");
}

static void replay_name(struct two *t)
{
    struct replay *r = &t->node;
    struct hash profile;
    struct span name;
    enter(t, "profile-grant");
    model_node_begin(&r->node);
    OK(profile_set_name(r->m, SPAN("Node Demo"), &e));
    OK(profile_own(r->m, &profile, &e));
    OK(access_grant(r->m, (struct access_target){ACCESS_ID, profile}, &t->browser.m->self->person, &e));
    model_node_end(&r->node);
    sync(t, 1);
    expect_both(t);
    r = &t->browser;
    OK(profile_name_of(r->m, &t->node.m->self->person, &name, &e));
    vector_expect(t->run, span_eq_text(name, "Node Demo"), "the browser knows the node as " SPAN_FMT, SPAN_ARG(name));
    vector_expect(t->run, trust_person(r->m, &t->node.m->self->person), "the node is not trusted");
    vector_expect(t->run, trust_person(t->node.m, &t->browser.m->self->person), "the browser is not trusted");
}

static void replay_two(struct two *t)
{
    struct replay *r = &t->node;
    struct topic topic;
    enter(t, "baseline");
    begin_baseline(&t->node, "ws://localhost:8765");
    begin_baseline(&t->browser, NULL);
    expect_both(t);
    enter(t, "pairing");
    take_identity(&t->node, &t->browser.node, NULL);
    take_identity(&t->browser, &t->node.node, "ws://localhost:8765");
    expect_both(t);
    enter(t, "node-creates-1to1-topic");
    model_node_begin(&r->node);
    OK(topic_open_one_to_one(r->m, &t->browser.m->self->person, &topic, &e));
    model_node_end(&r->node);
    enter(t, "browser-received-topic");
    sync(t, 2);
    expect_both(t);
    enter(t, "m1");
    say(&t->node, &t->browser.node, "m1 from node", 1700000030000);
    sync(t, 1);
    expect_both(t);
    enter(t, "m2");
    say(&t->browser, &t->node.node, "m2 from browser", 1700000040000);
    sync(t, 3);
    expect_both(t);
    replay_apart(t);
    replay_name(t);
}

// The recorded licence objects, put into a store as they are. Returns how many different ones there were.
static size_t put_licences(struct replay *r, const json_t *steps)
{
    struct hash_map *found = hash_map_create();
    size_t i;
    size_t k;
    const json_t *step;
    const json_t *o;
    model_node_begin(&r->node);
    json_array_foreach(steps, i, step)
    {
        json_array_foreach(json_object_get(step, "newObjects"), k, o)
        {
            struct hash hash;
            if (!span_eq_text(vector_text(o, "type"), "License"))
                continue;
            OK(model_put(r->m, vector_value(r->run, json_object_get(o, "object")), &hash, &e));
            hash_map_add(found, &hash);
        }
    }
    model_node_end(&r->node);
    size_t count = hash_map_count(found);
    hash_map_destroy(found);
    return count;
}

static bool has_licences(const json_t *steps)
{
    size_t i;
    size_t k;
    const json_t *step;
    const json_t *o;
    json_array_foreach(steps, i, step)
    {
        json_array_foreach(json_object_get(step, "newObjects"), k, o)
        {
            if (span_eq_text(vector_text(o, "type"), "License"))
                return true;
        }
    }
    return false;
}

static void check_pairing_and_chat(struct vector_run *run)
{
    struct two t = {.run = run, .node = {.run = run}, .browser = {.run = run}};
    const json_t *node = json_object_get(json_object_get(run->root, "node"), "steps");
    const json_t *browser = json_object_get(json_object_get(run->root, "browser"), "steps");
    t.exact = has_licences(node) && has_licences(browser);
    const struct model_fixed *how = t.exact ? &replay_fixed : &replay_fixed_text;
    replay_check_records(run);
    model_node_time = 1700000000000;
    vector_case(run, "start");
    if (vector_expect(run, replay_load_licences(run), "well-known.json lacks the licences") &&
        replay_begin(&t.node, "node-demo@lama.local", "lama-node-demo", how) &&
        replay_begin(&t.browser, "demo@lama.local", "lama-demo", how)) {
        if (t.exact)
            vector_expect(run, put_licences(&t.node, node) == 4 && put_licences(&t.browser, browser) == 4,
                          "the licences are not all there");
        replay_two(&t);
    }
    if (t.node.known != NULL)
        replay_end(&t.node);
    if (t.browser.known != NULL)
        replay_end(&t.browser);
}

const struct vector_handler vector_handlers_pairing[] = {
    {"pairing-and-chat", check_pairing_and_chat},
    {NULL, NULL},
};
