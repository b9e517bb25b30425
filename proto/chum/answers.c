// A batch ends early for two reasons: its answers are big enough together, or one of them takes more turns of the store
// thread than one (store_roots_prepare, chum_outbatch.unfinished). Both leave the rest with worked false, and the
// exporter asks again.
#include "chum/answers.h"

#include <stdlib.h>

#include "base/clock.h"
#include "chum/held.h"

enum {
    BATCH_BYTES = 1 << 20, // of answers per job; what is left waits for the next
};

struct batch {
    const struct chum_policy *policy;
    const struct hash *person;
};

static enum status compare_roots(struct store *s, const struct batch *b, struct chum_answer *a)
{
    uint64_t version = 0;
    enum status st = store_roots_version(s, b->person, &version, &a->error);
    a->unchanged = a->version != 0 && a->version == version;
    a->spared = a->held != 0 && a->held == version && chum_is_own(b->policy, s, b->person);
    a->version = version;
    return st;
}

static enum status give_batch(struct store *s, const struct batch *b, struct chum_answer *a)
{
    struct chum_outbatch out = {.policy = b->policy,
                                .person = b->person,
                                .own = chum_is_own(b->policy, s, b->person),
                                .since = a->since,
                                .text = &a->json,
                                .packed = a->packs ? &a->packed : NULL,
                                .shown = &a->shown,
                                .given = &a->given};
    enum status st = chum_outflow_next(s, &a->flow, &out, &a->error);
    a->since = out.since;
    a->end = out.end;
    a->bytes = out.bytes;
    a->worked = !out.unfinished;
    return st;
}

static enum status tell_held(struct store *s, const struct batch *b, struct chum_answer *a)
{
    if (!chum_is_own(b->policy, s, b->person))
        return error_set(&a->error, STATUS_REFUSED, "REFUSED", "only own nodes are told what is here");
    chum_held_write(s, &a->files, &a->json);
    return STATUS_OK;
}

// What tells which roots are shown may take more turns than one; then it is not worked on.
static void prepare(struct store *s, const struct batch *b, struct chum_answer *a)
{
    bool is_list = a->service == CHUM_GET_ACCESSIBLE_ROOTS;
    bool shows_roots = is_list || a->service == CHUM_FEED;
    a->status = is_list ? compare_roots(s, b, a) : STATUS_OK;
    a->worked = true;
    if (shows_roots && a->status == STATUS_OK && !a->unchanged && !a->spared)
        a->status = store_roots_prepare(s, b->person, &a->worked, &a->error);
    a->worked |= a->status != STATUS_OK;
}

static void answer_one(struct store *s, const struct batch *b, struct chum_answer *a)
{
    prepare(s, b, a);
    if (!a->worked || a->status != STATUS_OK || a->unchanged || a->spared)
        return;
    buf_add_char(&a->json, '"');
    if (a->service == CHUM_FEED)
        a->status = give_batch(s, b, a);
    else if (a->service == CHUM_HOLDS)
        a->status = tell_held(s, b, a);
    else
        a->status = chum_export(s, b->policy, b->person, a->service, &a->hash, &a->json, &a->shown, &a->error);
    buf_add_char(&a->json, '"');
    if (!a->worked)
        buf_clear(&a->json);
}

uint64_t chum_answers_work(struct store *s, const struct chum_policy *policy, const struct hash *person,
                           struct chum_answer *answers)
{
    const struct batch b = {policy, person};
    size_t bytes = 0;
    uint64_t begun = clock_monotonic_ms();
    for (struct chum_answer *a = answers; a != NULL && bytes < BATCH_BYTES; a = a->next) {
        answer_one(s, &b, a);
        bytes += a->json.len + a->packed.len;
        if (!a->worked)
            break;
    }
    return clock_monotonic_ms() - begun;
}

void chum_answer_free(struct chum_answer *a)
{
    buf_free(&a->json);
    buf_free(&a->packed);
    hash_list_free(&a->shown);
    hash_list_free(&a->given);
    hash_list_free(&a->files);
    chum_outflow_end(&a->flow);
    free(a);
}
