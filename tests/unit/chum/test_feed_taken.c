// What is taken from a contact's batch is what would be taken of its list of roots. The played contact lists nothing,
// so that whatever is here in the end came in a batch.
#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "chum/batch.h"

enum { TOO_BIG = 5 << 20, TOO_MUCH = 600 << 10, TOO_MANY = 5000, REST_MS = 5000 };

struct play {
    struct gallery g;
    struct buf batch;   // that is answered first
    unsigned feeds;     // asked for
    unsigned lists;     // likewise
    uint64_t answer_ms; // when the batch was answered
    uint64_t next_ms;   // and asked for the next one
    uint64_t rest_until;
    bool over_budget;
    const char *refusal; // the code of the error that is answered to all questions
    unsigned jams;       // jobs that the store is to fail
    struct buf words;    // of all questions, what each says of what came before
    bool told_left;      // the second question says that something of the first answer is not stored
    bool once_more;      // the batch is the next answer
    bool endless;        // there is always more, and nothing new
    bool repeats;        // the batch, always
};

static bool answer(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct play *p = ctx;
    p->lists += r->service == CHUM_GET_ACCESSIBLE_ROOTS;
    if (r->service != CHUM_FEED)
        return false;
    const char *word = json_string_value(json_array_get(r->args, 2));
    buf_printf(&p->words, "%s ", word != NULL ? word : "-");
    if (p->refusal != NULL) {
        p->feeds++;
        rpc_answer_error(script->rpc, r->id, "Error", "not now", p->refusal);
        return true;
    }
    if (p->feeds++ == 0 || p->once_more) {
        p->once_more = false;
        p->answer_ms = pipe_world_now(p->g.stage.world);
        rpc_answer_string(script->rpc, r->id, buf_span(&p->batch));
        return true;
    }
    if (p->feeds == 2)
        p->told_left = json_is_string(json_array_get(r->args, 2)) &&
                       strcmp(json_string_value(json_array_get(r->args, 2)), "left") == 0;
    p->next_ms = p->next_ms != 0 ? p->next_ms : pipe_world_now(p->g.stage.world);
    if (p->endless)
        rpc_answer_string(script->rpc, r->id,
                          p->feeds % 2 == 0 && !p->repeats ? SPAN("7 2 more\n") : buf_span(&p->batch));
    else
        rpc_answer_string(script->rpc, r->id, SPAN("7 2 end\n"));
    return true;
}

static int begin(void **state)
{
    struct play *p = mem_alloc(sizeof *p);
    const struct chum_batch_head head = {.next = {7, 2}, .more = CHUM_BATCH_END};
    gallery_begin(&p->g, 3);
    p->g.script.serve = answer;
    p->g.script.ctx = p;
    p->g.ours->options.feeds = true;
    chum_batch_write_head(&head, &p->batch);
    *state = p;
    return 0;
}

static int end(void **state)
{
    struct play *p = *state;
    buf_free(&p->batch);
    buf_free(&p->words);
    gallery_end(&p->g);
    free(p);
    return 0;
}

static void meet(struct play *p)
{
    gallery_greet(&p->g, "[{'news':1,'feeds':1}]");
    assert_int_equal(p->g.ours->closed, 0);
    assert_in_range(p->feeds, 1, 2);
}

// ---- Batches --------------------------------------------------------------------------------------------------------

static void add_text(struct play *p, const struct hash *hash, struct span text)
{
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_OBJECT, .kind = LINK_OBJECT, .hash = *hash, .text = text},
                     &p->batch);
}

static void add(struct play *p, const struct hash *hash)
{
    const json_t *text = json_object_get(json_object_get(p->g.exporter, "objects"), hash_text(hash).s);
    add_text(p, hash, (struct span){json_string_value(text), json_string_length(text)});
}

static void begin_root(struct play *p, const struct hash *hash, const char *type)
{
    char entry[200];
    snprintf(entry, sizeof entry, "{\"type\":\"unversioned\",\"hash\":\"%s\",\"oneType\":\"%s\"}", hash_text(hash).s,
             type);
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT, .text = span_of(entry)}, &p->batch);
}

static void end_root(struct play *p)
{
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT_OVER}, &p->batch);
}

static void add_root(struct play *p, const struct hash *hash, const char *type)
{
    begin_root(p, hash, type);
    add(p, hash);
    end_root(p);
}

static void name_file(struct play *p, const struct hash *file)
{
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_FILE, .kind = LINK_BLOB, .hash = *file, .size = 9},
                     &p->batch);
}

static bool is_here(struct play *p, const struct hash *hash)
{
    return side_presence(p->g.ours, hash) == STORE_PRESENT;
}

// ---- Who is asked ---------------------------------------------------------------------------------------------------

static void who_says_that_it_has_a_feed_is_asked(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    add_root(p, &root, "Child");
    meet(p);
    assert_true(is_here(p, &root));
}

static void nobody_else_is_asked(void **state)
{
    static const char *const greetings[] = {"[]", "[{'news':1}]", "[{'feeds':0}]", "[{'feeds':'1'}]", "['feeds']"};
    (void)state;
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        void *play;
        begin(&play);
        struct play *p = play;
        gallery_greet(&p->g, greetings[i]);
        assert_int_equal(p->feeds, 0);
        assert_int_equal(p->lists, 1);
        end(&play);
    }
}

// ---- What it is given -----------------------------------------------------------------------------------------------

static void ask_for(struct play *p, enum chum_service service, const struct hash *hash)
{
    char args[100];
    snprintf(args, sizeof args, "['%s']", hash_text(hash).s);
    script_ask(&p->g.stage, &p->g.script, service, args);
}

// Asked for by a contact that knows its hash from somewhere else.
static void what_was_not_granted_is_not_given_by_its_hash_either(void **state)
{
    struct play *p = *state;
    struct hash shown = side_put(p->g.ours, "{'$type$':'Child','x':'shown'}");
    struct hash hidden = side_put(p->g.ours, "{'$type$':'Child','x':'hidden'}");
    struct hash for_carol = side_put(p->g.ours, "{'$type$':'Child','x':'for carol'}");
    side_grant(p->g.ours, &shown, p->g.peer);
    side_grant(p->g.ours, &for_carol, &p->g.stage.sides[2]);
    meet(p);
    script_ask(&p->g.stage, &p->g.script, CHUM_FEED, "['0',0]");
    const char *given = script_data(&p->g.script);
    assert_non_null(strstr(given, hash_text(&shown).s));
    assert_null(strstr(given, hash_text(&hidden).s));
    assert_null(strstr(given, hash_text(&for_carol).s));
    ask_for(p, CHUM_GET_OBJECT, &hidden);
    assert_string_equal(p->g.script.error.code, "CES-GO1");
    ask_for(p, CHUM_GET_OBJECT_CHILDREN, &for_carol);
    assert_string_equal(p->g.script.error.code, "CES-GOC1");
    ask_for(p, CHUM_GET_BLOB, &for_carol);
    assert_string_equal(p->g.script.error.code, "CES-GBL1");
}

// ---- What is not taken ----------------------------------------------------------------------------------------------

static void rights_are_not_taken(void **state)
{
    struct play *p = *state;
    struct hash good = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    struct hash grant = gallery_object(&p->g, "{'$type$':'Access','object':'%s','person':['%s'],'group':[]}",
                                       hash_text(&good).s, hash_text(&p->g.peer->node.identity.person_id).s);
    struct hash above = gallery_object(&p->g, "{'$type$':'Album','title':'t','next':'%s'}", hash_text(&grant).s);
    add_root(p, &grant, "Access");
    add_root(p, &grant, "Child");
    begin_root(p, &above, "Album");
    add(p, &grant);
    add(p, &above);
    end_root(p);
    add_root(p, &good, "Child");
    meet(p);
    assert_true(is_here(p, &good));
    assert_false(is_here(p, &grant));
    assert_false(is_here(p, &above));
}

static void what_is_not_of_its_hash_or_type_is_not_taken(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    struct hash other = gallery_object(&p->g, "{'$type$':'Child','x':'2'}");
    const json_t *text = json_object_get(json_object_get(p->g.exporter, "objects"), hash_text(&other).s);
    begin_root(p, &root, "Child");
    add_text(p, &root, span_of(json_string_value(text)));
    end_root(p);
    add_root(p, &other, "Album");
    meet(p);
    assert_false(is_here(p, &root));
    assert_false(is_here(p, &other));
}

static void what_is_too_big_for_a_contact_is_not_taken(void **state)
{
    struct play *p = *state;
    struct error e = {0};
    struct object o;
    struct arena *a = p->g.ours->arena;
    char *text = mem_alloc(TOO_BIG + 1);
    memset(text, 'x', TOO_BIG);
    struct value *v = value_object(a, SPAN("Child"));
    value_set_member(a, v, SPAN("x"), value_text(a, text));
    assert_int_equal(object_make(p->g.ours->recipes, a, v, MICRODATA_OBJECT, &o, &e), STATUS_OK);
    free(text);
    begin_root(p, &o.hash, "Child");
    add_text(p, &o.hash, o.microdata);
    end_root(p);
    meet(p);
    assert_false(is_here(p, &o.hash));
}

static void a_batch_of_too_many_things_is_not_taken(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    add_root(p, &root, "Child");
    begin_root(p, &root, "Child");
    for (size_t i = 0; i < TOO_MANY; i++)
        name_file(p, &root);
    end_root(p);
    meet(p);
    assert_false(is_here(p, &root));
}

static void a_batch_of_too_much_is_not_taken(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    char *text = mem_alloc(TOO_MUCH);
    memset(text, 'x', TOO_MUCH);
    add_root(p, &root, "Child");
    begin_root(p, &root, "Child");
    for (size_t i = 0; i < 3; i++)
        add_text(p, &root, (struct span){text, TOO_MUCH});
    end_root(p);
    free(text);
    meet(p);
    assert_false(is_here(p, &root));
}

// What lies here is not to be had by naming it.
static void what_is_ours_is_not_referred_to_unsent(void **state)
{
    struct play *p = *state;
    struct hash ours = side_put(p->g.ours, "{'$type$':'Child','x':'private'}");
    struct hash file = side_file(p->g.ours, SPAN("\x01 private"));
    struct hash above = gallery_object(&p->g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&ours).s);
    struct hash album = gallery_object(&p->g, "{'$type$':'Album','title':'b','image':'%s'}", hash_text(&file).s);
    add_root(p, &above, "Album");
    begin_root(p, &album, "Album");
    name_file(p, &file);
    add(p, &album);
    end_root(p);
    meet(p);
    assert_false(is_here(p, &above));
    assert_false(is_here(p, &album));
}

// But to whoever has it, which two may have made alike.
static void what_is_ours_is_referred_to_by_who_sent_it_too(void **state)
{
    struct play *p = *state;
    struct hash same = gallery_object(&p->g, "{'$type$':'Child','x':'the same'}");
    side_put(p->g.ours, "{'$type$':'Child','x':'the same'}");
    struct hash above = gallery_object(&p->g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&same).s);
    add_root(p, &same, "Child");
    add_root(p, &above, "Album");
    meet(p);
    assert_true(is_here(p, &above));
}

// Not what lies below, and not by a wrong text.
static void who_sends_what_is_here_has_nothing_else_of_it(void **state)
{
    struct play *p = *state;
    struct hash ours = side_put(p->g.ours, "{'$type$':'Child','x':'private'}");
    struct hash other = side_put(p->g.ours, "{'$type$':'Child','x':'other'}");
    side_put(p->g.ours, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&ours).s);
    struct hash same = gallery_object(&p->g, "{'$type$':'Album','title':'a','next':'%s'}", hash_text(&ours).s);
    struct hash above = gallery_object(&p->g, "{'$type$':'Album','title':'b','next':'%s'}", hash_text(&same).s);
    struct hash beside = gallery_object(&p->g, "{'$type$':'Album','title':'c','next':'%s'}", hash_text(&ours).s);
    struct hash wrong = gallery_object(&p->g, "{'$type$':'Album','title':'d','next':'%s'}", hash_text(&other).s);
    add_root(p, &same, "Album");
    add_root(p, &above, "Album");
    add_root(p, &beside, "Album");
    begin_root(p, &other, "Child");
    add_text(p, &other, SPAN("something else, and no object of that hash"));
    end_root(p);
    add_root(p, &wrong, "Album");
    meet(p);
    assert_false(is_here(p, &above));
    assert_false(is_here(p, &beside));
    assert_false(is_here(p, &wrong));
}

static bool wants_all;

static bool wants(void *ctx, struct store *s, const struct hash *sender, struct span type, const struct hash *id_hash)
{
    (void)ctx, (void)s, (void)sender, (void)id_hash;
    return wants_all || !span_eq_text(type, "Child");
}

// What comes later may be the reason why it is wanted now.
static void what_was_not_wanted_is_asked_for_again_with_the_next_news(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    wants_all = false;
    p->g.ours->policy.wants = wants;
    meet(p);
    add_root(p, &root, "Child");
    p->once_more = true;
    script_ask(&p->g.stage, &p->g.script, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, "[]");
    stage_sleep(&p->g.stage, 2000);
    assert_false(p->once_more);
    assert_false(is_here(p, &root));
    unsigned lists = p->lists;
    wants_all = true;
    script_ask(&p->g.stage, &p->g.script, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, "[]");
    stage_sleep(&p->g.stage, 1000);
    assert_int_equal(p->lists, lists + 1);
}

// ---- What it may make the store grow by -----------------------------------------------------------------------------

static enum status takes(void *ctx, struct store *s, const struct hash *sender, const struct chum_load *load,
                         struct error *e)
{
    struct play *p = ctx;
    (void)s, (void)sender, (void)load;
    if (p->jams != 0) {
        p->jams--;
        return error_set(e, STATUS_IO, "IO", "the disk is gone");
    }
    return p->over_budget ? error_set(e, STATUS_REFUSED, "OVER-BUDGET", "no more") : STATUS_OK;
}

static uint64_t rests(void *ctx, const struct hash *sender)
{
    const struct play *p = ctx;
    uint64_t now = pipe_world_now(p->g.stage.world);
    (void)sender;
    return now < p->rest_until ? p->rest_until - now : 0;
}

// The pauses grow: in the first 100 s there are questions after about 2, 4, 8, 16 and 32 s.
enum { LONG_MS = 100000, ASKED_AT_LEAST = 3, ASKED_AT_MOST = 7 };

static void who_is_over_its_budget_is_asked_for_its_list_and_later_for_its_feed(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    p->over_budget = p->endless = p->repeats = true;
    p->g.ours->policy.takes = takes;
    p->g.ours->policy.ctx = p;
    add_root(p, &root, "Child");
    meet(p);
    assert_false(is_here(p, &root));
    stage_sleep(&p->g.stage, LONG_MS);
    assert_in_range(p->feeds, ASKED_AT_LEAST, ASKED_AT_MOST);
    assert_in_range(p->lists, 2, 100);
    assert_false(is_here(p, &root));
    p->over_budget = p->endless = false;
    p->once_more = true;
    stage_sleep(&p->g.stage, LONG_MS);
    assert_true(is_here(p, &root));
}

static void what_the_peer_refuses_for_a_moment_is_asked_for_later(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    p->refusal = "BUSY";
    add_root(p, &root, "Child");
    meet(p);
    assert_int_equal(p->lists, 1);
    stage_sleep(&p->g.stage, LONG_MS);
    assert_in_range(p->feeds, ASKED_AT_LEAST, ASKED_AT_MOST);
    assert_in_range(p->lists, 2, 30); // as often as the list of one without a feed
    p->refusal = NULL;
    p->once_more = true;
    stage_sleep(&p->g.stage, LONG_MS);
    assert_true(is_here(p, &root));
    assert_int_equal(p->g.ours->closed, 0);
}

static void what_the_peer_does_not_know_is_not_asked_for_again(void **state)
{
    static const char *const codes[] = {"UNKNOWN-SERVICE", "BAD-INPUT"};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        void *play;
        begin(&play);
        struct play *p = play;
        p->refusal = codes[i];
        meet(p);
        stage_sleep(&p->g.stage, LONG_MS);
        assert_int_equal(p->feeds, 1);
        assert_in_range(p->lists, 2, 1000);
        end(&play);
    }
}

static void whose_account_is_used_up_is_asked_later(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    p->g.ours->policy.rests = rests;
    p->g.ours->policy.ctx = p;
    p->rest_until = pipe_world_now(p->g.stage.world) + REST_MS;
    add_root(p, &root, "Child");
    meet(p);
    assert_true(is_here(p, &root));
    stage_sleep(&p->g.stage, 2 * REST_MS);
    assert_true(p->answer_ms < p->rest_until);
    assert_true(p->next_ms >= p->rest_until);
    assert_int_equal(p->lists, 1); // when all has come
}

// A contact whose feed never ends.
static void is_asked_now_and_then(struct play *p)
{
    p->endless = true;
    gallery_connect(&p->g);
    while (p->g.script.rpc == NULL)
        stage_step(&p->g.stage);
    script_ask(&p->g.stage, &p->g.script, CHUM_GET_PROTOCOL_VERSION, "[{'news':1,'feeds':1}]");
    stage_sleep(&p->g.stage, 10000);
    assert_in_range(p->feeds, 20, 210); // 50 ms apart
    assert_int_equal(p->g.ours->closed, 0);
}

static void who_has_nothing_new_is_not_asked_all_the_time(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    add_root(p, &root, "Child");
    is_asked_now_and_then(p);
}

static void whose_parts_fail_is_not_asked_all_the_time(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    struct hash below = gallery_object(&p->g, "{'$type$':'Child','x':'2'}");
    begin_root(p, &root, "Child");
    add_text(p, &below, SPAN("something else, and no object of that hash, and not a short one either"));
    add(p, &root);
    end_root(p);
    p->repeats = true;
    is_asked_now_and_then(p);
    assert_false(is_here(p, &root));
    assert_int_equal(chum_session_counts(p->g.ours->session).bytes_received, 0);
}

static void whose_root_is_refused_is_not_asked_all_the_time(void **state)
{
    struct play *p = *state;
    struct hash below = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    struct hash root = gallery_object(&p->g, "{'$type$':'Access','object':'%s','person':['%s'],'group':[]}",
                                      hash_text(&below).s, hash_text(&p->g.peer->node.identity.person_id).s);
    add_root(p, &root, "Child");
    p->repeats = true;
    is_asked_now_and_then(p);
    assert_false(is_here(p, &root));
    assert_int_equal(chum_session_counts(p->g.ours->session).bytes_received, 0);
}

// ---- What the store failed to take ----------------------------------------------------------------------------------

static void what_could_not_be_stored_is_said_to_be_left_and_comes_later(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    p->jams = 1;
    p->g.ours->policy.takes = takes;
    p->g.ours->policy.ctx = p;
    add_root(p, &root, "Child");
    meet(p);
    assert_int_equal(p->jams, 0);
    assert_int_equal(p->feeds, 2);
    assert_true(p->told_left);
}

// Whoever gave it takes it to be stored otherwise.
static void what_failed_in_the_list_is_said_to_be_left(void **state)
{
    struct play *p = *state;
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    gallery_text(&p->g, &root, SPAN("no object of that hash"));
    gallery_root(&p->g, &root, "Child");
    meet(p);
    assert_int_equal(p->feeds, 1);
    stage_sleep(&p->g.stage, 2 * REST_MS);
    assert_in_range(p->feeds, 2, 100);
    assert_true(p->told_left);
}

// ---- What is asked for ahead ----------------------------------------------------------------------------------------

static bool person_is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)ctx, (void)s, (void)person;
    return true;
}

static void play_own_with_more(struct play *p, struct hash *root)
{
    const struct chum_batch_head head = {.next = {7, 1}, .more = CHUM_BATCH_MORE};
    p->g.ours->options.peer_is_own = true;
    p->g.ours->policy.is_own = person_is_own;
    p->g.ours->policy.takes = takes;
    p->g.ours->policy.ctx = p;
    buf_clear(&p->batch);
    chum_batch_write_head(&head, &p->batch);
    *root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    add_root(p, root, "Child");
    gallery_connect(&p->g);
    gallery_wait_pass(&p->g);
}

static void assert_words(struct play *p, const char *words)
{
    assert_int_equal(p->words.len, strlen(words));
    assert_memory_equal(p->words.data, words, p->words.len);
}

// The last question is no such one: it says that the batch is stored.
static void another_node_of_ours_is_asked_while_its_batch_is_stored(void **state)
{
    struct play *p = *state;
    struct hash root;
    play_own_with_more(p, &root);
    assert_true(is_here(p, &root));
    assert_words(p, "- ahead - ");
}

static void what_was_asked_for_ahead_is_dropped_with_what_failed_before_it(void **state)
{
    struct play *p = *state;
    struct hash root;
    p->jams = 1;
    play_own_with_more(p, &root);
    assert_int_equal(p->jams, 0);
    assert_int_equal(p->feeds, 3);
    assert_words(p, "- ahead left ");
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(who_says_that_it_has_a_feed_is_asked),
        cmocka_unit_test(nobody_else_is_asked),
        PLAY(what_was_not_granted_is_not_given_by_its_hash_either),
        PLAY(rights_are_not_taken),
        PLAY(what_is_not_of_its_hash_or_type_is_not_taken),
        PLAY(what_is_too_big_for_a_contact_is_not_taken),
        PLAY(a_batch_of_too_many_things_is_not_taken),
        PLAY(a_batch_of_too_much_is_not_taken),
        PLAY(what_is_ours_is_not_referred_to_unsent),
        PLAY(what_is_ours_is_referred_to_by_who_sent_it_too),
        PLAY(who_sends_what_is_here_has_nothing_else_of_it),
        PLAY(what_was_not_wanted_is_asked_for_again_with_the_next_news),
        PLAY(who_is_over_its_budget_is_asked_for_its_list_and_later_for_its_feed),
        PLAY(what_the_peer_refuses_for_a_moment_is_asked_for_later),
        cmocka_unit_test(what_the_peer_does_not_know_is_not_asked_for_again),
        PLAY(whose_account_is_used_up_is_asked_later),
        PLAY(who_has_nothing_new_is_not_asked_all_the_time),
        PLAY(whose_parts_fail_is_not_asked_all_the_time),
        PLAY(whose_root_is_refused_is_not_asked_all_the_time),
        PLAY(what_could_not_be_stored_is_said_to_be_left_and_comes_later),
        PLAY(what_failed_in_the_list_is_said_to_be_left),
        PLAY(another_node_of_ours_is_asked_while_its_batch_is_stored),
        PLAY(what_was_asked_for_ahead_is_dropped_with_what_failed_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
