// Opening a store that cannot begin, or that ends when nobody wants it any more; and what an opId is the key of.
#include <semaphore.h>

#include "base/pool.h"
#include "harness.h"
#include "tests/unit/cmocka_all.h"

static sem_t go;
static sem_t begun;

static void wait_for_it(void *arg)
{
    (void)arg;
    sem_post(&begun);
    sem_wait(&go);
}

static void nothing(void *arg)
{
    (void)arg;
}

static json_t *params(void)
{
    char key[65];
    memset(key, 'a', 64);
    key[64] = '\0';
    return json_pack("{s:s, s:s, s:s, s:s, s:b}", "user", "ann", "email", "ann@test", "instanceName", "ann", "key", key,
                     "create", 1);
}

static void a_full_pool_is_said_and_forgotten(void **state)
{
    (void)state;
    struct harness *h = harness_create();
    const char *code = NULL;
    int waiting = 1;
    sem_init(&go, 0, 0);
    sem_init(&begun, 0, 0);
    assert_int_equal(pool_submit(h->node->pool, wait_for_it, nothing, NULL), STATUS_OK);
    sem_wait(&begun); // by the only thread: what follows stays in the queue
    while (pool_submit(h->node->pool, wait_for_it, nothing, NULL) == STATUS_OK)
        waiting++;
    assert_null(harness_call(h, "node.provision", params(), &code));
    assert_string_equal(code, "BUSY");
    assert_null(h->node->config);
    for (int i = 0; i < waiting; i++)
        sem_post(&go);
    struct asked asked = {0};
    do {
        harness_begin(h, &asked, "node.provision", params());
        if (!asked.answered)
            harness_wait(h, &asked);
    } while (asked.result == NULL);
    json_decref(asked.result);
    harness_destroy(h);
}

static void an_opening_that_ends_too_late_is_dropped(void **state)
{
    (void)state;
    struct harness *h = harness_create();
    struct asked asked;
    sem_init(&go, 0, 0);
    sem_init(&begun, 0, 0);
    assert_int_equal(pool_submit(h->node->pool, wait_for_it, nothing, NULL), STATUS_OK);
    harness_begin(h, &asked, "node.provision", params());
    node_close(h->node);
    sem_post(&go);
    harness_wait(h, &asked);
    assert_null(asked.result);
    assert_string_equal(asked.error.code, "NOT-RUNNING");
    assert_null(h->node->queue);
    harness_destroy(h);
}

// Two methods may be given one id by callers that know nothing of each other.
static void an_op_id_is_one_of_its_method(void **state)
{
    (void)state;
    struct harness *h = harness_create();
    harness_provision(h);
    json_t *setting = json_pack("{s:s, s:s, s:s, s:s}", "store", "s", "key", "k", "value", "v", "opId", "same");
    assert_non_null(harness_call(h, "settings.set", setting, NULL));
    json_t *group = json_pack("{s:s, s:[], s:s}", "name", "crew", "persons", "opId", "same");
    json_t *result = harness_call(h, "group.create", group, NULL);
    assert_non_null(json_object_get(result, "groupId"));
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pool_is_said_and_forgotten),
        cmocka_unit_test(an_opening_that_ends_too_late_is_dropped),
        cmocka_unit_test(an_op_id_is_one_of_its_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
