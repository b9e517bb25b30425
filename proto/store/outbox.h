// What the user asked of this node and another one of the same installation has to do: rows that are written in the
// transaction of what the user was answered, and stay until it is done or has failed.
#pragma once

#include "store/store.h"

enum {
    OUTBOX_ROWS_MAX = 20000, // that wait
    OUTBOX_BYTES_MAX = 64 << 20,
    OUTBOX_KEPT = 4096, // rows behind that are over, for who still looks for them; and as many that have failed
};

// On disk: column state of table outbox.
enum intent_state { INTENT_WAITING = 0, INTENT_CARRIED = 1, INTENT_FAILED = 2 };

struct store_intent {
    int64_t seq;
    struct span op; // names it: the same one is not taken twice
    struct span method;
    struct span params; // JSON; empty once it is over
    int64_t created_ms;
    enum intent_state state;
    struct span result; // JSON; carried
    struct span code;   // failed
    struct span why;
    struct span topic; // of a message: where it belongs; empty for everything else
    struct hash message;
    double time;
};

struct store_intents {
    struct store_intent *items;
    size_t count;
};

// Texts of results live in the arena. Code OUTBOX-FULL.
enum status store_outbox_add(struct store *s, const struct store_intent *intent, int64_t *seq, struct error *e);
enum status store_outbox_waiting(struct store *s, struct arena *a, int64_t after, size_t limit,
                                 struct store_intents *out, struct error *e); // in their order
// STATUS_NOT_FOUND
enum status store_outbox_by_op(struct store *s, struct arena *a, struct span op, struct store_intent *out,
                               struct error *e);
enum status store_outbox_by_message(struct store *s, struct arena *a, const struct hash *message,
                                    struct store_intent *out, struct error *e);
// The messages of a topic up to a time, newest first; and those behind a number, oldest first.
enum status store_outbox_of_topic(struct store *s, struct arena *a, struct span topic, double until, size_t limit,
                                  struct store_intents *out, struct error *e);
enum status store_outbox_since(struct store *s, struct arena *a, struct span topic, int64_t after, size_t limit,
                               struct store_intents *out, struct error *e);
struct outbox_place { // of a message: where it stands among others
    struct hash message;
    double time;
    enum intent_state state;
};
// Tells of all the messages of a topic up to a time, in no order. each may not use the store.
enum status store_outbox_places(struct store *s, struct span topic, double until,
                                void (*each)(void *arg, const struct outbox_place *place), void *arg, struct error *e);
// Of a topic: the latest time and the highest number, 0 if there is none.
enum status store_outbox_last(struct store *s, struct span topic, double *time, int64_t *seq, struct error *e);
// One that waits is over: carried with a result, or failed with code and why. Nothing happens to one that is over.
enum status store_outbox_settle(struct store *s, const struct store_intent *outcome, struct error *e);
