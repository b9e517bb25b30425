// Peers that show what they do not have, lie about it, or want to exhaust us: nobody but the root concerned is harmed.
#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

// A root beside every broken one: it has to arrive.
static struct hash show_witness(struct gallery *g)
{
    struct hash h = gallery_object(g, "{'$type$':'Child','x':'witness'}");
    gallery_root(g, &h, "Child");
    return h;
}

static void expect_only_failure(struct gallery *g, const char *code)
{
    struct hash witness = show_witness(g);
    gallery_pass(g);
    assert_int_equal(g->ours->closed, 0);
    assert_int_equal(side_presence(g->ours, &witness), STORE_PRESENT);
    assert_string_equal(g->ours->last_failure.code, code);
    assert_int_equal(chum_session_counts(g->ours->session).failed_roots, 1);
}

enum { DEEP = 40 }; // links, more than are looked at from below

static const struct hash nowhere = {{0x5a}};

static void dangling(struct gallery *g, const char *member)
{
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','%s':'%s'}", member, hash_text(&nowhere).s);
    gallery_root(g, &root, "Album");
    expect_only_failure(g, "CI-ACO");
    assert_int_equal(side_presence(g->ours, &root), STORE_ABSENT);
}

static void a_dangling_object_is_refused(void **state)
{
    dangling(*state, "next");
}

static void a_dangling_id_is_refused(void **state)
{
    dangling(*state, "about");
}

static void a_dangling_blob_is_refused(void **state)
{
    dangling(*state, "image");
}

static void a_dangling_clob_is_refused(void **state)
{
    dangling(*state, "text");
}

static void a_link_has_to_lead_to_its_kind(void **state)
{
    struct gallery *g = *state;
    struct hash file = side_file(g->ours, SPAN("a file, not an object"));
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&file).s);
    gallery_root(g, &root, "Album");
    expect_only_failure(g, "CI-ACO");
}

static void wrong_bytes_are_refused(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Child");
    gallery_text(g, &root, SPAN("<div itemscope itemtype=\"//refin.io/Child\"><span itemprop=\"x\">2</span></div>"));
    expect_only_failure(g, "CIEC-FO2");
}

static void a_root_of_another_type_is_refused(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Album");
    expect_only_failure(g, "CIEC-FOWT1");
    assert_int_equal(side_presence(g->ours, &root), STORE_ABSENT);
}

static void rights_are_refused_as_parts(void **state)
{
    struct gallery *g = *state;
    struct hash access =
        gallery_object(g, "{'$type$':'Access','object':'%s','person':[],'group':[]}", hash_text(&nowhere).s);
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&access).s);
    gallery_child(g, &root, "object", &access);
    gallery_root(g, &root, "Album");
    expect_only_failure(g, "CIEC-FO3");
    assert_int_equal(side_presence(g->ours, &access), STORE_ABSENT);
}

static struct hash planted(struct gallery *g, const char *text)
{
    return gallery_object(g, "{'$type$':'Doc','id':'planted','s':'%s'}", text);
}

// Below something else a version would wait for a day on which somebody believes it.
static void versions_are_refused_below_other_things(void **state)
{
    struct gallery *g = *state;
    struct hash data = planted(g, "x");
    struct hash node =
        gallery_object(g, "{'$type$':'VersionNodeEdge','depth':0,'creationTime':1,'data':'%s'}", hash_text(&data).s);
    struct hash id = gallery_id_of(g, &data);
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&node).s);
    gallery_child(g, &root, "object", &node);
    gallery_child(g, &root, "object", &data);
    gallery_child(g, &root, "id", &id);
    gallery_root(g, &root, "Album");
    expect_only_failure(g, "CI-CCI1");
    assert_int_equal(side_presence(g->ours, &node), STORE_ABSENT);
}

static void a_depth_has_to_follow_from_the_history(void **state)
{
    struct gallery *g = *state;
    struct hash data = planted(g, "first");
    struct hash id = gallery_id_of(g, &data);
    struct hash first = gallery_version(g, &data, NULL, 0);
    struct hash other = planted(g, "second");
    struct hash deep = gallery_version(g, &other, &first, 1000000000);
    expect_only_failure(g, "NOT-A-VERSION");
    assert_int_equal(side_presence(g->ours, &deep), STORE_ABSENT);
    struct hash current = side_current(g->ours, &id);
    assert_true(hash_eq(&current, &data)); // what was right before it counts
}

// The peer knows a hash of ours and links to it. It is asked as if we had nothing, and has to send it.
static void what_is_here_has_to_be_sent_by_who_links_to_it(void **state)
{
    struct gallery *g = *state;
    struct hash secret = side_put(g->ours, "{'$type$':'Child','x':'our secret'}");
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&secret).s);
    gallery_child(g, &root, "object", &secret);
    gallery_root(g, &root, "Album");
    gallery_text(g, &secret, SPAN("a guess"));
    expect_only_failure(g, "CIEC-FO2");
    assert_int_equal(side_presence(g->ours, &root), STORE_ABSENT);
    assert_non_null(strstr(buf_cstr(&g->script.log), hash_text(&secret).s));
}

static void what_is_not_even_listed_has_to_be_sent_too(void **state)
{
    struct gallery *g = *state;
    struct hash secret = side_put(g->ours, "{'$type$':'Child','x':'our secret'}");
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&secret).s);
    gallery_root(g, &root, "Album");
    expect_only_failure(g, "CI-ACO");
    assert_int_equal(side_presence(g->ours, &root), STORE_ABSENT);
}

static void what_the_peer_has_too_is_taken(void **state)
{
    struct gallery *g = *state;
    struct hash common = side_put(g->ours, "{'$type$':'Child','x':'known to all'}");
    struct hash same = gallery_object(g, "{'$type$':'Child','x':'known to all'}");
    assert_true(hash_eq(&common, &same));
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&common).s);
    gallery_child(g, &root, "object", &common);
    gallery_root(g, &root, "Album");
    gallery_pass(g);
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
    assert_string_equal(buf_cstr(&g->ours->failures), "");
}

static void what_the_peer_is_shown_is_not_asked_for(void **state)
{
    struct gallery *g = *state;
    struct hash shown = side_put(g->ours, "{'$type$':'Child','x':'for you'}");
    struct hash top = side_put(g->ours, "{'$type$':'Album','title':'yours','next':'%s'}", hash_text(&shown).s);
    side_grant(g->ours, &top, g->peer);
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&shown).s);
    gallery_child(g, &root, "object", &shown);
    gallery_root(g, &root, "Album");
    gallery_pass(g);
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
    assert_null(strstr(buf_cstr(&g->script.log), hash_text(&shown).s));
}

// What is shown lies so deep below what is granted that it is found from above only, as the peer lists it: what was not
// asked for because the peer is shown it is not strange later, when what refers to it is stored from below upwards.
static void what_is_shown_from_far_above_is_not_strange(void **state)
{
    struct gallery *g = *state;
    struct hash chain[DEEP];
    chain[DEEP - 1] = side_put(g->ours, "{'$type$':'Album','title':'bottom'}");
    for (size_t i = DEEP - 1; i-- > 0;)
        chain[i] = side_put(g->ours, "{'$type$':'Album','title':'%zu','next':'%s'}", i, hash_text(&chain[i + 1]).s);
    side_grant(g->ours, &chain[0], g->peer);
    struct hash *bottom = &chain[DEEP - 1];
    struct hash part = gallery_object(g, "{'$type$':'Album','title':'part','next':'%s'}", hash_text(bottom).s);
    struct hash root = gallery_object(g, "{'$type$':'Album','title':'root','next':'%s'}", hash_text(&part).s);
    struct hash other = gallery_object(g, "{'$type$':'Album','title':'other','next':'%s'}", hash_text(bottom).s);
    for (size_t i = 0; i < DEEP; i++) {
        gallery_child(g, &root, "object", &chain[i]);
        gallery_child(g, &other, "object", &chain[i]);
    }
    gallery_child(g, &root, "object", &part);
    gallery_root(g, &root, "Album");
    gallery_root(g, &other, "Album");
    gallery_pass(g);
    assert_string_equal(buf_cstr(&g->ours->failures), "");
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
    assert_int_equal(side_presence(g->ours, &other), STORE_PRESENT);
    assert_null(strstr(buf_cstr(&g->script.log), hash_text(bottom).s));
}

static void unknown_types_are_skipped_unasked(void **state)
{
    struct gallery *g = *state;
    gallery_root(g, &nowhere, "NobodyKnowsThisType");
    gallery_root(g, &nowhere, "Access");
    struct hash witness = show_witness(g);
    gallery_pass(g);
    assert_int_equal(side_presence(g->ours, &witness), STORE_PRESENT);
    assert_int_equal(chum_session_counts(g->ours->session).skipped_roots, 2);
    assert_int_equal(chum_session_counts(g->ours->session).failed_roots, 0);
    assert_null(strstr(buf_cstr(&g->script.log), hash_text(&nowhere).s));
}

static void a_huge_object_is_refused(void **state)
{
    struct gallery *g = *state;
    struct buf text = {0};
    buf_add_text(&text, "<div itemscope itemtype=\"//refin.io/Child\"><span itemprop=\"x\">");
    size_t size = CHUM_LONG_TEXT_MAX;
    memset(buf_reserve(&text, size), 'x', size);
    text.len += size;
    buf_add_text(&text, "</span></div>");
    struct hash root = gallery_hash(buf_span(&text));
    gallery_text(g, &root, buf_span(&text));
    gallery_root(g, &root, "Child");
    buf_free(&text);
    expect_only_failure(g, "OBJECT-TOO-BIG");
}

static void a_list_of_children_that_is_none_fails_its_root(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Child");
    json_object_set_new(json_object_get(g->exporter, "children"), hash_text(&root).s, json_string("{\"a\":1}"));
    expect_only_failure(g, "DC-PC2");
}

static void an_endless_list_of_children_fails_its_root(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Child");
    struct buf list = {0};
    buf_add_char(&list, '[');
    for (size_t i = 0; list.len < (32 << 20); i++)
        buf_printf(&list, "%s0", i != 0 ? "," : "");
    buf_add_char(&list, ']');
    json_object_set_new(json_object_get(g->exporter, "children"), hash_text(&root).s,
                        json_stringn(list.data, list.len));
    buf_free(&list);
    expect_only_failure(g, "DC-PC3");
}

// ---- Versions ------------------------------------------------------------------------------------------------------

static struct hash doc(struct gallery *g, const char *text)
{
    return gallery_object(g, "{'$type$':'Doc','id':'d','s':'%s'}", text);
}

static void a_broken_version_hinders_no_other(void **state)
{
    struct gallery *g = *state;
    struct hash first = doc(g, "first");
    struct hash second = doc(g, "second");
    struct hash third = doc(g, "third");
    struct hash id = gallery_id_of(g, &first);
    struct hash n1 = gallery_version(g, &first, NULL, 0);
    struct hash n2 = gallery_version(g, &second, &n1, 1);
    struct hash n3 = gallery_version(g, &third, &n2, 2);
    gallery_text(g, &third, SPAN("<div itemscope itemtype=\"//refin.io/Doc\">nonsense"));
    expect_only_failure(g, "CIEC-FO2");
    stage_wait_passes(&g->stage, g->ours, 2);
    assert_int_equal(side_presence(g->ours, &n2), STORE_PRESENT);
    assert_int_equal(side_presence(g->ours, &n3), STORE_ABSENT);
    struct hash current = side_current(g->ours, &id);
    assert_true(hash_eq(&current, &second));
}

// The newest comes with everything before it and is refused at the end: what is before it counts all the same.
static void versions_below_a_refused_one_count(void **state)
{
    struct gallery *g = *state;
    struct hash first = doc(g, "first");
    struct hash other = gallery_object(g, "{'$type$':'Doc','id':'other','s':'x'}");
    struct hash id = gallery_id_of(g, &first);
    struct hash n1 = gallery_version(g, &first, NULL, 0);
    struct hash n2 = gallery_version(g, &other, &n1, 1);
    json_t *roots = json_object_get(g->exporter, "roots");
    json_object_set_new(json_array_get(roots, 1), "dataIdHash", json_string(hash_text(&id).s));
    expect_only_failure(g, "CI-CCI1");
    assert_int_equal(side_presence(g->ours, &n2), STORE_ABSENT);
    struct hash current = side_current(g->ours, &id);
    assert_true(hash_eq(&current, &first));
}

struct awaited {
    struct side *side;
    struct hash hash;
};

static bool is_here(void *ctx)
{
    struct awaited *a = ctx;
    return side_presence(a->side, &a->hash) == STORE_PRESENT;
}

static void many_versions_come_in_several_passes(void **state)
{
    struct gallery *g = *state;
    enum { COUNT = 150 };
    struct hash last = {{0}};
    char text[20];
    for (int i = 0; i < COUNT; i++) { // none is part of another
        snprintf(text, sizeof text, "%03d", i);
        last = doc(g, text);
        gallery_version(g, &last, NULL, i);
    }
    gallery_pass(g);
    json_t *roots = json_object_get(g->exporter, "roots");
    for (size_t i = 0; i < COUNT; i++) {
        struct awaited node = {.side = g->ours};
        const char *name = json_string_value(json_object_get(json_array_get(roots, i), "node"));
        assert_true(hash_parse(span_of(name), &node.hash));
        stage_wait(&g->stage, is_here, &node, "a version");
    }
    struct hash id = gallery_id_of(g, &last);
    struct hash current = side_current(g->ours, &id);
    assert_true(hash_eq(&current, &last));
    assert_int_equal(chum_session_counts(g->ours->session).failed_roots, 0);
}

static size_t lists_asked_for(struct gallery *g)
{
    size_t count = 0;
    char line[16];
    snprintf(line, sizeof line, "%d ", CHUM_GET_OBJECT_CHILDREN);
    for (const char *at = buf_cstr(&g->script.log); (at = strstr(at, line)) != NULL; at++)
        count += at == g->script.log.data || at[-1] == '\n';
    return count;
}

// Every version fails for what lies below all of them: they are not all fetched again and again.
static void versions_that_all_fail_are_tried_less_and_less(void **state)
{
    enum { COUNT = 40, MINUTE = 60000 };
    struct gallery *g = *state;
    struct hash first = doc(g, "first");
    struct hash id = gallery_id_of(g, &first);
    struct hash node = gallery_version(g, &first, NULL, 0);
    struct hash last = first;
    char name[20];
    json_t *objects = json_object_get(g->exporter, "objects");
    json_t *right = json_incref(json_object_get(objects, hash_text(&first).s));
    json_object_set_new(objects, hash_text(&first).s, json_string("<div"));
    for (int i = 1; i < COUNT; i++) {
        snprintf(name, sizeof name, "%d", i);
        last = doc(g, name);
        struct hash next = gallery_version(g, &last, &node, i);
        gallery_child(g, &next, "object", &first);
        node = next;
    }
    gallery_pass(g);
    stage_sleep(&g->stage, 20 * MINUTE);
    size_t asked = lists_asked_for(g);
    assert_in_range(asked, 4, 20);
    assert_int_equal(chum_session_counts(g->ours->session).stuck, 1);
    assert_int_equal(g->ours->stuck, 1);
    json_object_set_new(objects, hash_text(&first).s, right);
    stage_sleep(&g->stage, 6 * MINUTE);
    struct hash current = side_current(g->ours, &id);
    assert_true(hash_eq(&current, &last));
    assert_int_equal(chum_session_counts(g->ours->session).stuck, 0);
    assert_int_equal(chum_session_counts(g->ours->session).failed_roots, 0);
}

// ---- Peers that do not answer, or ask too much ---------------------------------------------------------------------

static bool deaf_to_one(void *ctx, struct script *script, const struct rpc_request *r)
{
    (void)script;
    const char *hash = json_string_value(json_array_get(r->args, 0));
    return r->service == CHUM_GET_OBJECT && hash != NULL && strcmp(hash, ctx) == 0;
}

static bool has_failed(void *ctx)
{
    return ((struct side *)ctx)->failures.len != 0;
}

static void an_unanswered_object_fails_its_root(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    struct hash_text name = hash_text(&root);
    gallery_root(g, &root, "Child");
    g->script.serve = deaf_to_one;
    g->script.ctx = name.s;
    struct hash witness = show_witness(g);
    gallery_pass(g); // the next ones do not wait for it
    assert_int_equal(side_presence(g->ours, &witness), STORE_PRESENT);
    stage_wait(&g->stage, has_failed, g->ours, "the failure to be told");
    assert_string_equal(g->ours->last_failure.code, "RPC-TIMEOUT");
    assert_int_equal(g->ours->closed, 0);
}

static void failures_are_told_once(void **state)
{
    struct gallery *g = *state;
    dangling(g, "next");
    stage_wait_passes(&g->stage, g->ours, 20);
    assert_string_equal(buf_cstr(&g->ours->failures), "CI-ACO ");
}

static size_t answers;

static void count_answer(void *ctx, const struct rpc_reply *reply)
{
    (void)ctx;
    assert_int_equal(reply->kind, RPC_ERROR);
    assert_string_equal(reply->error->code, "CES-GO1");
    answers++;
}

static bool all_answered(void *ctx)
{
    return answers == *(size_t *)ctx;
}

static void a_flood_of_questions_is_answered(void **state)
{
    struct gallery *g = *state;
    size_t count = 20000;
    char args[80];
    gallery_pass(g);
    snprintf(args, sizeof args, "[\"%s\"]", hash_text(&nowhere).s);
    for (size_t i = 0; i < count; i++)
        rpc_call(g->script.rpc, CHUM_GET_OBJECT, span_of(args), conn_now(g->script.conn), 60000, count_answer, NULL);
    stage_wait(&g->stage, all_answered, &count, "all answers");
}

static struct hash asked_for;

static void count_list(void *ctx, const struct rpc_reply *reply)
{
    (void)ctx;
    assert_int_equal(reply->kind, RPC_DATA);
    answers++;
}

static void a_flood_of_expensive_questions_is_answered(void **state)
{
    struct gallery *g = *state;
    size_t count = 9000;
    char args[80];
    answers = 0;
    asked_for = side_put(g->ours, "{'$type$':'Child','x':'1'}");
    side_grant(g->ours, &asked_for, g->peer);
    gallery_pass(g);
    script_ask(&g->stage, &g->script, CHUM_GET_ACCESSIBLE_ROOTS, "[]");
    snprintf(args, sizeof args, "[\"%s\"]", hash_text(&asked_for).s);
    for (size_t i = 0; i < count; i++)
        rpc_call(g->script.rpc, CHUM_GET_OBJECT_CHILDREN, span_of(args), conn_now(g->script.conn), 60000, count_list,
                 NULL);
    stage_wait(&g->stage, all_answered, &count, "all answers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GALLERY_TEST(a_dangling_object_is_refused),
        GALLERY_TEST(a_dangling_id_is_refused),
        GALLERY_TEST(a_dangling_blob_is_refused),
        GALLERY_TEST(a_dangling_clob_is_refused),
        GALLERY_TEST(a_link_has_to_lead_to_its_kind),
        GALLERY_TEST(wrong_bytes_are_refused),
        GALLERY_TEST(a_root_of_another_type_is_refused),
        GALLERY_TEST(rights_are_refused_as_parts),
        GALLERY_TEST(versions_are_refused_below_other_things),
        GALLERY_TEST(a_depth_has_to_follow_from_the_history),
        GALLERY_TEST(what_is_here_has_to_be_sent_by_who_links_to_it),
        GALLERY_TEST(what_is_not_even_listed_has_to_be_sent_too),
        GALLERY_TEST(what_the_peer_has_too_is_taken),
        GALLERY_TEST(what_the_peer_is_shown_is_not_asked_for),
        GALLERY_TEST(what_is_shown_from_far_above_is_not_strange),
        GALLERY_TEST(unknown_types_are_skipped_unasked),
        GALLERY_TEST(a_huge_object_is_refused),
        GALLERY_TEST(a_list_of_children_that_is_none_fails_its_root),
        GALLERY_TEST(an_endless_list_of_children_fails_its_root),
        GALLERY_TEST(a_broken_version_hinders_no_other),
        GALLERY_TEST(versions_below_a_refused_one_count),
        GALLERY_TEST(many_versions_come_in_several_passes),
        GALLERY_TEST(versions_that_all_fail_are_tried_less_and_less),
        GALLERY_TEST(an_unanswered_object_fails_its_root),
        GALLERY_TEST(failures_are_told_once),
        GALLERY_TEST(a_flood_of_questions_is_answered),
        GALLERY_TEST(a_flood_of_expensive_questions_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
