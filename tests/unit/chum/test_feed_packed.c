// Who is given packed batches, and what comes of one that arrives: what of a plain one, or nothing.
#include "gallery.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "chum/batch.h"
#include "chum/pack.h"

enum { MANY = 40 };

struct play {
    struct gallery g;
    struct buf given;  // bytes that answered a question
    struct buf answer; // ours to the first question for a batch
    bool packed;       // it is bytes
    unsigned lists;
    json_int_t said; // by ours, of what it takes
    uint64_t sent;   // the batch counted for
};

static bool serve(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct play *p = ctx;
    p->lists += r->service == CHUM_GET_ACCESSIBLE_ROOTS;
    if (r->service == CHUM_GET_PROTOCOL_VERSION)
        p->said = json_integer_value(json_object_get(json_array_get(r->args, 0), "zstd"));
    if (r->service != CHUM_FEED || p->answer.len == 0)
        return false;
    if (p->packed)
        rpc_answer_bytes(script->rpc, r->id, buf_span(&p->answer));
    else
        rpc_answer_string(script->rpc, r->id, buf_span(&p->answer));
    buf_clear(&p->answer);
    buf_add_text(&p->answer, "7 2 end\n");
    p->packed = false;
    return true;
}

static bool hear(void *ctx, struct script *script, bool text, struct span message)
{
    struct play *p = ctx;
    if (text)
        return false;
    buf_add_span(&p->given, span_from(message, 8)); // the number of the question
    script->answered = true;
    return true;
}

static bool person_is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)ctx, (void)s, (void)person;
    return true;
}

static enum status note_load(void *ctx, struct store *s, const struct hash *sender, const struct chum_load *load,
                             struct error *e)
{
    struct play *p = ctx;
    (void)s, (void)sender, (void)e;
    p->sent = load->sent;
    return STATUS_OK;
}

static void begin(struct play *p, bool own)
{
    *p = (struct play){0};
    gallery_begin(&p->g, 2);
    p->g.script.serve = serve;
    p->g.script.raw = hear;
    p->g.script.ctx = p;
    p->g.ours->options.feeds = true;
    p->g.ours->options.peer_is_own = own;
    p->g.ours->policy.is_own = own ? person_is_own : NULL;
    p->g.ours->policy.takes = note_load;
    p->g.ours->policy.ctx = p;
}

static void end(struct play *p)
{
    buf_free(&p->given);
    buf_free(&p->answer);
    gallery_end(&p->g);
}

// ---- Who is given them ----------------------------------------------------------------------------------------------

static void ask(struct play *p, const char *greeting)
{
    for (size_t i = 0; i < MANY; i++) {
        struct hash root = side_put(p->g.ours, "{'$type$':'Child','x':'%zu'}", i);
        side_grant(p->g.ours, &root, p->g.peer);
    }
    gallery_greet(&p->g, greeting);
    script_ask(&p->g.stage, &p->g.script, CHUM_FEED, "['0',0]");
}

static size_t objects_in(struct span batch)
{
    struct chum_batch_head head;
    struct chum_batch_item item;
    bool found = true;
    size_t count = 0;
    assert_int_equal(chum_batch_read_head(&batch, &head, NULL), STATUS_OK);
    while (found) {
        assert_int_equal(chum_batch_read(&batch, &item, &found, NULL), STATUS_OK);
        count += found && item.what == BATCH_OBJECT;
    }
    return count;
}

static void who_says_so_is_given_packed_batches(void **state)
{
    static const char *const greetings[] = {"[{'zstd':1}]", "[{'news':1,'feeds':1,'zstd':1}]", "[{'zstd':99}]"};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof greetings / sizeof *greetings; i++) {
        struct play p;
        begin(&p, i % 2 == 0);
        ask(&p, greetings[i / 2]);
        assert_int_equal(p.g.script.data.len, 0); // no text
        assert_true(chum_packed_items(buf_span(&p.given)) > 3 * p.given.len);
        assert_int_equal(chum_unpack(&p.given, NULL), STATUS_OK);
        assert_true(objects_in(buf_span(&p.given)) >= MANY);
        end(&p);
    }
}

// As nodes of an earlier version: they say nothing of it.
static void nobody_else_is(void **state)
{
    static const char *const greetings[] = {"[]", "[{'news':1,'feeds':1}]", "[{'zstd':0}]", "[{'zstd':'1'}]"};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof greetings / sizeof *greetings; i++) {
        struct play p;
        begin(&p, i % 2 == 0);
        ask(&p, greetings[i / 2]);
        assert_int_equal(p.given.len, 0);
        assert_non_null(strstr(script_data(&p.g.script), "O "));
        end(&p);
    }
}

static void we_say_so(void **state)
{
    (void)state;
    struct play p;
    begin(&p, true);
    gallery_greet(&p.g, "[]");
    assert_int_equal(p.said, CHUM_PACK_WORDS);
    end(&p);
}

// ---- What comes of one ----------------------------------------------------------------------------------------------

static struct hash batch_of_one(const char *x, struct buf *items)
{
    struct buf text = {0};
    buf_printf(&text, "<div itemscope itemtype=\"//refin.io/Child\"><span itemprop=\"x\">%s</span></div>", x);
    struct hash root = gallery_hash(buf_span(&text));
    struct buf entry = {0};
    buf_printf(&entry, "{\"type\":\"unversioned\",\"hash\":\"%s\",\"oneType\":\"Child\"}", hash_text(&root).s);
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT, .text = buf_span(&entry)}, items);
    chum_batch_write(
        &(struct chum_batch_item){.what = BATCH_OBJECT, .kind = LINK_OBJECT, .hash = root, .text = buf_span(&text)},
        items);
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT_OVER}, items);
    buf_free(&text);
    buf_free(&entry);
    return root;
}

// The peer lists nothing, so that what is here came with the batch.
static struct hash give_text(struct play *p, const char *x, bool own, bool packed, size_t cut)
{
    struct buf items = {0};
    begin(p, own);
    struct hash root = batch_of_one(x, &items);
    buf_add_text(&p->answer, "7 2 end\n");
    if (packed)
        assert_true(chum_pack(buf_span(&items), &p->answer));
    else
        buf_add_span(&p->answer, buf_span(&items));
    p->answer.len -= cut;
    p->packed = packed;
    buf_free(&items);
    gallery_greet(&p->g, "[{'news':1,'feeds':1}]");
    return root;
}

static struct hash give(struct play *p, bool own, bool packed, size_t cut)
{
    return give_text(p, "1", own, packed, cut);
}

static void what_comes_packed_is_taken_as_what_comes_plain(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct play p;
        struct hash root = give(&p, i % 2 == 0, i < 2, 0);
        assert_int_equal(side_presence(p.g.ours, &root), STORE_PRESENT);
        assert_int_equal(p.g.ours->closed, 0);
        end(&p);
    }
}

static void what_cannot_be_unpacked_is_none(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct play p;
        struct hash root = give(&p, i == 0, true, 1);
        assert_int_equal(side_presence(p.g.ours, &root), STORE_ABSENT);
        assert_int_equal(p.lists, 1); // it was asked what there is
        assert_int_equal(p.g.ours->closed, 0);
        end(&p);
    }
}

// A thousand times the same costs the sender little.
static void what_was_not_sent_counts_little(void **state)
{
    (void)state;
    enum { LONG = 100000, LITTLE = 20000 };
    char *x = mem_alloc(LONG + 1);
    memset(x, 'x', LONG);
    for (unsigned i = 0; i < 2; i++) {
        struct play p;
        struct hash root = give_text(&p, x, false, i == 0, 0);
        assert_int_equal(side_presence(p.g.ours, &root), STORE_PRESENT);
        assert_in_range(p.sent, i == 0 ? 1 : LONG, i == 0 ? LITTLE : 2 * LONG);
        end(&p);
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_says_so_is_given_packed_batches),
        cmocka_unit_test(nobody_else_is),
        cmocka_unit_test(we_say_so),
        cmocka_unit_test(what_comes_packed_is_taken_as_what_comes_plain),
        cmocka_unit_test(what_cannot_be_unpacked_is_none),
        cmocka_unit_test(what_was_not_sent_counts_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
