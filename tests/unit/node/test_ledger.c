#include "node/ledger.h"

#include <stdio.h>

#include "tests/unit/cmocka_all.h"
#include "tests/unit/store/fixture.h"

static const struct hash eve = {{1}}, bob = {{2}};

// 10,000 messages come in jobs of a few, then one job that was sent 300 bytes merges them with ours: 45 MB.
static void what_was_sent_pays_for_a_merge_later(void **state)
{
    (void)state;
    struct ledger l = {0};
    for (int i = 0; i < 10000; i++)
        assert_int_equal(ledger_book(&l, 1200, 2000), 0);
    assert_int_equal(ledger_book(&l, 300, 45 << 20), 0);
    assert_int_equal(l.grown, (uint64_t)10000 * 2000 + (45 << 20));
}

// Whoever sent little may multiply little, and never more than 16 times what it sent.
static void what_was_not_sent_is_charged(void **state)
{
    (void)state;
    struct ledger l = {0};
    uint64_t sent = 0, grown = 0, charged = 0;
    assert_int_equal(ledger_book(&l, 300, 45 << 20), (45 << 20) - 16 * 300);
    assert_int_equal(l.credit, 0);
    for (int i = 0; i < 1000; i++) {
        sent += 1000;
        grown += i % 2 != 0 ? 50000 : 1000;
        charged += ledger_book(&l, 1000, i % 2 != 0 ? 50000 : 1000);
    }
    assert_true(charged >= grown - 16 * sent);
    assert_true(charged < grown - 16 * sent + 50000);
    l = (struct ledger){0};
    assert_int_equal(ledger_book(&l, UINT64_C(1) << 40, 0), 0);
    assert_int_equal(ledger_book(&l, 0, (256 << 20) + 1), 1); // it is no credit without end
}

static void it_is_kept(void **state)
{
    struct fixture *f = *state;
    struct ledger l = {0};
    char older[100];
    snprintf(older, sizeof older, "grown.%s", hash_text(&bob).s);
    ledger_load(&l, f->store, &eve);
    assert_int_equal(l.grown + l.credit, 0);
    (void)ledger_book(&l, 1000, 2000);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(ledger_save(&l, f->store, &eve, NULL), STATUS_OK);
    assert_int_equal(store_setting_set(f->store, older, SPAN("7"), NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    struct ledger again;
    ledger_load(&again, f->store, &eve);
    assert_int_equal(again.grown, 2000);
    assert_int_equal(again.credit, 14000);
    ledger_load(&again, f->store, &bob); // as kept by older ones
    assert_int_equal(again.grown, 7);
    assert_int_equal(again.credit, 0);
}

static int begin(void **state)
{
    static struct fixture f;
    fixture_open(&f, STORE_ARCHIVE);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_pays_for_a_merge_later),
        cmocka_unit_test(what_was_not_sent_is_charged),
        cmocka_unit_test_setup_teardown(it_is_kept, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
