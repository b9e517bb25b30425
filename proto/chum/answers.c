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

static enum status give_sums(struct store *s, const struct batch *b, struct chum_answer *a)
{
    struct chum_tally_asked q = {.policy = b->policy,
                                 .person = b->person,
                                 .own = chum_is_own(b->policy, s, b->person),
                                 .begins = a->begins,
                                 .key = a->key,
                                 .ranges = a->ranges,
                                 .count = a->range_count,
                                 .text = &a->json,
                                 .packed = a->packs ? &a->packed : NULL,
                                 .shown = &a->shown};
    enum status st = a->service == CHUM_SUMS ? chum_tally_sums(s, &a->tally, &q, &a->error)
                                             : chum_tally_roots(s, &a->tally, &q, &a->error);
    a->begins = q.begins;
    a->worked = !q.unfinished;
    return st;
}

// What tells which roots are shown may take more turns than one; then it is not worked on.
static void prepare(struct store *s, const struct batch *b, struct chum_answer *a)
{
    bool is_list = a->service == CHUM_GET_ACCESSIBLE_ROOTS;
    bool shows_roots = is_list || a->service == CHUM_FEED || a->service == CHUM_SUMS || a->service == CHUM_RANGES;
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
    else if (a->service == CHUM_SUMS || a->service == CHUM_RANGES)
        a->status = give_sums(s, b, a);
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

// ---- What is asked --------------------------------------------------------------------------------------------------

static enum status ask_for_sums(const json_t *args, struct chum_answer *a, struct error *e)
{
    a->ranges = mem_array(CHUM_SUMS_ASKED, sizeof *a->ranges);
    a->word = chum_asked_word(args, 2);
    bool good = chum_key_read(json_array_get(args, 0), &a->key) &&
                chum_ranges_read(json_array_get(args, 1), CHUM_SUMS_ASKED, a->ranges, &a->range_count);
    a->begins = good && a->range_count == 1 && a->ranges[0].digits == 0;
    return good ? STATUS_OK : error_set(e, STATUS_INVALID, "BAD-INPUT", "the arguments are a key and a few ranges");
}

// Without arguments: the next ones of those asked for last.
static enum status ask_for_ranges(const json_t *args, struct chum_answer *a, struct error *e)
{
    a->begins = json_array_size(args) != 0;
    if (!a->begins)
        return STATUS_OK;
    a->ranges = mem_array(CHUM_RANGES_ASKED, sizeof *a->ranges);
    if (chum_ranges_read(json_array_get(args, 0), CHUM_RANGES_ASKED, a->ranges, &a->range_count))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-INPUT", "the argument is a list of ranges");
}

enum status chum_answer_asked(const json_t *args, struct chum_answer *a, struct error *e)
{
    if (a->service == CHUM_HOLDS)
        return chum_asked_files(args, &a->files, e);
    if (a->service == CHUM_SUMS)
        return ask_for_sums(args, a, e);
    if (a->service == CHUM_RANGES)
        return ask_for_ranges(args, a, e);
    a->word = chum_asked_word(args, 2);
    if (chum_asked_cursor(args, &a->since))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-INPUT", "the arguments are an epoch and a place");
}

bool chum_answer_tells_all(const struct chum_answer *a)
{
    return a->service == CHUM_GET_ACCESSIBLE_ROOTS ||
           (a->service == CHUM_SUMS && a->range_count == 1 && a->ranges[0].digits == 0);
}

void chum_answer_forget_asked(struct chum_answer *a)
{
    hash_list_free(&a->files);
    free(a->ranges);
    a->ranges = NULL;
}

void chum_answer_free(struct chum_answer *a)
{
    buf_free(&a->json);
    buf_free(&a->packed);
    hash_list_free(&a->shown);
    hash_list_free(&a->given);
    chum_answer_forget_asked(a);
    chum_outflow_end(&a->flow);
    chum_tally_end(&a->tally);
    free(a);
}
