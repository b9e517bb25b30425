// A batch is as big as is worth a transaction at the other side, and small enough that what is said meanwhile does not
// wait for long. What was given in a session is remembered by its feed; a session that begins goes on at the cursor
// that the other side has kept.
#include "chum/outflow.h"

#include "base/text.h"
#include "chum/export.h"
#include "chum/plan.h"
#include "store/delivery.h"

enum { BATCH_BYTES = 256 << 10 };

struct filling {
    struct store *store;
    const struct chum_policy *policy;
    const struct hash *person;
    struct buf body;
    struct arena *arena;
    struct hash_list *shown;
    struct hash_list *given;
    size_t versions;
};

static bool begin_root(void *ctx, const struct store_feed_root *root, bool again)
{
    struct filling *f = ctx;
    const struct hash *what = hash_is_zero(&root->id_hash) ? &root->hash : &root->id_hash;
    (void)again;
    if (!chum_serves(f->policy, f->store, f->person, root->fragment, what))
        return false;
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT, .text = root->fragment}, &f->body);
    f->versions += !hash_is_zero(&root->hash) && !hash_is_zero(&root->id_hash);
    hash_list_add(f->shown, hash_is_zero(&root->hash) ? &root->id_hash : &root->hash);
    return true;
}

static enum status add_object(void *ctx, enum link_kind kind, const struct hash *hash, struct error *e)
{
    struct filling *f = ctx;
    struct chum_batch_item item = {.what = BATCH_FILE, .kind = kind, .hash = *hash, .size = -1};
    uint64_t size;
    enum status status = STATUS_OK;
    if (kind == LINK_OBJECT || kind == LINK_ID) {
        item.what = BATCH_OBJECT;
        status = store_get(f->store, hash, f->arena, &item.text, e);
    } else if (store_holds(f->store, hash, &size)) {
        item.size = (int64_t)size;
    }
    if (status != STATUS_OK)
        return status;
    chum_batch_write(&item, &f->body);
    hash_list_add(item.what == BATCH_FILE ? f->shown : f->given, hash);
    return STATUS_OK;
}

static void end_root(void *ctx, const struct store_feed_root *root)
{
    struct filling *f = ctx;
    (void)root;
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT_OVER}, &f->body);
}

static bool is_full(void *ctx)
{
    const struct filling *f = ctx;
    return f->body.len >= BATCH_BYTES || f->versions >= CHUM_WANT_ROOTS; // more of one id would be left to another pass
}

static enum status fill(struct store *s, struct chum_outflow *flow, struct filling *f, struct error *e)
{
    const struct store_feed_visitor visitor = {f, begin_root, add_object, end_root, is_full};
    enum status status = store_feed_go_on(s, flow->feed, &visitor, e);
    flow->at.place = store_feed_place(flow->feed);
    return status;
}

// The walk that goes on behind that cursor; a new one, unless it is the present one.
static void go_to(struct chum_outflow *flow, const struct hash *person, const struct chum_cursor *since)
{
    if (flow->feed != NULL && flow->at.epoch == since->epoch && flow->at.place == since->place)
        return;
    store_feed_destroy(flow->feed);
    flow->feed = store_feed_create(person, since->place);
    flow->at = *since;
}

enum status chum_outflow_next(struct store *s, struct chum_outflow *flow, const struct chum_policy *policy,
                              const struct hash *person, const struct chum_cursor *since, struct buf *text,
                              struct hash_list *shown, struct hash_list *given, struct error *e)
{
    struct filling f = {.store = s, .policy = policy, .person = person, .shown = shown, .given = given};
    struct chum_batch_head head = {.more = CHUM_BATCH_RESET, .next = {.place = store_feed_end(s)}};
    struct buf first = {0};
    enum status status = store_epoch(s, &head.next.epoch, e);
    bool is_ours = since->place == 0 || (since->epoch == head.next.epoch && since->place <= head.next.place);
    if (status == STATUS_OK && since->place >= 0 && is_ours) {
        const struct chum_cursor from = {head.next.epoch, since->place};
        go_to(flow, person, &from);
        f.arena = arena_create();
        status = fill(s, flow, &f, e);
        arena_destroy(f.arena);
        head.next = flow->at;
        head.more = store_feed_has_more(flow->feed) ? CHUM_BATCH_MORE : CHUM_BATCH_END;
    }
    chum_batch_write_head(&head, &first);
    text_add_json_part(buf_span(&first), text);
    text_add_json_part(buf_span(&f.body), text);
    buf_free(&first);
    buf_free(&f.body);
    return status;
}

void chum_outflow_end(struct chum_outflow *flow)
{
    store_feed_destroy(flow->feed);
    *flow = (struct chum_outflow){0};
}
