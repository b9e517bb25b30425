// Answers that need no store: they, too, wait until the connection has room for them, so that nobody makes us hold
// answers by not reading them. Part of the exporter.
#pragma once

#include "chum/rpc.h"
#include "conn/conn.h"

enum { CHUM_QUEUED_MAX = 256 << 10 }; // bytes the connection has not sent: nothing more is answered

enum chum_direct_kind { DIRECT_VERSION, DIRECT_NOTHING, DIRECT_UNKNOWN, DIRECT_NO_ARRAY, DIRECT_ERROR };

struct chum_direct { // a request
    struct chum_direct *next;
    enum chum_direct_kind kind;
    int64_t id;
    int64_t service;    // DIRECT_UNKNOWN
    struct error error; // DIRECT_ERROR
};

struct chum_directs { // those that wait, in the order they came
    struct conn *conn;
    struct rpc *rpc;
    struct chum_direct *first, *last;
};

bool chum_has_room(const struct conn *c);
// Answers at once, or later; false: it waits.
bool chum_directs_take(struct chum_directs *ds, const struct chum_direct *request);
size_t chum_directs_go_on(struct chum_directs *ds); // how many were answered
size_t chum_directs_end(struct chum_directs *ds);   // how many never will be

void chum_answer_error(struct rpc *r, int64_t id, const struct error *e);
