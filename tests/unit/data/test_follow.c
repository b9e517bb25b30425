#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/jsonform.h"
#include "data/versionnode.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

// Two nodes that write versions of one Doc and send them to each other.
struct pair {
    struct recipes *recipes;
    struct arena *a;
    struct memory_source *one;
    struct memory_source *two;
    struct hash id;
};

static struct buf losses; // what the nodes told of: property=value, each once

static void note_loss(void *ctx, const struct version_loss *loss)
{
    struct span text;
    struct buf line = {0};
    assert_true(memory_source_text(ctx, &loss->hash, &text)); // whoever wants it back can have it
    buf_printf(&line, SPAN_FMT "=" SPAN_FMT " ", SPAN_ARG(loss->property), SPAN_ARG(loss->value));
    if (strstr(buf_cstr(&losses), buf_cstr(&line)) == NULL)
        buf_add_span(&losses, buf_span(&line));
    buf_free(&line);
}

static void assert_losses(const char *expected)
{
    assert_string_equal(buf_cstr(&losses), expected);
    buf_clear(&losses);
}

static int begin(void **state)
{
    struct pair *p = mem_alloc(sizeof *p);
    p->recipes = fixture_recipes();
    p->a = arena_create();
    p->one = memory_source_create(p->recipes);
    p->two = memory_source_create(p->recipes);
    p->one->source.lost = p->two->source.lost = note_loss;
    *state = p;
    return 0;
}

static int end(void **state)
{
    struct pair *p = *state;
    memory_source_destroy(p->one);
    memory_source_destroy(p->two);
    recipes_destroy(p->recipes);
    arena_destroy(p->a);
    buf_free(&losses);
    free(p);
    return 0;
}

static struct version_result write_value(struct pair *p, struct memory_source *m, const struct value *v, double now)
{
    struct version_result r;
    struct error e = {0};
    if (version_store(&m->source, v, VERSION_CHANGE, now, &r, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    p->id = r.id_hash;
    return r;
}

// members: what stands behind the id of the Doc.
static struct version_result write_doc(struct pair *p, struct memory_source *m, const char *members, double now)
{
    struct buf json = {0};
    buf_printf(&json, "{\"$type$\":\"Doc\",\"id\":\"d\"%s%s}", members[0] != '\0' ? "," : "", members);
    struct version_result r = write_value(p, m, fixture_read(p->a, buf_cstr(&json)), now);
    buf_free(&json);
    return r;
}

static struct version_result follow(struct memory_source *m, const struct hash *node)
{
    struct version_result r;
    struct error e = {0};
    if (version_follow(&m->source, node, &r, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return r;
}

static struct versionnode head_of(struct pair *p, struct memory_source *m)
{
    struct hash head;
    struct versionnode n;
    assert_true(memory_source_head(m, &p->id, &head));
    assert_int_equal(versionnode_read(&m->source, &head, p->a, &n, NULL), STATUS_OK);
    return n;
}

// What is new comes in one go, the latest first, as a session takes it in.
static void send(struct pair *p, struct memory_source *from, struct memory_source *to)
{
    struct hash_list nodes = {0};
    struct hash_list fresh = {0};
    struct versionnode head = head_of(p, from);
    struct span text;
    assert_int_equal(version_list(&from->source, &head.hash, &nodes, NULL), STATUS_OK);
    for (size_t i = nodes.count; i-- > 0;)
        if (!memory_source_text(to, &nodes.items[i], &text) && !hash_list_has(&fresh, &nodes.items[i]))
            hash_list_add(&fresh, &nodes.items[i]);
    memory_source_copy(to, from);
    for (size_t i = 0; i < fresh.count; i++)
        follow(to, &fresh.items[i]);
    hash_list_free(&nodes);
    hash_list_free(&fresh);
}

static struct value *current(struct pair *p, struct memory_source *m)
{
    struct versionnode head = head_of(p, m);
    struct span text;
    struct value *v;
    assert_true(memory_source_text(m, &head.data, &text));
    assert_int_equal(microdata_read(p->recipes, p->a, text, MICRODATA_OBJECT, SPAN(""), &v, NULL), STATUS_OK);
    return v;
}

static void assert_doc(struct pair *p, struct memory_source *m, const char *members)
{
    struct buf json = {0};
    buf_printf(&json, "{\"$type$\":\"Doc\",\"id\":\"d\"%s%s}", members[0] != '\0' ? "," : "", members);
    struct value *expected = fixture_read(p->a, buf_cstr(&json));
    if (!value_eq(current(p, m), expected))
        fail_msg("there is %s", json_dumps(jsonform_write(current(p, m)), 0));
    buf_free(&json);
}

static void what_was_removed_stays_removed(void **state)
{
    struct pair *p = *state;
    static const char *const versions[] = {"\"bag\":[1]", "\"bag\":[1,2],\"s\":\"x\"", "\"bag\":[3]",
                                           "\"bag\":[1,2],\"s\":\"x\""};
    for (size_t i = 0; i < 4; i++) {
        struct version_result r = write_doc(p, p->one, versions[i], 1000 - (double)i); // a clock that goes backwards
        send(p, p->one, p->two);
        assert_doc(p, p->two, versions[i]);
        struct versionnode head = head_of(p, p->two);
        assert_true(hash_eq(&head.hash, &r.node));
        assert_false(follow(p->two, &r.node).changed);
    }
}

static void several_versions_come_at_once(void **state)
{
    struct pair *p = *state;
    struct version_result old = write_doc(p, p->one, "\"bag\":[1]", 1);
    send(p, p->one, p->two);
    write_doc(p, p->one, "\"bag\":[2]", 2);
    write_doc(p, p->one, "\"bag\":[3]", 3);
    send(p, p->one, p->two);
    assert_doc(p, p->two, "\"bag\":[3]");
    assert_false(follow(p->two, &old.node).changed); // an old one again
    assert_doc(p, p->two, "\"bag\":[3]");
}

static void both_wrote(void **state)
{
    struct pair *p = *state;
    write_doc(p, p->one, "\"bag\":[1,2],\"s\":\"old\",\"t\":\"old\"", 10);
    send(p, p->one, p->two);
    write_doc(p, p->one, "\"bag\":[2,3],\"s\":\"one\",\"t\":\"old\"", 9);
    write_doc(p, p->two, "\"bag\":[1,2,4],\"s\":\"two\"", 99); // ahead of its time
    write_doc(p, p->one, "\"bag\":[2,3],\"s\":\"one later\",\"t\":\"old\"", 10);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    struct memory_source *all[] = {p->one, p->two};
    for (size_t i = 0; i < 2; i++) {
        struct value *v = current(p, all[i]);
        struct span s;
        assert_int_equal(value_get(v, SPAN("bag"))->list.count, 3); // 2, 3, 4
        assert_true(value_get_string(v, "s", &s) && span_eq_text(s, "one later"));
        assert_null(value_get(v, SPAN("t")));
    }
}

// Of a contact lies here what pairing wrote; what it says itself comes later.
static void independent_beginnings_are_joined_and_followed(void **state)
{
    struct pair *p = *state;
    write_doc(p, p->two, "\"bag\":[7]", 50);
    write_doc(p, p->one, "\"bag\":[1]", 10);
    send(p, p->one, p->two);
    assert_int_equal(value_get(current(p, p->two), SPAN("bag"))->list.count, 2);
    write_doc(p, p->one, "\"bag\":[2]", 20);
    send(p, p->one, p->two);
    assert_int_equal(value_get(current(p, p->two), SPAN("bag"))->list.count, 2); // 7 and 2
    write_doc(p, p->one, "\"bag\":[2,7]", 30);
    struct version_result last = write_doc(p, p->one, "\"bag\":[7,9]", 30);
    send(p, p->one, p->two);
    struct versionnode head = head_of(p, p->two);
    assert_true(hash_eq(&head.data, &last.hash));
}

static void stores_of_before_go_on(void **state)
{
    struct pair *p = *state;
    struct version_result r;
    struct error e = {0};
    static const char *const versions[] = {"\"bag\":[1]", "\"bag\":[2]", "\"bag\":[3]", "\"bag\":[4]"};
    for (size_t i = 0; i < 4; i++) {
        struct version_result made = write_doc(p, p->one, versions[i], (double)i);
        memory_source_copy(p->two, p->one);
        assert_int_equal(version_merge_foreign(&p->two->source, &made.hash, (double)i, &r, &e), STATUS_OK);
    }
    assert_int_equal(value_get(current(p, p->two), SPAN("bag"))->list.count, 4);
    double depth = head_of(p, p->two).depth;
    write_doc(p, p->one, "\"bag\":[5]", 5);
    send(p, p->one, p->two);
    assert_doc(p, p->two, "\"bag\":[5]");
    assert_true(head_of(p, p->two).depth > depth);
    write_doc(p, p->one, "", 6);
    send(p, p->one, p->two);
    assert_doc(p, p->two, "");
}

static void what_is_no_version_is_refused(void **state)
{
    struct pair *p = *state;
    struct version_result r;
    struct error e = {0};
    struct hash child = memory_source_add(p->one, fixture_value(p->a, "{\"$type$\":\"Child\",\"x\":\"1\"}"));
    struct hash edge = fixture_node(p->one, "Edge", NULL, 0, &child, 0, 1);
    assert_int_equal(version_follow(&p->one->source, &child, &r, &e), STATUS_CORRUPT);
    assert_int_equal(version_follow(&p->one->source, &edge, &r, &e), STATUS_INVALID);
    assert_string_equal(e.code, "SVO-SO2");
    write_doc(p, p->one, "\"s\":\"1\"", 1);
    struct version_result two = write_doc(p, p->one, "\"s\":\"2\"", 2);
    memory_source_copy(p->two, p->one);
    struct versionnode change = head_of(p, p->one);
    memory_source_lose(p->two, &change.before[0]);
    write_doc(p, p->two, "\"s\":\"3\"", 3);
    error_clear(&e);
    assert_int_equal(version_follow(&p->two->source, &two.node, &r, &e), STATUS_NOT_FOUND); // its history is not here
}

// ---- Two at the same time -------------------------------------------------------------------------------------------

// Both begin with the same, write while apart, and meet; which comes first at whom makes no difference.
struct meeting {
    const char *before;
    const char *one;
    const char *two;
    const char *after;
    const char *lost; // in any order of the sides
};

static void meet(struct pair *p, const struct meeting *m, unsigned variant)
{
    bool one_is_ahead = (variant & 1) != 0;
    struct memory_source *first = (variant & 2) != 0 ? p->two : p->one;
    struct memory_source *second = first == p->one ? p->two : p->one;
    write_doc(p, p->one, m->before, 10);
    send(p, p->one, p->two);
    write_doc(p, p->one, m->one, one_is_ahead ? 5000 : 20);
    write_doc(p, p->two, m->two, one_is_ahead ? 20 : 5000);
    struct versionnode head = head_of(p, second);
    send(p, first, second); // the other one has not heard of it yet
    struct versionnode merge = head_of(p, second);
    assert_int_equal(versionnode_read(&second->source, &head.hash, p->a, &head, NULL), STATUS_OK);
    memory_source_copy(first, second);
    follow(first, &head.hash);
    struct versionnode same = head_of(p, first);
    assert_memory_equal(&merge.hash, &same.hash, sizeof merge.hash); // nothing is left to be merged
    assert_doc(p, p->one, m->after);
    assert_doc(p, p->two, m->after);
    assert_losses(m->lost);
    assert_false(follow(first, &merge.hash).changed);
    assert_false(follow(second, &head.hash).changed);
}

static void meet_in_all_ways(void **state, const struct meeting *m)
{
    for (unsigned variant = 0; variant < 4; variant++) {
        begin(state);
        meet(*state, m, variant);
        end(state);
    }
}

static void edits_of_different_properties_all_stay(void **state)
{
    meet_in_all_ways(state, &(struct meeting){"'s':'old','t':'old'", "'s':'new','t':'old'", "'s':'old','t':'new'",
                                              "'s':'new','t':'new'", ""});
    meet_in_all_ways(state, &(struct meeting){"'s':'old','n':1", "'n':1", "'s':'old','n':2", "'n':2", ""});
    meet_in_all_ways(state, &(struct meeting){"'s':'old'", "'s':'old','t':'new'", "'s':'old','n':2",
                                              "'s':'old','t':'new','n':2", ""});
}

static void items_come_and_go_on_both_sides(void **state)
{
    meet_in_all_ways(state, &(struct meeting){"'bag':[1,2]", "'bag':[1,2,3]", "'bag':[2,4]", "'bag':[2,3,4]", ""});
    meet_in_all_ways(state, &(struct meeting){"'set':{'$set':['a','b']}", "'set':{'$set':['a']}",
                                              "'set':{'$set':['a','b','c']}", "'set':{'$set':['a','c']}", ""});
    meet_in_all_ways(state, &(struct meeting){"'s':'x'", "'s':'x','bag':[1]", "'s':'y'", "'s':'y','bag':[1]", ""});
}

// What one side did to a list that the other did not touch stays as it is: its order, and what it holds twice.
static void lists_keep_their_order_and_what_they_hold_twice(void **state)
{
    meet_in_all_ways(state, &(struct meeting){"'arr':['a','a','b'],'s':'1'", "'arr':['b','a','a'],'s':'1'",
                                              "'arr':['a','a','b'],'s':'2'", "'arr':['b','a','a'],'s':'2'", ""});
    meet_in_all_ways(state, &(struct meeting){"'arr':['a','a','b']", "'arr':['a','b']", "'arr':['a','a','b','b']",
                                              "'arr':['a','b','b']", ""});
}

static void maps_and_nested_objects_are_joined_by_part(void **state)
{
    meet_in_all_ways(state,
                     &(struct meeting){"'map':{'$map':[['a','1'],['b','1']]}", "'map':{'$map':[['a','2'],['b','1']]}",
                                       "'map':{'$map':[['a','1']]}", "'map':{'$map':[['a','2']]}", ""});
    meet_in_all_ways(state, &(struct meeting){"'o':{'a':'1'}", "'o':{'a':'2'}", "'o':{'a':'1','b':'new'}",
                                              "'o':{'a':'2','b':'new'}", ""});
}

static void of_one_property_the_loser_is_told(void **state)
{
    struct pair *p;
    begin(state);
    p = *state;
    write_doc(p, p->one, "'s':'old','o':{'a':'old'}", 10);
    send(p, p->one, p->two);
    write_doc(p, p->one, "'s':'one','o':{'a':'one'}", 20);
    write_doc(p, p->two, "'s':'two','o':{'a':'two'}", 30);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    assert_doc(p, p->one, "'s':'two','o':{'a':'two'}"); // as long a history, the later time
    assert_doc(p, p->two, "'s':'two','o':{'a':'two'}");
    assert_losses("s=\"one\" o.a=\"one\" ");
    end(state);
}

static void a_clock_ahead_does_not_win_for_ever(void **state)
{
    struct pair *p = *state;
    write_doc(p, p->one, "'s':'old'", 10);
    send(p, p->one, p->two);
    write_doc(p, p->one, "'s':'ahead'", 9e9);
    send(p, p->one, p->two);
    write_doc(p, p->one, "'s':'right again'", 30);
    write_doc(p, p->two, "'t':'meanwhile','s':'ahead'", 31);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    assert_doc(p, p->one, "'s':'right again','t':'meanwhile'");
    assert_doc(p, p->two, "'s':'right again','t':'meanwhile'");
    write_doc(p, p->one, "'s':'one','t':'meanwhile'", 9e9);
    write_doc(p, p->two, "'s':'two','t':'meanwhile'", 40);
    write_doc(p, p->two, "'s':'two later','t':'meanwhile'", 41);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    assert_doc(p, p->one, "'s':'two later','t':'meanwhile'"); // written twice
    assert_losses("s=\"one\" ");
}

// An object is there as a whole or not: a must not be missing.
static void a_nested_object_is_removed_or_kept_as_a_whole(void **state)
{
    struct pair *p = *state;
    write_doc(p, p->one, "'o':{'a':'1','b':'2'}", 10);
    send(p, p->one, p->two);
    write_doc(p, p->one, "", 20);
    write_doc(p, p->two, "'o':{'a':'1','b':'3'}", 30);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    assert_doc(p, p->one, "'o':{'a':'1','b':'3'}");
    assert_doc(p, p->two, "'o':{'a':'1','b':'3'}");
    assert_losses("o=null ");
}

static void edits_of_long_ago_count_too(void **state)
{
    struct pair *p = *state;
    struct buf members = {0};
    write_doc(p, p->one, "'s':'old','t':'old','n':0,'bag':[1,2]", 10);
    send(p, p->one, p->two);
    for (unsigned i = 1; i <= 100; i++) {
        buf_clear(&members);
        buf_printf(&members, "'s':'new','t':'old','n':%u,'bag':[2,3]", i);
        write_doc(p, p->one, buf_cstr(&members), i);
    }
    buf_free(&members);
    write_doc(p, p->two, "'s':'old','t':'new','n':0,'bag':[1,2,4]", 5000);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    assert_doc(p, p->one, "'s':'new','t':'new','n':100,'bag':[2,3,4]");
    assert_doc(p, p->two, "'s':'new','t':'new','n':100,'bag':[2,3,4]");
    assert_losses("");
}

// Each merged what it had of the other, then both wrote on and meet again: two versions are the last that both have.
static void merges_that_cross_are_merged(void **state)
{
    struct pair *p = *state;
    write_doc(p, p->one, "'s':'0','t':'0','n':0", 10);
    send(p, p->one, p->two);
    struct version_result one = write_doc(p, p->one, "'s':'1','t':'0','n':0", 20);
    struct version_result two = write_doc(p, p->two, "'s':'0','t':'2','n':0", 30);
    memory_source_copy(p->one, p->two);
    memory_source_copy(p->two, p->one);
    follow(p->one, &two.node);
    follow(p->two, &one.node);
    write_doc(p, p->one, "'s':'1','t':'3','n':0", 40);
    write_doc(p, p->two, "'s':'1','t':'2','n':4", 50);
    send(p, p->one, p->two);
    send(p, p->two, p->one);
    assert_doc(p, p->one, "'s':'1','t':'3','n':4");
    assert_doc(p, p->two, "'s':'1','t':'3','n':4");
    assert_losses("");
}

// Somebody in the middle, who forgets histories, had told each of the other's version; what that lost comes back.
static void what_a_peer_in_the_middle_made_of_it_is_mended(void **state)
{
    struct pair *p = *state;
    struct version_result ignored;
    struct error e = {0};
    write_doc(p, p->one, "'s':'0','t':'0'", 10);
    send(p, p->one, p->two);
    struct version_result one = write_doc(p, p->one, "'s':'1','t':'0'", 20);
    struct version_result two = write_doc(p, p->two, "'s':'0','t':'2'", 30);
    memory_source_copy(p->one, p->two);
    memory_source_copy(p->two, p->one);
    assert_int_equal(version_merge_foreign(&p->one->source, &two.hash, 30, &ignored, &e), STATUS_OK);
    assert_int_equal(version_merge_foreign(&p->two->source, &one.hash, 20, &ignored, &e), STATUS_OK);
    assert_doc(p, p->one, "'s':'0','t':'2'"); // as the reference merges
    for (size_t i = 0; i < 2; i++) {
        struct versionnode head = head_of(p, i == 0 ? p->two : p->one);
        memory_source_copy(i == 0 ? p->one : p->two, i == 0 ? p->two : p->one);
        follow(i == 0 ? p->one : p->two, &head.hash);
    }
    assert_doc(p, p->one, "'s':'1','t':'2'");
    assert_doc(p, p->two, "'s':'1','t':'2'");
}

// A history made to be costly: one node joins thousands of roots, and so does another one.
static void wide_merges_take_no_longer_than_their_size(void **state)
{
    enum { ROOTS = 20000 };
    struct pair *p = *state;
    struct version_result one = write_doc(p, p->one, "'s':'0'", 10);
    struct hash *roots = mem_array(ROOTS, sizeof *roots);
    for (size_t i = 0; i < ROOTS; i++)
        roots[i] = fixture_node(p->one, "Edge", NULL, 0, &one.hash, 0, (double)i + 100);
    struct hash first = fixture_node(p->one, "Merge", roots, ROOTS - 1, &one.hash, 1, 1);
    struct hash second = fixture_node(p->one, "Merge", roots + 1, ROOTS - 1, &one.hash, 1, 2);
    free(roots);
    uint64_t began = clock_monotonic_ms();
    follow(p->one, &first);
    follow(p->one, &second);
    assert_true(clock_monotonic_ms() - began < 20000); // squared it would be minutes
    assert_doc(p, p->one, "'s':'0'");
    assert_losses("");
}

// ---- What the reference's merge loses ------------------------------------------------------------------------------

// One node takes in versions of a peer that knows it only by its versions.
static void what_the_merge_of_the_reference_loses_is_told(void **state)
{
    struct pair *p = *state;
    struct version_result r;
    struct error e = {0};
    struct version_result begun = write_doc(p, p->one, "'s':'0','t':'0'", 10);
    memory_source_copy(p->two, p->one);
    assert_int_equal(version_merge_foreign(&p->two->source, &begun.hash, 10, &r, &e), STATUS_OK);
    struct version_result seen = write_doc(p, p->two, "'s':'0','t':'seen'", 20);
    memory_source_copy(p->one, p->two);
    assert_int_equal(version_merge_foreign(&p->one->source, &seen.hash, 20, &r, &e), STATUS_OK);
    assert_int_equal(version_find_lost(&p->one->source, &begun.node, &seen.node, &r.hash, &e), STATUS_OK);
    assert_losses(""); // it was written on top of ours
    struct hash head = r.node;
    struct version_result ours = write_doc(p, p->one, "'s':'ours','t':'seen'", 30);
    struct version_result theirs = write_doc(p, p->two, "'s':'0','t':'theirs'", 40);
    memory_source_copy(p->one, p->two);
    assert_int_equal(version_merge_foreign(&p->one->source, &theirs.hash, 40, &r, &e), STATUS_OK);
    assert_doc(p, p->one, "'s':'0','t':'theirs'");
    assert_int_equal(version_find_lost(&p->one->source, &ours.node, &theirs.node, &r.hash, &e), STATUS_OK);
    assert_losses("s=\"ours\" ");
    assert_false(hash_eq(&head, &r.node));
}

// A history that somebody made long is not walked for each version that he adds to it.
static void what_a_long_history_loses_is_not_looked_for(void **state)
{
    enum { NODES = 5000 };
    struct pair *p = *state;
    struct version_result r;
    struct error e = {0};
    struct version_result ours = write_doc(p, p->one, "'s':'ours'", 10);
    struct version_result theirs = write_doc(p, p->two, "'s':'theirs'", 20);
    memory_source_copy(p->one, p->two);
    struct hash last = theirs.node;
    for (size_t i = 1; i < NODES; i++)
        last = fixture_node(p->one, "Change", &last, 1, &theirs.hash, (double)i, (double)i + 20);
    assert_int_equal(version_merge_foreign(&p->one->source, &theirs.hash, NODES + 20, &r, &e), STATUS_OK);
    assert_int_equal(version_find_lost(&p->one->source, &ours.node, &last, &r.hash, &e), STATUS_TOO_BIG);
    assert_losses("");
}

// ---- Any order ------------------------------------------------------------------------------------------------------

static uint32_t below(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 16) % n;
}

static struct value *some_items(struct pair *p, uint32_t *seed)
{
    struct value *set = value_set(p->a);
    for (uint32_t i = 0; i < 5; i++)
        if (below(seed, 2) == 0)
            value_add(p->a, set, value_text(p->a, (const char *[]){"0", "1", "2", "3", "4"}[i]));
    return set;
}

static struct value *some_entries(struct pair *p, uint32_t *seed)
{
    static const char *const keys[] = {"a", "b", "c"};
    struct value *map = value_map(p->a);
    for (size_t i = 0; i < 3; i++)
        if (below(seed, 3) != 0)
            value_put(p->a, map, value_text(p->a, keys[i]), value_text(p->a, keys[below(seed, 3)]));
    return map;
}

// What lies at a node with one thing changed, as a node changes a setting.
static void write_some(struct pair *p, struct memory_source *m, uint32_t *seed)
{
    static const char *const texts[] = {"x", "y", "z"};
    struct hash head;
    struct value *v = hash_is_zero(&p->id) || !memory_source_head(m, &p->id, &head)
                          ? fixture_value(p->a, "{\"$type$\":\"Doc\",\"id\":\"d\"}")
                          : current(p, m);
    switch (below(seed, 4)) {
    case 0:
        value_set_member(p->a, v, SPAN("s"), value_text(p->a, texts[below(seed, 3)]));
        break;
    case 1:
        value_remove_member(v, SPAN("s"));
        break;
    case 2:
        value_set_member(p->a, v, SPAN("set"), some_items(p, seed));
        break;
    default:
        value_set_member(p->a, v, SPAN("map"), some_entries(p, seed));
    }
    write_value(p, m, v, below(seed, 1000));
}

static bool has_all(const struct value *of, const struct value *in) // maps in any order
{
    if (of == NULL || in == NULL || of->kind != VALUE_MAP)
        return (of == NULL && in == NULL) || (of != NULL && in != NULL && value_eq(of, in));
    for (size_t i = 0; i < of->map.count; i++) {
        struct value *v = value_map_get(in, of->map.pairs[i].key->string);
        if (v == NULL || !value_eq(v, of->map.pairs[i].value))
            return false;
    }
    return of->map.count == in->map.count;
}

static void nodes_that_have_the_same_versions_agree(void **state)
{
    static const char *const names[] = {"s", "set", "map"};
    for (uint32_t run = 1; run <= 300; run++) {
        begin(state);
        struct pair *p = *state;
        uint32_t seed = run;
        write_some(p, p->one, &seed);
        send(p, p->one, p->two);
        for (size_t i = 0; i < 12; i++) {
            bool first = below(&seed, 2) == 0;
            if (below(&seed, 3) != 0)
                write_some(p, first ? p->one : p->two, &seed);
            else
                send(p, first ? p->one : p->two, first ? p->two : p->one);
        }
        send(p, p->one, p->two);
        send(p, p->two, p->one);
        for (size_t i = 0; i < 3; i++)
            if (!has_all(value_get(current(p, p->one), span_of(names[i])),
                         value_get(current(p, p->two), span_of(names[i]))))
                fail_msg("run %u: '%s' differs", run, names[i]);
        end(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_removed_stays_removed, begin, end),
        cmocka_unit_test_setup_teardown(several_versions_come_at_once, begin, end),
        cmocka_unit_test_setup_teardown(both_wrote, begin, end),
        cmocka_unit_test_setup_teardown(independent_beginnings_are_joined_and_followed, begin, end),
        cmocka_unit_test_setup_teardown(stores_of_before_go_on, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_version_is_refused, begin, end),
        cmocka_unit_test(edits_of_different_properties_all_stay),
        cmocka_unit_test(items_come_and_go_on_both_sides),
        cmocka_unit_test(lists_keep_their_order_and_what_they_hold_twice),
        cmocka_unit_test(maps_and_nested_objects_are_joined_by_part),
        cmocka_unit_test(of_one_property_the_loser_is_told),
        cmocka_unit_test_setup_teardown(a_clock_ahead_does_not_win_for_ever, begin, end),
        cmocka_unit_test_setup_teardown(a_nested_object_is_removed_or_kept_as_a_whole, begin, end),
        cmocka_unit_test_setup_teardown(edits_of_long_ago_count_too, begin, end),
        cmocka_unit_test_setup_teardown(merges_that_cross_are_merged, begin, end),
        cmocka_unit_test_setup_teardown(what_a_peer_in_the_middle_made_of_it_is_mended, begin, end),
        cmocka_unit_test_setup_teardown(wide_merges_take_no_longer_than_their_size, begin, end),
        cmocka_unit_test_setup_teardown(what_a_long_history_loses_is_not_looked_for, begin, end),
        cmocka_unit_test_setup_teardown(what_the_merge_of_the_reference_loses_is_told, begin, end),
        cmocka_unit_test(nodes_that_have_the_same_versions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
