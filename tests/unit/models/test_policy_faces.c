// A node with two identities, both of which take part in one group: what the other members may bring for them.
#include "model_node.h"
#include "models/instance.h"
#include "models/policy.h"
#include "models/topic.h"
#include "tests/unit/cmocka_all.h"

struct world {
    struct model_node me;
    struct model_node peer;
    struct model_node third;
    struct identity *second; // of me
};

static int set_up(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    const struct instance_options options = {.email = SPAN("work@test"), .instance_name = SPAN("work")};
    model_node_time = 1700000000000;
    model_node_open_plain(&w->me, "me@test", "mine", NULL);
    model_node_open_plain(&w->peer, "peer@test", "theirs", NULL);
    model_node_open_plain(&w->third, "third@test", "third", NULL);
    model_node_pair(&w->peer, &w->me);
    model_node_pair(&w->peer, &w->third);
    struct model *m = model_node_begin(&w->me);
    MUST(instance_add_identity(m, w->me.keys, &options, (struct span){0}, &w->second, &e));
    model_node_end(&w->me);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    identity_destroy(w->second);
    model_node_close(&w->me);
    model_node_close(&w->peer);
    model_node_close(&w->third);
    free(w);
    return 0;
}

static void create_group(struct world *w, struct topic *topic)
{
    struct hash persons[] = {w->me.self->person, w->third.self->person, w->second->person};
    const struct topic_plan plan = {.name = SPAN("Team"), .persons = persons, .count = 3};
    struct model *m = model_node_begin(&w->peer);
    MUST(topic_create_group(m, &plan, topic, &e));
    model_node_end(&w->peer);
    for (int i = 0; i < 2; i++) {
        model_node_sync(&w->peer, &w->me);
        model_node_sync(&w->me, &w->peer);
    }
}

static bool takes_channel(struct world *w, struct span id, const struct hash *owner)
{
    struct object o;
    struct error why;
    struct model *m = model_node_begin(&w->me);
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", id);
    model_set_hash(m, info, "owner", owner);
    MUST(object_make(store_recipes(w->me.store), m->arena, info, MICRODATA_OBJECT, &o, &e));
    bool yes = policy_may_import(m, &w->peer.self->person, &o, &why) == STATUS_OK;
    model_node_end(&w->me);
    return yes;
}

static void nobody_writes_for_any_identity_of_ours(void **state)
{
    struct world *w = *state;
    struct topic topic;
    create_group(w, &topic);
    assert_true(takes_channel(w, topic.id, &w->peer.self->person));
    assert_true(takes_channel(w, topic.id, &w->third.self->person));
    assert_false(takes_channel(w, topic.id, &w->me.self->person));
    assert_false(takes_channel(w, topic.id, &w->second->person));
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_writes_for_any_identity_of_ours, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
