#include "chum/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chum/download.h"

enum { BATCH_OBJECTS = 500, BATCH_BYTES = 1 << 20, AHEAD_BYTES = 8 << 20 };

enum part_state { PART_WAITING, PART_ASKED, PART_HERE, PART_STORED };

struct part { // something missing below the root being fetched
    struct chum_tree *tree;
    enum link_kind kind;
    enum part_state state;
    struct hash hash;
    struct buf text;
    int64_t call;
    struct chum_download *download;
};

struct chum_tree {
    struct chum_fetch *fetch;
    struct chum_want want;
    chum_tree_done done;
    void *ctx;
    struct buf *texts; // of the roots; empty = not here, or came with a newer one
    bool *covered;     // a root that is part of a newer one
    size_t root;       // the one being fetched, counting down
    int64_t call;      // for children or the root itself; -1 = none

    struct part *parts; // of this root, in the order they can be stored
    size_t part_count;
    size_t next_call;
    size_t next_store;
    size_t under_way; // calls
    size_t ahead;     // bytes received and not yet stored
    size_t batch_end; // end of the batch the store works on; 0 = none
    size_t jobs;
    bool over; // done was called, or the tree was dropped
};

// ---- Life ----------------------------------------------------------------------------------------------------------

static void free_parts(struct chum_tree *t)
{
    for (size_t i = 0; i < t->part_count; i++)
        buf_free(&t->parts[i].text);
    free(t->parts);
    t->parts = NULL;
    t->part_count = t->next_call = t->next_store = t->batch_end = 0;
}

static void release(struct chum_tree *t)
{
    if (!t->over || t->jobs != 0)
        return;
    free_parts(t);
    for (size_t i = 0; i < t->want.count; i++)
        buf_free(&t->texts[i]);
    free(t->texts);
    free(t->covered);
    free(t->want.hashes);
    chum_fetch_release(t->fetch);
    free(t);
}

static void stop_calls(struct chum_tree *t)
{
    if (t->call >= 0 && !t->fetch->ended)
        rpc_cancel(t->fetch->rpc, t->call);
    t->call = -1;
    for (size_t i = 0; i < t->part_count; i++) {
        struct part *p = &t->parts[i];
        if (p->state != PART_ASKED)
            continue;
        if (p->download != NULL)
            chum_download_drop(p->download);
        else if (!t->fetch->ended)
            rpc_cancel(t->fetch->rpc, p->call);
        p->download = NULL;
        p->state = PART_WAITING;
    }
}

static void end(struct chum_tree *t, enum status status, const struct error *why)
{
    if (t->over)
        return;
    stop_calls(t);
    t->over = true;
    if (!t->fetch->ended)
        t->done(t->ctx, status, why);
    release(t);
}

void chum_tree_drop(struct chum_tree *t)
{
    stop_calls(t);
    t->over = true;
    release(t);
}

static void job_begun(struct chum_tree *t)
{
    t->jobs++;
}

// false: the tree is over and must not be touched any more.
static bool job_ended(struct chum_tree *t)
{
    t->jobs--;
    if (!t->over && !t->fetch->ended)
        return true;
    t->over = true;
    release(t);
    return false;
}

static int64_t call(struct chum_tree *t, enum chum_service service, const struct hash *hash, rpc_reply_fn reply,
                    void *ctx)
{
    char args[HASH_HEX + 8];
    snprintf(args, sizeof args, "[\"%s\"]", hash_text(hash).s);
    int64_t id = rpc_call(t->fetch->rpc, service, span_of(args), conn_now(t->fetch->conn), CHUM_CALL_MS, reply, ctx);
    conn_reschedule(t->fetch->conn);
    return id;
}

// The string an answer carries. Failures end the tree; then false.
static bool answer_text(struct chum_tree *t, const struct rpc_reply *reply, struct span *text)
{
    struct error e;
    if (reply->kind == RPC_DATA && json_is_string(reply->data)) {
        *text = (struct span){json_string_value(reply->data), json_string_length(reply->data)};
        return true;
    }
    if (reply->kind == RPC_ERROR || reply->kind == RPC_LOST)
        end(t, reply->error->status, reply->error);
    else
        end(t, error_set(&e, STATUS_INVALID, "BAD-ANSWER", "the peer's answer is not a text"), &e);
    return false;
}

// ---- The root itself, and the end ----------------------------------------------------------------------------------

static void fetch_root(struct chum_tree *t);

struct final { // the last job of a tree
    struct chum_tree *tree;
    struct span *texts;
};

static enum status final_work(struct store *s, void *arg, struct error *e)
{
    struct final *f = arg;
    struct chum_tree *t = f->tree;
    return chum_store_roots(s, t->fetch->policy, &t->fetch->sender, &t->want, f->texts, e);
}

static void final_done(void *arg, enum status status, const struct error *e)
{
    struct final *f = arg;
    struct chum_tree *t = f->tree;
    free(f->texts);
    free(f);
    if (!job_ended(t))
        return;
    if (status == STATUS_OK)
        t->fetch->counts->objects_received += t->want.count;
    end(t, status, e);
}

static void store_roots_now(struct chum_tree *t)
{
    struct final *f = mem_alloc(sizeof *f);
    f->tree = t;
    f->texts = mem_array(t->want.count, sizeof *f->texts);
    for (size_t i = 0; i < t->want.count; i++)
        f->texts[i] = t->covered[i] ? (struct span){0} : buf_span(&t->texts[i]);
    job_begun(t);
    store_submit(t->fetch->queue, final_work, final_done, f);
}

static void next_root(struct chum_tree *t)
{
    free_parts(t);
    while (t->root > 0 && t->covered[t->root - 1])
        t->root--;
    if (t->root == 0)
        store_roots_now(t);
    else
        fetch_root(t);
}

static void root_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_tree *t = ctx;
    struct span text;
    t->call = -1;
    if (!answer_text(t, reply, &text))
        return;
    t->root--;
    buf_add_span(&t->texts[t->root], text);
    t->fetch->counts->bytes_received += text.len;
    next_root(t);
}

static void ask_root(struct chum_tree *t)
{
    enum chum_service service = t->want.kind == CHUM_ROOT_ID ? CHUM_GET_ID_OBJECT : CHUM_GET_OBJECT;
    t->call = call(t, service, &t->want.hashes[t->root - 1], root_here, t);
}

// ---- Storing parts in order ----------------------------------------------------------------------------------------

static enum status batch_work(struct store *s, void *arg, struct error *e)
{
    struct chum_tree *t = arg;
    enum status st = STATUS_OK;
    for (size_t i = t->next_store; st == STATUS_OK && i < t->batch_end; i++) {
        const struct part *p = &t->parts[i];
        if (p->state == PART_HERE)
            st = chum_store_received(s, t->fetch->policy, buf_span(&p->text), &p->hash, p->kind == LINK_ID, e);
    }
    return st;
}

static void go_on(struct chum_tree *t);

static void batch_done(void *arg, enum status status, const struct error *e)
{
    struct chum_tree *t = arg;
    if (!job_ended(t))
        return;
    if (status != STATUS_OK) {
        end(t, status, e);
        return;
    }
    for (size_t i = t->next_store; i < t->batch_end; i++) {
        struct part *p = &t->parts[i];
        if (p->state == PART_HERE) {
            t->ahead -= p->text.len;
            t->fetch->counts->objects_received++;
            t->fetch->counts->bytes_received += p->text.len;
            buf_free(&p->text);
            p->state = PART_STORED;
        }
    }
    t->next_store = t->batch_end;
    t->batch_end = 0;
    go_on(t);
}

static void store_batch(struct chum_tree *t)
{
    size_t i = t->next_store;
    size_t bytes = 0;
    while (i < t->part_count && t->parts[i].state >= PART_HERE && i - t->next_store < BATCH_OBJECTS &&
           bytes < BATCH_BYTES)
        bytes += t->parts[i++].text.len;
    size_t count = i - t->next_store;
    bool worth = count == BATCH_OBJECTS || bytes >= BATCH_BYTES || t->under_way == 0 || i == t->part_count;
    if (count == 0 || !worth)
        return;
    t->batch_end = i;
    job_begun(t);
    store_submit(t->fetch->queue, batch_work, batch_done, t);
}

// ---- Asking for parts ----------------------------------------------------------------------------------------------

static void part_here(void *ctx, const struct rpc_reply *reply)
{
    struct part *p = ctx;
    struct chum_tree *t = p->tree;
    struct span text;
    t->under_way--;
    p->state = PART_HERE;
    if (!answer_text(t, reply, &text))
        return;
    buf_add_span(&p->text, text);
    t->ahead += text.len;
    go_on(t);
}

static void file_here(void *ctx, enum status status, const struct error *why)
{
    struct part *p = ctx;
    struct chum_tree *t = p->tree;
    t->under_way--;
    p->download = NULL;
    p->state = PART_STORED;
    if (status != STATUS_OK)
        end(t, status, why);
    else
        go_on(t);
}

static void ask_part(struct chum_tree *t, struct part *p)
{
    t->under_way++;
    p->state = PART_ASKED;
    if (p->kind == LINK_BLOB || p->kind == LINK_CLOB)
        p->download = chum_download_begin(t->fetch, &p->hash, p->kind == LINK_CLOB, file_here, p);
    else
        p->call = call(t, p->kind == LINK_ID ? CHUM_GET_ID_OBJECT : CHUM_GET_OBJECT, &p->hash, part_here, p);
}

static void go_on(struct chum_tree *t)
{
    while (t->next_call < t->part_count && t->under_way < t->fetch->window && t->ahead < AHEAD_BYTES)
        ask_part(t, &t->parts[t->next_call++]);
    if (t->batch_end == 0)
        store_batch(t);
    if (t->next_store == t->part_count && t->batch_end == 0)
        ask_root(t);
}

// ---- What is missing below a root ----------------------------------------------------------------------------------

struct sifting {
    struct chum_tree *tree;
    struct store_children children; // the peer's list; what the store has is taken out
};

static enum status sift_work(struct store *s, void *arg, struct error *e)
{
    struct sifting *sifting = arg;
    size_t kept = 0;
    (void)e;
    for (size_t i = 0; i < sifting->children.count; i++) {
        if (store_presence(s, &sifting->children.items[i].hash) == STORE_ABSENT)
            sifting->children.items[kept++] = sifting->children.items[i];
    }
    sifting->children.count = kept;
    return STATUS_OK;
}

static void cover(struct chum_tree *t, const struct hash *hash)
{
    for (size_t i = 0; i + 1 < t->root; i++) {
        if (hash_eq(&t->want.hashes[i], hash))
            t->covered[i] = true;
    }
}

static void sift_done(void *arg, enum status status, const struct error *e)
{
    struct sifting *sifting = arg;
    struct chum_tree *t = sifting->tree;
    struct store_children missing = sifting->children;
    free(sifting);
    if (!job_ended(t)) {
        free(missing.items);
        return;
    }
    if (status != STATUS_OK) {
        free(missing.items);
        end(t, status, e);
        return;
    }
    t->part_count = missing.count;
    t->parts = mem_array(missing.count, sizeof *t->parts);
    for (size_t i = 0; i < missing.count; i++) { // deepest first: the list is reversed
        const struct store_child *child = &missing.items[missing.count - 1 - i];
        t->parts[i] = (struct part){.tree = t, .kind = child->kind, .hash = child->hash, .call = -1};
        cover(t, &child->hash);
    }
    free(missing.items);
    go_on(t);
}

static void children_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_tree *t = ctx;
    struct span text;
    struct error e;
    t->call = -1;
    if (!answer_text(t, reply, &text))
        return;
    struct sifting *sifting = mem_alloc(sizeof *sifting);
    sifting->tree = t;
    enum status st = chum_children_read(text, &sifting->children, &e);
    if (st != STATUS_OK) {
        free(sifting);
        end(t, st, &e);
        return;
    }
    job_begun(t);
    store_submit_read(t->fetch->queue, sift_work, sift_done, sifting);
}

static void fetch_root(struct chum_tree *t)
{
    enum chum_service service = t->want.kind == CHUM_ROOT_ID ? CHUM_GET_ID_OBJECT_CHILDREN : CHUM_GET_OBJECT_CHILDREN;
    t->call = call(t, service, &t->want.hashes[t->root - 1], children_here, t);
}

struct chum_tree *chum_tree_begin(struct chum_fetch *f, const struct chum_want *want, chum_tree_done done, void *ctx)
{
    struct chum_tree *t = mem_alloc(sizeof *t);
    *t = (struct chum_tree){
        .fetch = chum_fetch_use(f), .want = *want, .done = done, .ctx = ctx, .root = want->count, .call = -1};
    t->want.hashes = mem_array(want->count, sizeof *want->hashes);
    memcpy(t->want.hashes, want->hashes, want->count * sizeof *want->hashes);
    t->texts = mem_array(want->count, sizeof *t->texts);
    t->covered = mem_array(want->count, sizeof *t->covered);
    fetch_root(t);
    return t;
}
