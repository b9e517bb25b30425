// Files on their way to the peer (GET_BLOB), a few at a time: the next piece of each is read when the exporter says
// that the connection has room. Part of the exporter, on its thread.
#pragma once

#include "chum/chum.h"
#include "chum/rpc.h"
#include "store/queue.h"

struct chum_stream;

struct chum_streams { // filled by the exporter, but for first
    struct rpc *rpc;
    struct store_queue *queue;
    struct chum_counts *counts;
    void *ctx;
    // A piece was read, which took so long; over: it was the last one of its file, or nothing more is to come. Also
    // after the end, once for each read that was under way.
    void (*back)(void *ctx, uint64_t ms, bool over);
    struct chum_elsewhere elsewhere;
    bool ended;
    struct chum_stream *first; // in the order they came
};

void chum_streams_add(struct chum_streams *ss, int64_t id, const struct hash *hash, bool as_text);
size_t chum_streams_go_on(struct chum_streams *ss); // how many reads it began
size_t chum_streams_end(struct chum_streams *ss);   // how many never will be over, but for those being read
