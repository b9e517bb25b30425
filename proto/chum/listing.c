// Nothing of a list is understood here; that is the plan's work (plan.h).
#include "chum/listing.h"

#include "crypto/sha256.h"

enum {
    RECHECK_MS = 10000,  // an unchanged list is gone through again: something of it may have been lost here
    KEPT_MAX = 16 << 20, // bytes of an own node's list that is kept; a longer one is sent whole every time
};

static uint64_t now(const struct chum_listing *l)
{
    return conn_now(l->fetch->conn);
}

static void take(struct chum_listing *l, const struct rpc_reply *reply, struct span answer)
{
    struct buf list = l->kept;
    bool is_kept = list.len != 0 && span_eq_text(answer, CHUM_UNCHANGED);
    l->kept = (struct buf){0};
    if (!is_kept) {
        l->list = sha256(answer);
        buf_free(&list);
        chum_fetch_keep_text(reply, answer, &list);
    }
    l->here(l->ctx, &list, STATUS_OK, NULL);
}

static void roots_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_listing *l = ctx;
    struct span list;
    struct error e;
    l->call = -1;
    l->fetch->counts->latency_ms = now(l) - l->asked_at;
    enum status st = chum_fetch_text(reply, "DAH-PAO1", &list, &e);
    if (st == STATUS_OK)
        take(l, reply, list);
    else if (reply->kind == RPC_ERROR) // it fails for a moment while the peer stores a grant (WIRE.md 10.8)
        l->here(l->ctx, NULL, STATUS_NOT_FOUND, &e);
    else
        l->here(l->ctx, NULL, st, &e);
}

void chum_listing_ask(struct chum_listing *l, bool left)
{
    l->asked_at = now(l);
    struct span args = l->kept.len != 0 ? SPAN("[\"" CHUM_UNCHANGED "\"]") : SPAN("[]");
    if (left)
        args = l->kept.len != 0 ? SPAN("[\"" CHUM_UNCHANGED "\",\"left\"]") : SPAN("[\"\",\"left\"]");
    l->call = chum_fetch_call(l->fetch, CHUM_GET_ACCESSIBLE_ROOTS, args, roots_here, l);
}

void chum_listing_keep(struct chum_listing *l, struct buf *list)
{
    if (!l->keeps || list->len > KEPT_MAX)
        buf_free(list);
    l->kept = *list;
}

void chum_listing_drop_kept(struct chum_listing *l)
{
    buf_free(&l->kept);
}

bool chum_listing_is_unchanged(const struct chum_listing *l)
{
    return hash_eq(&l->list, &l->complete) && now(l) < l->recheck_at;
}

void chum_listing_was_through(struct chum_listing *l, bool complete)
{
    l->complete = complete ? l->list : (struct hash){{0}};
    l->recheck_at = now(l) + RECHECK_MS;
}

void chum_listing_forget(struct chum_listing *l)
{
    l->complete = (struct hash){{0}};
}
