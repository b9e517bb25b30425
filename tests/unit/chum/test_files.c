// BLOBs and CLOBs (WIRE.md 9.4, 9.5): every size, in bounded memory, and peers that cannot or will not deliver them.
#include "gallery.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../cmocka_all.h"
#include "chum/exporter.h"

// ---- Two sessions --------------------------------------------------------------------------------------------------

static int begin_pair(void **state)
{
    struct stage *s = mem_alloc(sizeof *s);
    stage_begin(s, 2, gallery_recipes, NULL);
    *state = s;
    return 0;
}

static int end_pair(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

struct file {
    struct span bytes;
    size_t repeated; // so many times
    bool is_clob;
    struct hash hash;
    struct buf read;
};

static enum status run_write(struct store *store, void *arg, struct error *e)
{
    struct file *f = arg;
    struct store_writer *w;
    enum status st = store_writer_create(store, f->is_clob, &w, e);
    if (st != STATUS_OK)
        return st;
    for (size_t i = 0; st == STATUS_OK && i < f->repeated; i++)
        st = store_writer_add(w, f->bytes, e);
    if (st == STATUS_OK)
        st = store_writer_finish(w, NULL, &f->hash, NULL, e);
    store_writer_destroy(w);
    return st;
}

static struct hash put_file(struct side *side, struct span bytes, size_t repeated, bool is_clob)
{
    struct file f = {.bytes = bytes, .repeated = repeated, .is_clob = is_clob};
    side_must(side, run_write, &f);
    return f.hash;
}

static struct buf bytes_of(size_t size)
{
    struct buf b = {0};
    buf_reserve(&b, size + 1);
    for (size_t i = 0; i < size; i++)
        b.data[i] = (char)(i * 31 + (i >> 8) * 7 + (i >> 16));
    b.len = size;
    return b;
}

static void crosses(struct stage *s, const char *member, const struct hash *file)
{
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    struct hash root = side_put(alice, "{'$type$':'Album','title':'a','%s':'%s'}", member, hash_text(file).s);
    side_grant(alice, &root, bob);
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 1);
    assert_string_equal(bob->last_failure.code, "");
    assert_int_equal(side_presence(bob, file), STORE_PRESENT); // its writer has checked the hash
    assert_int_equal(side_presence(bob, &root), STORE_PRESENT);
    assert_int_equal(chum_session_counts(bob->session).failed_roots, 0);
    stage_disconnect(s, bob);
}

static void blobs_of_every_size_cross(void **state)
{
    static const size_t sizes[] = {0, 100, 65535, 65536, 65537, 131072, 1200000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf bytes = bytes_of(sizes[i]);
        struct stage *s = *state;
        struct hash h = put_file(&s->sides[0], buf_span(&bytes), 1, false);
        crosses(s, "image", &h);
        buf_free(&bytes);
    }
}

static void texts_are_cut_between_characters(void **state)
{
    static const char *const characters[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    struct stage *s = *state;
    for (size_t c = 0; c < 3; c++) {
        for (size_t before = 1; before <= 4; before++) {
            struct buf text = {0};
            memset(buf_reserve(&text, 65536), 'a', 65536);
            text.len = 65536 - before;
            for (size_t i = 0; i < 70000; i++)
                buf_add_text(&text, characters[c]);
            struct hash h = put_file(&s->sides[0], buf_span(&text), 1, true);
            crosses(s, "text", &h);
            buf_free(&text);
        }
    }
}

static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

// TANDEM_BIG_FILE_MB=100 for the size the issue names.
static void a_big_file_needs_little_memory(void **state)
{
    const char *wish = getenv("TANDEM_BIG_FILE_MB");
    size_t mb = wish != NULL ? strtoul(wish, NULL, 10) : 8;
    struct stage *s = *state;
    struct buf bytes = bytes_of(1 << 20);
    struct hash h = put_file(&s->sides[0], buf_span(&bytes), mb, false);
    long before = resident_kib();
    crosses(s, "image", &h);
    long more = resident_kib() - before;
    buf_free(&bytes);
    printf("%zu MiB crossed with %ld KiB more, both sides together\n", mb, more);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_in_range(more, 0, 32 << 10);
#endif
}

static void files_of_many_objects_cross_at_a_time(void **state)
{
    struct stage *s = *state;
    struct hash files[40];
    for (size_t i = 0; i < 40; i++) {
        struct buf bytes = bytes_of(1000 * i + 1);
        files[i] = put_file(&s->sides[0], buf_span(&bytes), 1, false);
        buf_free(&bytes);
        struct hash root =
            side_put(&s->sides[0], "{'$type$':'Album','title':'%zu','image':'%s'}", i, hash_text(&files[i]).s);
        side_grant(&s->sides[0], &root, &s->sides[1]);
    }
    stage_connect(s, &s->sides[0], &s->sides[1], NULL);
    stage_wait_passes(s, &s->sides[1], 1);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(side_presence(&s->sides[1], &files[i]), STORE_PRESENT);
}

// ---- A played peer -------------------------------------------------------------------------------------------------

struct scene {
    struct gallery g;
    struct hash file;
    struct hash root;
    enum { DELIVERS, SENDS_NOTHING, TEXT_ONLY, REFUSES, NEVER_ENDS } way;
    struct span bytes;
    unsigned asked;
    int64_t stream; // the request that never ends
};

static void send_empty_chunks(struct script *script, int64_t id)
{
    conn_send_binary(script->conn, (struct span){0}); // as the unpatched reference does
    conn_send_binary(script->conn, (struct span){0});
    rpc_stream_end(script->rpc, id);
}

static bool serve_file(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct scene *s = ctx;
    if (r->service != CHUM_GET_BLOB)
        return false;
    s->asked++;
    bool as_text = !rpc_is_undefined(json_array_get(r->args, 1));
    if (s->way == SENDS_NOTHING || (s->way == TEXT_ONLY && !as_text)) {
        send_empty_chunks(script, r->id);
    } else if (s->way == REFUSES) {
        rpc_answer_error(script->rpc, r->id, "FileNotFoundError", "File not found", "SB-READ2");
    } else {
        if (as_text)
            rpc_stream_text(script->rpc, r->id, s->bytes, true);
        else
            rpc_stream_binary(script->rpc, r->id, s->bytes);
        s->stream = r->id;
        if (s->way != NEVER_ENDS)
            rpc_stream_end(script->rpc, r->id);
    }
    return true;
}

static const char picture[] = "not valid UTF-8: \xff\xfe\x80";

static int begin_scene(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    gallery_begin(&s->g, 3);
    s->bytes = SPAN(picture);
    s->file = gallery_hash(s->bytes);
    s->root = gallery_object(&s->g, "{'$type$':'Album','title':'a','image':'%s'}", hash_text(&s->file).s);
    gallery_child(&s->g, &s->root, "blob", &s->file);
    gallery_root(&s->g, &s->root, "Album");
    s->g.script.serve = serve_file;
    s->g.script.ctx = s;
    *state = s;
    return 0;
}

static int end_scene(void **state)
{
    struct scene *s = *state;
    gallery_end(&s->g);
    free(s);
    return 0;
}

struct offer {
    const struct hash *person;
    const struct hash *root;
    bool own;
    bool offered;
    bool listed; // the file, among the children
};

static bool person_is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)s, (void)person;
    return *(bool *)ctx;
}

static enum status run_offer(struct store *store, void *arg, struct error *e)
{
    struct offer *o = arg;
    struct chum_policy policy = {.ctx = &o->own, .is_own = person_is_own};
    struct buf text = {0};
    struct hash_list shown = {0};
    enum status st = chum_export(store, &policy, o->person, CHUM_GET_ACCESSIBLE_ROOTS, NULL, &text, &shown, e);
    o->offered = st == STATUS_OK && strstr(buf_cstr(&text), hash_text(o->root).s) != NULL;
    buf_clear(&text);
    if (st == STATUS_OK)
        st = chum_export(store, &policy, o->person, CHUM_GET_OBJECT_CHILDREN, o->root, &text, &shown, e);
    o->listed = st == STATUS_OK && strstr(buf_cstr(&text), "blob") != NULL;
    buf_free(&text);
    hash_list_free(&shown);
    return st;
}

static bool is_offered(struct scene *s, const struct side *to, bool own, bool listed)
{
    struct offer o = {.person = &to->node.identity.person_id, .root = &s->root, .own = own};
    side_must(s->g.ours, run_offer, &o);
    assert_int_equal(o.listed, listed);
    return o.offered;
}

static void grant_to_all(struct scene *s)
{
    side_change(s->g.ours, "{'$type$':'Access','object':'%s','person':['%s','%s'],'group':[]}", hash_text(&s->root).s,
                hash_text(&s->g.stage.sides[1].node.identity.person_id).s,
                hash_text(&s->g.stage.sides[2].node.identity.person_id).s);
}

static void an_undeliverable_blob_does_not_keep_back_its_object(void **state)
{
    struct scene *s = *state;
    struct side *ours = s->g.ours;
    s->way = SENDS_NOTHING;
    gallery_pass(&s->g);
    assert_int_equal(side_presence(ours, &s->root), STORE_PRESENT);
    assert_int_equal(side_presence(ours, &s->file), STORE_ABSENT);
    assert_int_equal(chum_session_counts(ours->session).failed_roots, 0);
    assert_int_equal(s->asked, 2); // as bytes, then as text
    stage_wait_passes(&s->g.stage, ours, 12);
    assert_string_equal(buf_cstr(&ours->failures), "BLOB-UNAVAILABLE ");
    assert_in_range(s->asked, 4, 10); // again, after longer and longer pauses
}

static void an_undeliverable_blob_is_asked_for_and_told_once_for_all_that_lack_it(void **state)
{
    enum { OTHERS = 20 };
    struct scene *s = *state;
    struct hash others[OTHERS];
    s->way = REFUSES;
    gallery_pass(&s->g);
    for (int i = 0; i < OTHERS; i++) {
        others[i] = gallery_object(&s->g, "{'$type$':'Album','title':'%d','image':'%s'}", i, hash_text(&s->file).s);
        gallery_child(&s->g, &others[i], "blob", &s->file);
        gallery_root(&s->g, &others[i], "Album");
    }
    stage_wait_passes(&s->g.stage, s->g.ours, 2);
    for (int i = 0; i < OTHERS; i++)
        assert_int_equal(side_presence(s->g.ours, &others[i]), STORE_PRESENT);
    assert_string_equal(buf_cstr(&s->g.ours->failures), "BLOB-UNAVAILABLE ");
    assert_in_range(s->asked, 1, 4);
    s->way = DELIVERS;
    stage_wait_passes(&s->g.stage, s->g.ours, 6);
    assert_int_equal(side_presence(s->g.ours, &s->file), STORE_PRESENT);
    assert_in_range(s->asked, 2, 6);
}

static void what_lacks_a_blob_is_offered_to_whom_it_came_from(void **state)
{
    struct scene *s = *state;
    s->way = SENDS_NOTHING;
    gallery_pass(&s->g);
    grant_to_all(s);
    assert_true(is_offered(s, s->g.peer, false, true));
    assert_false(is_offered(s, &s->g.stage.sides[2], false, true));
    assert_true(is_offered(s, &s->g.stage.sides[2], true, true));
}

// Who names a file by its hash and does not send it gets nothing shown on the strength of that, nor do others.
static void a_file_of_ours_that_a_peer_only_named_stays_ours(void **state)
{
    struct scene *s = *state;
    s->way = REFUSES;
    put_file(s->g.ours, s->bytes, 1, false);
    gallery_pass(&s->g);
    grant_to_all(s);
    assert_int_equal(side_presence(s->g.ours, &s->root), STORE_PRESENT);
    assert_int_equal(s->asked, 1); // as if it were not here
    assert_true(is_offered(s, s->g.peer, false, false));
    assert_false(is_offered(s, &s->g.stage.sides[2], false, false));
    stage_disconnect(&s->g.stage, s->g.ours);
    s->way = DELIVERS;
    gallery_connect(&s->g);
    stage_wait_passes(&s->g.stage, s->g.ours, 1);
    assert_true(is_offered(s, &s->g.stage.sides[2], false, true));
}

static void a_file_that_comes_from_elsewhere_was_still_only_named(void **state)
{
    struct scene *s = *state;
    s->way = SENDS_NOTHING;
    gallery_pass(&s->g);
    grant_to_all(s);
    put_file(s->g.ours, s->bytes, 1, false);
    assert_true(is_offered(s, s->g.peer, false, false));
    assert_false(is_offered(s, &s->g.stage.sides[2], false, false));
}

static void a_blob_that_comes_later_completes_its_object(void **state)
{
    struct scene *s = *state;
    s->way = REFUSES;
    gallery_pass(&s->g);
    assert_int_equal(side_presence(s->g.ours, &s->file), STORE_ABSENT);
    assert_int_equal(s->asked, 1);
    stage_disconnect(&s->g.stage, s->g.ours);
    s->way = DELIVERS;
    gallery_connect(&s->g); // a new session remembers nothing but what the store knows
    stage_wait_passes(&s->g.stage, s->g.ours, 1);
    assert_int_equal(side_presence(s->g.ours, &s->file), STORE_PRESENT);
    grant_to_all(s);
    assert_true(is_offered(s, &s->g.stage.sides[2], false, true));
    unsigned asked = s->asked;
    stage_wait_passes(&s->g.stage, s->g.ours, 4);
    assert_int_equal(s->asked, asked);
}

static void a_blob_that_is_text_comes_as_text(void **state)
{
    struct scene *s = *state;
    struct hash file = gallery_hash(SPAN("plain"));
    struct hash root = gallery_object(&s->g, "{'$type$':'Album','title':'b','image':'%s'}", hash_text(&file).s);
    gallery_child(&s->g, &root, "blob", &file);
    json_array_clear(json_object_get(s->g.exporter, "roots"));
    gallery_root(&s->g, &root, "Album");
    s->way = TEXT_ONLY;
    s->bytes = SPAN("plain");
    gallery_pass(&s->g);
    assert_int_equal(side_presence(s->g.ours, &file), STORE_PRESENT);
    assert_string_equal(buf_cstr(&s->g.ours->failures), "");
}

static void a_wrong_text_fails_its_root(void **state)
{
    struct scene *s = *state;
    struct hash file = gallery_hash(SPAN("right"));
    struct hash root = gallery_object(&s->g, "{'$type$':'Album','title':'b','text':'%s'}", hash_text(&file).s);
    gallery_child(&s->g, &root, "clob", &file);
    gallery_root(&s->g, &root, "Album");
    s->bytes = SPAN("wrong");
    gallery_pass(&s->g);
    assert_int_equal(side_presence(s->g.ours, &root), STORE_ABSENT);
    assert_non_null(strstr(buf_cstr(&s->g.ours->failures), "CIEC-FBL2"));
}

static bool has_failed(void *ctx)
{
    return ((struct side *)ctx)->failures.len != 0;
}

static void a_trickling_stream_is_given_up(void **state)
{
    struct scene *s = *state;
    s->way = NEVER_ENDS;
    gallery_connect(&s->g);
    for (size_t i = 0; i < 200 && !has_failed(s->g.ours); i++) {
        for (size_t k = 0; k < 3; k++)
            stage_step(&s->g.stage);
        if (s->asked != 0)
            rpc_stream_binary(s->g.script.rpc, s->stream, SPAN("drop"));
        pipe_sleep(s->g.stage.world, 10000);
    }
    stage_wait(&s->g.stage, has_failed, s->g.ours, "the stream to be given up");
    assert_string_equal(s->g.ours->last_failure.code, "FILE-TOO-SLOW");
    assert_int_equal(s->g.ours->closed, 0);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static enum status wait_at_gate(struct store *store, void *arg, struct error *e)
{
    (void)store, (void)arg, (void)e;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return STATUS_OK;
}

// Each piece is a job of the store, however small.
static void a_file_in_tiny_pieces_does_not_fill_the_queue(void **state)
{
    struct scene *s = *state;
    s->way = NEVER_ENDS;
    gallery_connect(&s->g);
    while (s->asked == 0)
        stage_step(&s->g.stage);
    pthread_mutex_lock(&gate);
    store_submit(s->g.ours->queue, wait_at_gate, NULL, NULL);
    for (size_t i = 0; i < 2 * STORE_QUEUE_FULL; i++)
        rpc_stream_binary(s->g.script.rpc, s->stream, SPAN("x"));
    pipe_sleep(s->g.stage.world, 1000);
    bool full = store_queue_is_full(s->g.ours->queue);
    pthread_mutex_unlock(&gate);
    assert_false(full);
}

// The limit itself is too far away for a test.
static void a_file_beyond_the_limit_is_given_up(void **state)
{
    struct scene *s = *state;
    s->g.ours->options.file_max = s->bytes.len - 1;
    gallery_pass(&s->g);
    assert_string_equal(s->g.ours->last_failure.code, "FILE-TOO-BIG");
    assert_int_equal(side_presence(s->g.ours, &s->file), STORE_ABSENT);
    assert_int_equal(side_presence(s->g.ours, &s->root), STORE_ABSENT);
}

static void a_slow_file_does_not_keep_back_news(void **state)
{
    struct scene *s = *state;
    s->way = NEVER_ENDS;
    gallery_connect(&s->g);
    while (s->asked == 0)
        stage_step(&s->g.stage);
    struct hash news = gallery_object(&s->g, "{'$type$':'Child','x':'news'}");
    gallery_root(&s->g, &news, "Child");
    for (size_t i = 0; i < 10; i++) {
        rpc_stream_binary(s->g.script.rpc, s->stream, SPAN("drop"));
        pipe_sleep(s->g.stage.world, 2000);
        stage_step(&s->g.stage);
    }
    stage_wait_passes(&s->g.stage, s->g.ours, 2);
    assert_int_equal(side_presence(s->g.ours, &news), STORE_PRESENT);
    assert_int_equal(s->asked, 1);
    assert_false(chum_session_is_idle(s->g.ours->session));
}

static void a_stop_ends_streams(void **state)
{
    struct scene *s = *state;
    s->way = NEVER_ENDS;
    gallery_connect(&s->g);
    while (s->asked == 0)
        stage_step(&s->g.stage);
    chum_session_stop(s->g.ours->session, NULL);
    pipe_sleep(s->g.stage.world, 10);
    assert_int_equal(s->g.ours->closed, 0);
    rpc_stream_binary(s->g.script.rpc, s->stream, SPAN("more"));
    pipe_sleep(s->g.stage.world, 10);
    assert_int_equal(s->g.ours->closed, 1);
    assert_string_equal(pipe_closed(s->g.stage.ends[0]), "Close called.");
}

// Bob cannot have the file from anybody; Carol takes over from him what he has.
static void own_nodes_hand_on_what_lacks_a_blob(void **state)
{
    struct scene *s = *state;
    struct side *ours = s->g.ours;
    struct side *carol = &s->g.stage.sides[2];
    bool own = true;
    s->way = SENDS_NOTHING;
    gallery_pass(&s->g);
    grant_to_all(s);
    stage_disconnect(&s->g.stage, ours);
    ours->policy = (struct chum_policy){.ctx = &own, .is_own = person_is_own};
    stage_connect(&s->g.stage, carol, ours, NULL);
    stage_wait_passes(&s->g.stage, carol, 1);
    assert_int_equal(side_presence(carol, &s->root), STORE_PRESENT);
    assert_string_equal(carol->last_failure.code, "BLOB-UNAVAILABLE");
    assert_int_equal(carol->closed, 0);
}

static enum store_presence left_or_taken(struct stage *s, size_t size, bool told)
{
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    atomic_uint_least64_t takes = 1000;
    bool own = true;
    struct buf bytes = bytes_of(size);
    struct hash file = put_file(alice, buf_span(&bytes), 1, false);
    struct hash root = side_put(alice, "{'$type$':'Album','title':'a','image':'%s'}", hash_text(&file).s);
    side_grant(alice, &root, bob);
    alice->policy = bob->policy = (struct chum_policy){.ctx = &own, .is_own = person_is_own};
    bob->options = (struct chum_options){.peer_is_own = true, .takes = &takes};
    alice->options = (struct chum_options){.peer_is_own = true, .feeds = told};
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 1);
    assert_string_equal(bob->last_failure.code, "");
    assert_int_equal(side_presence(bob, &root), STORE_PRESENT);
    stage_disconnect(s, bob);
    buf_free(&bytes);
    return side_presence(bob, &file);
}

static void a_big_file_stays_with_an_own_node_that_says_how_big_it_is(void **state)
{
    assert_int_equal(left_or_taken(*state, 1000, true), STORE_PRESENT);
    assert_int_equal(left_or_taken(*state, 1001, true), STORE_REMOTE);
    assert_int_equal(left_or_taken(*state, 1002, false), STORE_PRESENT); // it knows no HOLDS
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_big_file_needs_little_memory, begin_pair, end_pair),
        cmocka_unit_test_setup_teardown(a_big_file_stays_with_an_own_node_that_says_how_big_it_is, begin_pair,
                                        end_pair),
        cmocka_unit_test_setup_teardown(blobs_of_every_size_cross, begin_pair, end_pair),
        cmocka_unit_test_setup_teardown(texts_are_cut_between_characters, begin_pair, end_pair),
        cmocka_unit_test_setup_teardown(files_of_many_objects_cross_at_a_time, begin_pair, end_pair),
        cmocka_unit_test_setup_teardown(an_undeliverable_blob_does_not_keep_back_its_object, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(an_undeliverable_blob_is_asked_for_and_told_once_for_all_that_lack_it,
                                        begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(what_lacks_a_blob_is_offered_to_whom_it_came_from, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_file_of_ours_that_a_peer_only_named_stays_ours, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_file_that_comes_from_elsewhere_was_still_only_named, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_blob_that_comes_later_completes_its_object, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_blob_that_is_text_comes_as_text, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_wrong_text_fails_its_root, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_trickling_stream_is_given_up, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_file_in_tiny_pieces_does_not_fill_the_queue, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_file_beyond_the_limit_is_given_up, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_slow_file_does_not_keep_back_news, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(a_stop_ends_streams, begin_scene, end_scene),
        cmocka_unit_test_setup_teardown(own_nodes_hand_on_what_lacks_a_blob, begin_scene, end_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
