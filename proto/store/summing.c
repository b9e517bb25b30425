// Sums of 4,096 ranges take 96 KiB. Only where these are big, and then for the time that somebody asks, those of all
// leaves are found, by a walk of its own: 1.5 MiB.
#include "store/summing.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3, MANY = 1 << 16, TRIES = 3 }; // roots from which on leaves are told apart

struct store_summing {
    struct store_summing_options o;
    struct store_walk walk;
    unsigned digits;
    struct store_sum *sums; // of each range of so many digits
    uint64_t count;
    unsigned tries; // walks that came to nothing
    bool ready;
};

struct visiting {
    struct store *store;
    struct store_summing *summing;
    const struct store_serves *serves;
};

static size_t ranges(const struct store_summing *m)
{
    return (size_t)STORE_SUM_LEAVES / store_range_size(m->digits);
}

static void begin(struct store_summing *m, unsigned digits)
{
    m->digits = digits;
    free(m->sums);
    m->sums = mem_array(ranges(m), sizeof *m->sums);
    m->count = 0;
    store_walk_end(&m->walk);
    m->walk = (struct store_walk){.person = m->o.person, .own = m->o.own};
}

static bool wants(void *ctx, unsigned leaf)
{
    (void)ctx, (void)leaf;
    return true;
}

static enum status add(void *ctx, const struct store_feed_root *root, struct error *e)
{
    struct visiting *v = ctx;
    struct store_summing *m = v->summing;
    (void)e;
    if (!v->serves->root(v->serves->ctx, v->store, root))
        return STATUS_OK;
    const struct store_sum one = store_sum_of(&m->o.key, &root->hash, &root->id_hash);
    store_sum_add(&m->sums[store_sum_leaf(&root->hash, &root->id_hash) / store_range_size(m->digits)], &one);
    m->count++;
    return STATUS_OK;
}

static bool is_full(void *ctx)
{
    const struct visiting *v = ctx;
    return v->summing->digits < STORE_SUM_DIGITS && v->summing->count > MANY;
}

struct store_summing *store_summing_create(const struct store_summing_options *options)
{
    struct store_summing *m = mem_alloc(sizeof *m);
    m->o = *options;
    begin(m, DIGITS);
    return m;
}

void store_summing_destroy(struct store_summing *m)
{
    if (m == NULL)
        return;
    store_walk_end(&m->walk);
    free(m->sums);
    free(m);
}

enum status store_summing_go_on(struct store *s, struct store_summing *m, const struct store_serves *serves,
                                bool *ready, struct error *e)
{
    struct visiting visiting = {s, m, serves};
    const struct store_walk_visitor visitor = {&visiting, wants, add, is_full};
    enum status status = m->ready ? STATUS_OK : store_walk_go_on(s, &m->walk, &visitor, &m->ready, e);
    if (status == STATUS_OK && m->walk.moved) {
        m->ready = false;
        if (++m->tries == TRIES)
            return error_set(e, STATUS_REFUSED, "BUSY", "what is shown changes all the time");
        begin(m, m->digits);
    } else if (status == STATUS_OK && is_full(&visiting)) {
        m->ready = false;
        begin(m, STORE_SUM_DIGITS);
    }
    *ready = m->ready;
    return status;
}

unsigned store_summing_digits(const struct store_summing *m)
{
    return m->digits;
}

void store_summing_parts(const struct store_summing *m, struct store_range range, struct store_sum parts[STORE_SUM_FAN])
{
    size_t each = store_range_size(range.digits + 1) / store_range_size(m->digits);
    const struct store_sum *from = m->sums + range.first / store_range_size(m->digits);
    memset(parts, 0, STORE_SUM_FAN * sizeof *parts);
    for (size_t i = 0; i < STORE_SUM_FAN * each; i++)
        store_sum_add(&parts[i / each], &from[i]);
}
