// The peer may have authenticated us before it has registered its services, and the reference then answers that it
// knows none: that is no error for a while (VERSION_RETRIES). A question may also be lost while it changes hands, so
// one that is not answered is asked once more.
#include "chum/hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chum/news.h"

enum {
    COURTESY_MS = 75,       // between the peer's "synchronisation" and our first question (WIRE.md 10.2)
    VERSION_RETRY_MS = 300, // while the peer has no services yet (10.3)
    VERSION_RETRIES = 15,
    VERSION_CALL_MS = 5000, // a lost first question is asked again once
    SYNC_MS = 30000,        // for the peer's "synchronisation"
};

static void wait_until(struct chum_hello *h, uint64_t when)
{
    h->due = when;
    conn_reschedule(h->conn);
}

static void finish(struct chum_hello *h, const struct error *why)
{
    chum_hello_end(h);
    h->over(h->ctx, why);
}

static void mismatch(struct chum_hello *h, const json_t *version)
{
    struct error e;
    char *shown = version != NULL ? json_dumps(version, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    (void)error_set(&e, STATUS_INVALID, "CS-MISMATCH", "[%llu] Chum protocol mismatch, local: 8, remote: %.20s",
                    (unsigned long long)conn_id(h->conn), shown != NULL ? shown : "undefined");
    free(shown);
    finish(h, &e);
}

static void ask_version(struct chum_hello *h);

static void version_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_hello *h = ctx;
    if (h->step != HELLO_ASKING)
        return;
    if (reply->kind == RPC_DATA && json_is_integer(reply->data) &&
        json_integer_value(reply->data) == CHUM_PROTOCOL_VERSION)
        finish(h, NULL);
    else if (reply->kind == RPC_ERROR && strcmp(reply->error->code, "UNKNOWN-SERVICE") == 0 &&
             h->tries <= VERSION_RETRIES)
        wait_until(h, conn_now(h->conn) + VERSION_RETRY_MS);
    else if (reply->kind == RPC_LOST && reply->error->status == STATUS_TIMEOUT && h->tries < 2)
        ask_version(h);
    else if (reply->kind == RPC_DATA)
        mismatch(h, reply->data);
    else
        finish(h, reply->error);
}

static void ask_version(struct chum_hello *h)
{
    h->step = HELLO_ASKING;
    h->tries++;
    wait_until(h, 0);
    rpc_call(h->rpc, CHUM_GET_PROTOCOL_VERSION, chum_news_greeting(h->feeds), conn_now(h->conn), VERSION_CALL_MS,
             version_here, h);
    conn_reschedule(h->conn);
}

void chum_hello_begin(struct chum_hello *h)
{
    h->step = HELLO_SYNCHRONISING;
    h->due = conn_now(h->conn) + SYNC_MS;
}

bool chum_hello_takes(struct chum_hello *h)
{
    if (h->step != HELLO_SYNCHRONISING)
        return false;
    h->step = HELLO_COURTESY;
    wait_until(h, conn_now(h->conn) + (h->own ? 0 : COURTESY_MS));
    return true;
}

void chum_hello_on_time(struct chum_hello *h, uint64_t now_ms)
{
    if (h->due == 0 || h->due > now_ms)
        return;
    h->due = 0;
    if (h->step == HELLO_SYNCHRONISING)
        conn_close(h->conn, "no synchronisation message in time");
    else if (h->step != HELLO_OVER)
        ask_version(h);
}

void chum_hello_end(struct chum_hello *h)
{
    h->step = HELLO_OVER;
    h->due = 0;
}
