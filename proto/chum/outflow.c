// A batch is as big as is worth a transaction at the other side, and small enough that what is said meanwhile does not
// wait for long. What was given in a session is remembered by its feed; a session that begins goes on at the cursor
// that the other side has kept.
#include "chum/outflow.h"

#include "base/text.h"
#include "chum/export.h"
#include "chum/pack.h"
#include "chum/plan.h"
#include "chum/veil.h"
#include "store/delivery.h"

enum { BATCH_BYTES = 256 << 10 };

struct filling {
    struct store *store;
    struct chum_outbatch *batch;
    struct buf body;
    struct arena *arena;
    size_t versions;
};

static bool begin_root(void *ctx, const struct store_feed_root *root, bool again)
{
    struct filling *f = ctx;
    const struct hash *what = hash_is_zero(&root->id_hash) ? &root->hash : &root->id_hash;
    (void)again;
    if (!chum_serves(f->batch->policy, f->store, f->batch->person, root->fragment, what))
        return false;
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT, .text = root->fragment}, &f->body);
    f->versions += !hash_is_zero(&root->hash) && !hash_is_zero(&root->id_hash);
    hash_list_add(f->batch->shown, hash_is_zero(&root->hash) ? &root->id_hash : &root->hash);
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
    hash_list_add(item.what == BATCH_FILE ? f->batch->shown : f->batch->given, hash);
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
    f->arena = arena_create();
    enum status status = store_feed_go_on(s, flow->feed, &visitor, e);
    arena_destroy(f->arena);
    return status;
}

// The walk that goes on behind the cursor it was asked with; a new one from that place, unless it is the present one.
static void go_to(struct chum_outflow *flow, const struct chum_outbatch *b, int64_t place)
{
    if (flow->feed != NULL && flow->own == b->own && flow->at.epoch == b->since.epoch &&
        flow->at.place == b->since.place)
        return;
    store_feed_destroy(flow->feed);
    flow->feed = store_feed_create(b->person, b->own, place);
    flow->own = b->own;
}

static struct chum_cursor as_told(const struct chum_outbatch *b, const struct chum_cursor *plain)
{
    return b->own ? *plain : chum_veil(b->person, plain);
}

// The plain cursor, if it is one of ours.
static bool is_ours(const struct chum_outbatch *b, const struct chum_cursor *end, struct chum_cursor *plain)
{
    *plain = (struct chum_cursor){.epoch = end->epoch};
    if (b->since.place == 0)
        return true;
    *plain = b->since;
    if (plain->place < 0 || (!b->own && !chum_unveil(b->person, end->epoch, plain)))
        return false;
    return plain->epoch == end->epoch && plain->place <= end->place;
}

// Without anything in the batch a contact's cursor stays, whatever goes on here; but for what it sent itself, which
// would be given back to it in its next session.
static bool moves(const struct chum_outflow *flow, const struct filling *f)
{
    bool returned = store_feed_take_returned(flow->feed);
    return f->body.len != 0 || f->batch->own || returned;
}

static enum status answer(struct store *s, struct chum_outflow *flow, struct filling *f, struct chum_cursor since,
                          struct chum_batch_head *head, struct error *e)
{
    struct chum_outbatch *b = f->batch;
    go_to(flow, b, since.place);
    enum status status = fill(s, flow, f, e);
    bool has_more = store_feed_has_more(flow->feed);
    if (moves(flow, f))
        since.place = store_feed_place(flow->feed);
    b->end = !has_more;
    head->more = has_more ? CHUM_BATCH_MORE : CHUM_BATCH_END;
    head->next = flow->at = as_told(b, &since);
    b->unfinished = has_more && f->body.len == 0 && !b->own;
    if (b->unfinished)
        b->since = flow->at;
    return status;
}

// Where to go on behind the list of roots. A contact that asks for it again and again is not told when something is
// stored that is not for it.
static enum status begin_anew(struct store *s, const struct chum_outbatch *b, struct chum_cursor end,
                              struct chum_batch_head *head, struct error *e)
{
    enum status status = b->own ? STATUS_OK : store_roots_end(s, b->person, &end.place, e);
    *head = (struct chum_batch_head){.more = CHUM_BATCH_RESET, .next = as_told(b, &end)};
    return status;
}

static void write_answer(struct chum_outbatch *b, const struct chum_batch_head *head, struct span items)
{
    struct buf first = {0};
    chum_batch_write_head(head, &first);
    b->bytes = first.len + items.len;
    if (b->packed != NULL) {
        buf_add_span(b->packed, buf_span(&first));
        if (!chum_pack(items, b->packed))
            buf_clear(b->packed);
    }
    if (b->packed == NULL || b->packed->len == 0) {
        text_add_json_part(buf_span(&first), b->text);
        text_add_json_part(items, b->text);
    }
    buf_free(&first);
}

enum status chum_outflow_next(struct store *s, struct chum_outflow *flow, struct chum_outbatch *b, struct error *e)
{
    struct filling f = {.store = s, .batch = b};
    struct chum_cursor since;
    struct chum_cursor end = {.place = store_feed_end(s)};
    enum status status = store_epoch(s, &end.epoch, e);
    struct chum_batch_head head;
    b->unfinished = b->end = false;
    if (status == STATUS_OK)
        status = is_ours(b, &end, &since) ? answer(s, flow, &f, since, &head, e) : begin_anew(s, b, end, &head, e);
    if (status != STATUS_OK)
        chum_outflow_end(flow); // what it found is lost
    if (status == STATUS_OK && !b->unfinished)
        write_answer(b, &head, buf_span(&f.body));
    buf_free(&f.body);
    return status;
}

void chum_outflow_end(struct chum_outflow *flow)
{
    store_feed_destroy(flow->feed);
    *flow = (struct chum_outflow){0};
}
