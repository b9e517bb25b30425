// Nothing is kept from one comparison to the next: each begins with sums that were added up for it, by the code that
// would give the roots themselves. In between, what the peer asks for may have changed; then it is told so, or finds it
// with the next one.
#include "chum/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "chum/export.h"
#include "chum/pack.h"

enum { PAGE_BYTES = 192 << 10 };

struct serving { // a run of versions of one id is decided once
    const struct chum_tally_asked *asked;
    struct hash last;
    bool served;
};

static bool serves(void *ctx, struct store *s, const struct store_feed_root *root)
{
    struct serving *v = ctx;
    const struct hash *what = hash_is_zero(&root->id_hash) ? &root->hash : &root->id_hash;
    if (!hash_eq(what, &v->last)) {
        v->last = *what;
        v->served = chum_serves(v->asked->policy, s, v->asked->person, root->fragment, what);
    }
    return v->served;
}

static enum status not_asked(const struct chum_tally *t, struct error *e)
{
    if (t->given_up)
        return error_set(e, STATUS_REFUSED, "BUSY", "what this goes on with was asked for too long ago");
    return error_set(e, STATUS_INVALID, "BAD-INPUT", "nothing was asked for that this goes on with");
}

// ---- Sums -----------------------------------------------------------------------------------------------------------

static void begin_sums(struct chum_tally *t, const struct chum_tally_asked *q)
{
    const struct store_summing_options options = {.person = *q->person, .own = q->own, .key = q->key};
    store_summing_destroy(t->summing);
    t->summing = store_summing_create(&options);
    t->given_up = false;
}

static bool are_known(const struct chum_tally *t, const struct chum_tally_asked *q)
{
    bool known = true;
    for (size_t i = 0; i < q->count; i++)
        known = known && q->ranges[i].digits < store_summing_digits(t->summing);
    return known;
}

static void write_sums(const struct chum_tally *t, const struct chum_tally_asked *q)
{
    struct buf text = {0};
    chum_sums_write_digits(store_summing_digits(t->summing), &text);
    for (size_t i = 0; i < q->count; i++) {
        struct store_sum parts[STORE_SUM_FAN];
        store_summing_parts(t->summing, q->ranges[i], parts);
        chum_sums_write(parts, &text);
    }
    text_add_json_part(buf_span(&text), q->text);
    buf_free(&text);
}

enum status chum_tally_sums(struct store *s, struct chum_tally *t, struct chum_tally_asked *q, struct error *e)
{
    struct serving serving = {.asked = q};
    bool ready = false;
    if (q->begins)
        begin_sums(t, q);
    q->begins = false;
    if (t->summing == NULL)
        return not_asked(t, e);
    enum status status = store_summing_go_on(s, t->summing, &(struct store_serves){&serving, serves}, &ready, e);
    q->unfinished = status == STATUS_OK && !ready;
    if (status != STATUS_OK || !ready)
        return status;
    if (!are_known(t, q))
        return not_asked(t, e);
    write_sums(t, q);
    return STATUS_OK;
}

// ---- Roots ----------------------------------------------------------------------------------------------------------

struct page {
    struct store *store;
    struct chum_tally *tally;
    struct chum_tally_asked *asked;
    struct serving serving;
};

static bool is_asked_for(void *ctx, unsigned leaf)
{
    const struct page *p = ctx;
    return (p->tally->leaves[leaf / 8] >> leaf % 8 & 1) != 0;
}

// Whoever is shown a version may ask for it, and not for the id it belongs to (export.c).
static enum status add_root(void *ctx, const struct store_feed_root *root, struct error *e)
{
    struct page *p = ctx;
    (void)e;
    if (!serves(&p->serving, p->store, root))
        return STATUS_OK;
    buf_add_char(&p->tally->page, p->tally->count++ == 0 ? '[' : ',');
    buf_add_span(&p->tally->page, root->fragment);
    hash_list_add(p->asked->shown, hash_is_zero(&root->hash) ? &root->id_hash : &root->hash);
    return STATUS_OK;
}

static bool is_full(void *ctx)
{
    const struct page *p = ctx;
    return p->tally->count >= CHUM_RANGES_PAGE || p->tally->page.len >= PAGE_BYTES;
}

static void end_roots(struct chum_tally *t)
{
    store_walk_end(&t->walk);
    free(t->leaves);
    t->leaves = NULL;
    buf_free(&t->page);
    t->count = 0;
}

static void begin_roots(struct chum_tally *t, const struct chum_tally_asked *q)
{
    end_roots(t);
    t->leaves = mem_alloc(STORE_SUM_LEAVES / 8);
    for (size_t i = 0; i < q->count; i++)
        for (unsigned leaf = 0; leaf < store_range_size(q->ranges[i].digits); leaf++) {
            uint8_t *byte = &t->leaves[(q->ranges[i].first + leaf) / 8];
            *byte = (uint8_t)(*byte | 1U << (q->ranges[i].first + leaf) % 8);
        }
    t->walk = (struct store_walk){.person = *q->person, .own = q->own};
}

static void write_page(struct chum_tally *t, const struct chum_tally_asked *q, struct span word)
{
    buf_add_text(&t->page, t->count == 0 ? "[]" : "]");
    if (q->packed != NULL) {
        buf_add_span(q->packed, word);
        if (!chum_pack(buf_span(&t->page), q->packed))
            buf_clear(q->packed);
    }
    if (q->packed == NULL || q->packed->len == 0) {
        text_add_json_part(word, q->text);
        text_add_json_part(buf_span(&t->page), q->text);
    }
    buf_free(&t->page);
    t->count = 0;
}

enum status chum_tally_roots(struct store *s, struct chum_tally *t, struct chum_tally_asked *q, struct error *e)
{
    struct page p = {.store = s, .tally = t, .asked = q, .serving = {.asked = q}};
    const struct store_walk_visitor visitor = {&p, is_asked_for, add_root, is_full};
    bool end = false;
    if (q->begins)
        begin_roots(t, q);
    q->begins = false;
    if (t->leaves == NULL)
        return not_asked(t, e);
    enum status status = store_walk_go_on(s, &t->walk, &visitor, &end, e);
    q->unfinished = status == STATUS_OK && !end && !is_full(&p);
    if (status == STATUS_OK && !q->unfinished)
        write_page(t, q, !end ? SPAN("more\n") : t->walk.moved ? SPAN("moved\n") : SPAN("end\n"));
    if (status != STATUS_OK || end)
        end_roots(t);
    return status;
}

void chum_tally_end(struct chum_tally *t)
{
    store_summing_destroy(t->summing);
    end_roots(t);
    *t = (struct chum_tally){0};
}

void chum_tally_on_time(struct chum_tally *t, uint64_t now)
{
    if (t->until == 0 || now < t->until)
        return;
    chum_tally_end(t);
    t->given_up = true;
}
