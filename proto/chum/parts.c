// What is missing lies in one array, deepest first, and two marks run along it: up to next_store everything is stored,
// up to next_call it was asked for; what came between them, in any order, lies in the ring. Only what is next in line
// is stored, so nothing that is stored refers to what is missing, and what is next may always be asked for, or all
// would wait for each other. One batch at a time is the store's, and with it the knowledge. Any callback may bring the
// end: after one, p may be gone.
#include "chum/parts.h"

#include <stdlib.h>
#include <string.h>

#include "chum/charge.h"
#include "chum/download.h"
#include "chum/export.h"
#include "chum/lists.h"
#include "chum/receive.h"

enum { BATCH_OBJECTS = 500, BATCH_BYTES = 1 << 20, PARTS = 1024 };

enum part_state { PART_ASKED, PART_HERE, PART_LACKING, PART_LEFT, PART_STORED };

struct part { // something missing that was asked for and is not stored yet
    struct chum_parts *parts;
    struct store_child child;
    enum part_state state;
    struct buf text;
    uint64_t size; // of a file that is left with the peer
    int64_t call;
    struct chum_download *download;
};

struct chum_parts {
    struct chum_fetch *fetch;
    struct chum_root_ref root;
    chum_parts_done done;
    void *ctx;
    int64_t call;                     // for the list; -1 = none
    struct chum_children_reader list; // as far as it came
    size_t entries;
    struct store_children missing;     // in the order they can be stored
    struct hash_list vouched;          // what is here of somebody else, and the peer has too
    bool *listed;                      // per sibling
    struct store_knowledge *knowledge; // what of the list needed not be sent; the store thread's while a job has it
    struct part *ring;                 // of missing[next_store … next_call), by index modulo PARTS
    size_t next_call;
    size_t next_store;
    size_t batch_end; // end of the batch the store works on; 0 = none
    size_t under_way; // calls
    struct chum_lacking lacking;
    size_t jobs;
    bool over; // done was called, or the parts were dropped
};

static struct part *part_at(struct chum_parts *p, size_t i)
{
    return &p->ring[i % PARTS];
}

// ---- Life ----------------------------------------------------------------------------------------------------------

static void forget_text(struct chum_parts *p, struct part *part)
{
    p->fetch->ahead -= part->text.len;
    buf_free(&part->text);
}

static void release(struct chum_parts *p)
{
    if (!p->over || p->jobs != 0)
        return;
    for (size_t i = p->next_store; i < p->next_call; i++)
        forget_text(p, part_at(p, i));
    p->fetch->entries -= p->entries;
    chum_children_end(&p->list);
    free(p->missing.items);
    hash_list_free(&p->vouched);
    free(p->listed);
    store_knowledge_destroy(p->knowledge);
    free(p->ring);
    chum_fetch_release(p->fetch);
    free(p);
}

static void stop_calls(struct chum_parts *p)
{
    chum_fetch_cancel(p->fetch, &p->call);
    for (size_t i = p->next_store; i < p->next_call; i++) {
        struct part *part = part_at(p, i);
        if (part->state != PART_ASKED)
            continue;
        if (part->download != NULL)
            chum_download_drop(part->download);
        chum_fetch_cancel(p->fetch, &part->call);
        part->download = NULL;
    }
}

static void end(struct chum_parts *p, enum status status, const struct error *why)
{
    if (p->over)
        return;
    stop_calls(p);
    p->over = true;
    struct store_knowledge *knowledge = status == STATUS_OK && !p->fetch->ended ? p->knowledge : NULL;
    if (knowledge != NULL)
        p->knowledge = NULL;
    struct chum_parts_result result = {.status = status,
                                       .why = status != STATUS_OK ? why : NULL,
                                       .lacking = p->lacking,
                                       .knowledge = knowledge,
                                       .listed = p->listed};
    if (!p->fetch->ended)
        p->done(p->ctx, &result);
    release(p);
}

void chum_parts_drop(struct chum_parts *p)
{
    if (p == NULL || p->over)
        return;
    stop_calls(p);
    p->over = true;
    release(p);
}

// false: the parts are over and must not be touched any more.
static bool job_ended(struct chum_parts *p, enum status status, const struct error *e)
{
    p->jobs--;
    if (p->over)
        release(p);
    else if (status != STATUS_OK)
        end(p, status, e);
    else
        return true;
    return false;
}

// ---- Storing in order ----------------------------------------------------------------------------------------------

static enum status batch_work(struct store *s, void *arg, struct error *e)
{
    struct chum_parts *p = arg;
    struct chum_delivery d;
    enum status st = STATUS_OK;
    uint64_t sent = 0;
    struct store_totals before = chum_charge_begin(s);
    chum_delivery_begin(&d, s, p->fetch, &p->root.id_hash, p->knowledge);
    store_set_sender(s, &p->fetch->sender);
    store_set_parts(s, true);
    for (size_t i = p->next_store; st == STATUS_OK && i < p->batch_end; i++) {
        const struct part *part = part_at(p, i);
        sent += part->text.len;
        if (part->state == PART_HERE)
            st = chum_store_received(&d, buf_span(&part->text), &part->child.hash, part->child.kind == LINK_ID, e);
        else if (part->state == PART_LACKING)
            st = store_want_file(s, &part->child.hash, &p->fetch->sender, e);
        else if (part->state == PART_LEFT)
            st = store_note_remote(s, &part->child.hash, part->child.kind == LINK_CLOB, part->size, e);
    }
    if (st == STATUS_OK)
        st = chum_charge_end(s, p->fetch, &before, sent, 0, e);
    store_set_parts(s, false);
    store_set_sender(s, NULL);
    chum_delivery_end(&d);
    return st;
}

static void go_on(struct chum_parts *p);

static void batch_done(void *arg, enum status status, const struct error *e)
{
    struct chum_parts *p = arg;
    if (!job_ended(p, status, e))
        return;
    for (size_t i = p->next_store; i < p->batch_end; i++) {
        struct part *part = part_at(p, i);
        if (part->state == PART_HERE) {
            p->fetch->counts->objects_received++;
            p->fetch->counts->bytes_received += part->text.len;
        }
        forget_text(p, part);
    }
    p->next_store = p->batch_end;
    p->batch_end = 0;
    go_on(p);
}

static void store_batch(struct chum_parts *p)
{
    size_t i = p->next_store;
    size_t bytes = 0;
    while (i < p->next_call && part_at(p, i)->state != PART_ASKED && i - p->next_store < BATCH_OBJECTS &&
           bytes < BATCH_BYTES)
        bytes += part_at(p, i++)->text.len;
    size_t count = i - p->next_store;
    bool worth = count == BATCH_OBJECTS || bytes >= BATCH_BYTES || p->under_way == 0 || i == p->missing.count ||
                 p->next_call - p->next_store == PARTS;
    if (count == 0 || !worth)
        return;
    p->batch_end = i;
    p->jobs++;
    store_submit(p->fetch->queue, batch_work, batch_done, p);
}

// ---- Asking --------------------------------------------------------------------------------------------------------

static void object_here(void *ctx, const struct rpc_reply *reply)
{
    struct part *part = ctx;
    struct chum_parts *p = part->parts;
    struct span text;
    struct error e;
    p->under_way--;
    part->call = -1;
    part->state = PART_HERE;
    enum status st = chum_fetch_text(reply, part->child.kind == LINK_ID ? "CIEC-FIDO1" : "CIEC-FO1", &text, &e);
    if (st == STATUS_OK && (!chum_fetch_fits(p->fetch, text) || p->fetch->ahead + text.len > CHUM_AHEAD_LIMIT))
        st = error_set(&e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the peer's object has %zu bytes", text.len);
    if (st != STATUS_OK) {
        end(p, st, &e);
        return;
    }
    chum_fetch_keep_text(reply, text, &part->text);
    p->fetch->ahead += text.len;
    go_on(p);
}

// The peer answered, with something else than the file. To refuse every object that refers to the file would lose more
// than the file.
static bool can_do_without(const struct part *part, const struct error *why)
{
    return part->child.kind == LINK_BLOB && (why->status == STATUS_REFUSED || strcmp(why->code, "CIEC-FBL2") == 0);
}

static struct chum_parts *file_over(struct part *part, enum part_state state)
{
    part->parts->under_way--;
    part->download = NULL;
    part->state = state;
    return part->parts;
}

static void file_here(void *ctx, enum status status, const struct error *why)
{
    struct part *part = ctx;
    struct chum_parts *p = file_over(part, PART_STORED);
    if (status != STATUS_OK && can_do_without(part, why)) {
        part->state = PART_LACKING;
        p->lacking.files++;
        p->lacking.asked++;
        p->lacking.news += chum_fetch_note_lacking(p->fetch, &part->child.hash);
    } else if (status != STATUS_OK) {
        end(p, status, why);
        return;
    }
    go_on(p);
}

static void file_left(void *ctx, uint64_t size)
{
    struct part *part = ctx;
    part->size = size;
    go_on(file_over(part, PART_LEFT));
}

static void ask(struct chum_parts *p)
{
    struct part *part = part_at(p, p->next_call);
    *part = (struct part){.parts = p, .child = p->missing.items[p->next_call++], .call = -1};
    enum link_kind kind = part->child.kind;
    if (kind == LINK_BLOB && chum_fetch_does_without(p->fetch, &part->child.hash)) {
        part->state = PART_LACKING;
        p->lacking.files++;
        return;
    }
    p->under_way++;
    if (kind == LINK_BLOB || kind == LINK_CLOB)
        part->download =
            chum_download_or_leave(p->fetch, &part->child.hash, kind == LINK_CLOB, file_here, file_left, part);
    else
        part->call = chum_fetch_call_for(p->fetch, kind == LINK_ID ? CHUM_GET_ID_OBJECT : CHUM_GET_OBJECT,
                                         &part->child.hash, object_here, part);
}

// The one that has to be stored next may always be asked for, so that things go on.
static bool may_ask(const struct chum_parts *p)
{
    if (p->next_call == p->missing.count || p->next_call - p->next_store == PARTS || p->under_way >= p->fetch->window)
        return false;
    return p->next_call == p->next_store || p->fetch->ahead < CHUM_AHEAD_BYTES;
}

static void go_on(struct chum_parts *p)
{
    while (may_ask(p))
        ask(p);
    if (p->batch_end == 0)
        store_batch(p);
    if (p->next_store == p->missing.count)
        end(p, STATUS_OK, NULL);
}

// ---- What the peer has too -----------------------------------------------------------------------------------------

static enum status vouch_work(struct store *s, void *arg, struct error *e)
{
    struct chum_parts *p = arg;
    enum status st = STATUS_OK;
    store_set_sender(s, &p->fetch->sender);
    for (size_t i = 0; i < p->vouched.count && st == STATUS_OK; i++)
        st = store_vouch(s, &p->vouched.items[i], e);
    store_set_sender(s, NULL);
    return st;
}

static void vouch_done(void *arg, enum status status, const struct error *e)
{
    struct chum_parts *p = arg;
    (void)job_ended(p, status, e);
}

static void vouch(struct chum_parts *p)
{
    if (p->vouched.count == 0)
        return;
    p->jobs++;
    store_submit(p->fetch->queue, vouch_work, vouch_done, p);
}

// ---- The list ------------------------------------------------------------------------------------------------------

struct sifting {
    struct chum_parts *parts;
    const struct chum_policy *policy;
    struct hash sender;
    struct hash self;
    struct store_children children; // the peer's list; what the store has is taken out
    struct hash_list vouched;
    struct hash *siblings;
    size_t sibling_count;
    bool *listed;
    struct store_knowledge *knowledge;
};

static void mark_siblings(struct sifting *sifting)
{
    struct hash_map *siblings = hash_map_create();
    for (size_t i = 0; i < sifting->sibling_count; i++)
        hash_map_set(siblings, &sifting->siblings[i], &sifting->listed[i]);
    for (size_t i = 0; i < sifting->children.count; i++) {
        bool *listed = hash_map_get(siblings, &sifting->children.items[i].hash);
        if (listed != NULL)
            *listed = true;
    }
    hash_map_destroy(siblings);
}

// Also asked for is what is here, but neither came from the peer nor is shown to it, or is of another kind than it
// says: otherwise it would learn that it is here, and by referring to it get to see it.
static bool is_to_be_asked_for(struct sifting *sifting, struct store *s, bool is_own, const struct store_child *child)
{
    if (!is_own) {
        bool known = store_knowledge_of(sifting->knowledge, child->kind, &child->hash) == STORE_LINK_KNOWN;
        if (store_knowledge_is_borrowed(sifting->knowledge))
            hash_list_add(&sifting->vouched, &child->hash);
        return !known;
    }
    if (store_knowledge_of(sifting->knowledge, child->kind, &child->hash) == STORE_LINK_MISSING)
        return true;
    bool is_file = child->kind == LINK_BLOB || child->kind == LINK_CLOB;
    if (is_file && !store_came_from(s, &child->hash, &sifting->sender))
        hash_list_add(&sifting->vouched, &child->hash);
    return false;
}

static enum status sift_work(struct store *s, void *arg, struct error *e)
{
    struct sifting *sifting = arg;
    struct store_children *c = &sifting->children;
    size_t kept = 0;
    (void)e;
    mark_siblings(sifting);
    bool is_own = chum_is_own(sifting->policy, s, &sifting->sender);
    sifting->knowledge = store_knowledge_create(s, &sifting->sender, &sifting->self, is_own);
    for (size_t i = 0; i < c->count; i++) { // from above downwards
        if (is_to_be_asked_for(sifting, s, is_own, &c->items[i]))
            c->items[kept++] = c->items[i];
    }
    c->count = kept;
    for (size_t i = 0; i < kept / 2; i++) { // deepest first
        struct store_child child = c->items[i];
        c->items[i] = c->items[kept - 1 - i];
        c->items[kept - 1 - i] = child;
    }
    return STATUS_OK;
}

static void sift_done(void *arg, enum status status, const struct error *e)
{
    struct sifting *sifting = arg;
    struct chum_parts *p = sifting->parts;
    p->missing = sifting->children;
    p->listed = sifting->listed;
    p->vouched = sifting->vouched;
    p->knowledge = sifting->knowledge;
    free(sifting->siblings);
    free(sifting);
    if (!job_ended(p, status, e))
        return;
    vouch(p);
    p->ring = mem_array(p->missing.count < PARTS ? p->missing.count : PARTS, sizeof *p->ring);
    go_on(p);
}

static void sift(struct chum_parts *p, const struct store_children *children)
{
    struct sifting *sifting = mem_alloc(sizeof *sifting);
    size_t count = p->root.sibling_count;
    *sifting = (struct sifting){.parts = p,
                                .policy = p->fetch->policy,
                                .sender = p->fetch->sender,
                                .self = p->fetch->self,
                                .children = *children,
                                .sibling_count = count};
    sifting->siblings = mem_array(count, sizeof *sifting->siblings);
    sifting->listed = mem_array(count, sizeof *sifting->listed);
    if (count != 0)
        memcpy(sifting->siblings, p->root.siblings, count * sizeof *sifting->siblings);
    p->jobs++;
    store_submit_read(p->fetch->queue, sift_work, sift_done, sifting);
}

// Counts what has been read of it, in all lists that are being worked on.
static enum status count_entries(struct chum_parts *p, struct error *e)
{
    size_t more = p->list.children.count - p->entries;
    p->entries += more;
    p->fetch->entries += more;
    budget_charge(conn_budget(p->fetch->conn), BUDGET_VALUES, more);
    if (p->fetch->entries <= CHUM_CHILDREN_MAX)
        return STATUS_OK;
    return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "too many long lists of children at a time");
}

static enum status add_to_list(struct chum_parts *p, struct span text, bool first, struct error *e)
{
    if (first) {
        p->fetch->entries -= p->entries;
        p->entries = 0;
        chum_children_begin(&p->list);
    }
    enum status st = chum_children_add(&p->list, text, e);
    return st == STATUS_OK ? count_entries(p, e) : st;
}

// The list, or a piece of it: a long one is read as it comes.
static enum status take_list(struct chum_parts *p, const struct rpc_reply *reply, struct store_children *children,
                             struct error *e)
{
    struct span text;
    if (reply->kind == RPC_PIECE)
        return add_to_list(p, reply->chunk, reply->first, e);
    p->call = -1;
    enum status st = chum_fetch_text(reply, "DC-PC1", &text, e);
    if (st == STATUS_OK && reply->text == NULL)
        st = add_to_list(p, text, true, e);
    return st == STATUS_OK ? chum_children_take(&p->list, children, e) : st;
}

static void list_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_parts *p = ctx;
    struct error e;
    struct store_children children = {0};
    enum status st = take_list(p, reply, &children, &e);
    if (st != STATUS_OK) {
        end(p, st, &e);
        return;
    }
    if (reply->kind == RPC_PIECE)
        return;
    if (children.count != 0) {
        sift(p, &children);
        return;
    }
    free(children.items);
    end(p, STATUS_OK, NULL);
}

struct chum_parts *chum_parts_begin(struct chum_fetch *f, const struct chum_root_ref *root, chum_parts_done done,
                                    void *ctx)
{
    struct chum_parts *p = mem_alloc(sizeof *p);
    *p = (struct chum_parts){.fetch = chum_fetch_use(f), .root = *root, .done = done, .ctx = ctx};
    p->call = chum_fetch_call_for(f, root->is_id ? CHUM_GET_ID_OBJECT_CHILDREN : CHUM_GET_OBJECT_CHILDREN, &root->hash,
                                  list_here, p);
    return p;
}
