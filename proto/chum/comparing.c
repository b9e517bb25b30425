// What is settled here is in the store (store/settled.h), so a comparison remembers neither what came nor what was not
// wanted: of a page all that is here is counted, and what is not keeps its leaf different, so that the next comparison
// asks for it again. Each range is looked at once in a comparison; so there is an end, whatever the peer says.
#include "chum/comparing.h"

#include <stdlib.h>
#include <string.h>

#include "base/life.h"
#include "base/log.h"
#include "chum/intake.h"
#include "chum/lists.h"
#include "chum/pack.h"
#include "chum/sums.h"
#include "store/settled.h"

enum {
    FEW = 24,                                    // roots that are rather asked for than told apart
    PARTS_MAX = CHUM_SUMS_ASKED * STORE_SUM_FAN, // come with an answer
    NARROW_MAX = 4 * PARTS_MAX,                  // ranges that wait to be told apart
    FOUND_MAX = CHUM_RANGES_ASKED,               // whose roots are to be asked for
    MOVED_MAX = 3,                               // comparisons one after another that are not for sure
    BYTES_PER_VALUE = 4096,
};

struct work {                              // of a comparison
    struct store_range narrow[NARROW_MAX]; // the last one is next
    size_t narrow_count;
    struct store_range found[FOUND_MAX];
    size_t found_count;
    struct store_range asked[CHUM_SUMS_ASKED]; // whose sums are to come
    size_t asked_count;
    uint64_t roots;    // that came
    bool first;        // question
    bool left;         // it is to say so
    bool goes_through; // the pages of what was found
    enum chum_ranges_word word;
    struct buf page; // being gone through by the caller
};

struct chum_comparing {
    struct chum_fetch *fetch;
    struct chum_comparing_events events;
    struct store_settled settled;
    bool known;        // settled is, in this comparison
    struct work *work; // NULL: none goes on
    unsigned run;      // number of the comparison
    bool moved;        // some roots may be missing in this one
    unsigned moves;    // in so many, one after another
    int64_t call;
    struct life life; // of the importer, and of jobs
};

static void destroy(void *self)
{
    struct chum_comparing *c = self;
    chum_fetch_release(c->fetch);
    free(c);
}

static void over(struct chum_comparing *c, enum chum_comparing_end end, const struct error *why)
{
    const struct error reason = why != NULL ? *why : (struct error){0};
    if (why != NULL)
        LOG(LOG_DEBUG, "sums.failed", LOG_TEXT("code", reason.code), LOG_TEXT("why", reason.message));
    chum_comparing_stop(c);
    c->events.over(c->events.ctx, end, &reason);
}

static void broken(struct chum_comparing *c, const char *what)
{
    struct error e;
    (void)error_set(&e, STATUS_INVALID, "FEED-BROKEN", "the peer's answer about sums is none: %s", what);
    over(c, CHUM_COMPARED_UNKNOWN, &e);
}

// The text of an answer; otherwise it is over. Who refuses may do so for a moment only.
static bool read_answer(struct chum_comparing *c, const struct rpc_reply *reply, struct span *text)
{
    struct error e;
    enum status st = chum_fetch_text(reply, "FEED-BROKEN", text, &e);
    c->call = -1;
    if (st == STATUS_OK)
        return true;
    bool passes = st == STATUS_REFUSED && strcmp(e.code, "UNKNOWN-SERVICE") != 0 && strcmp(e.code, "BAD-INPUT") != 0;
    if (reply->kind == RPC_ERROR)
        over(c, passes ? CHUM_COMPARED_NOT : CHUM_COMPARED_UNKNOWN, &e);
    else
        over(c, st == STATUS_INVALID || st == STATUS_TOO_BIG ? CHUM_COMPARED_UNKNOWN : CHUM_COMPARED_FAILED, &e);
    return false;
}

static void go_on(struct chum_comparing *c);

// A job is back; false: the comparison does not go on with it.
static bool is_back(struct chum_comparing *c, unsigned run, enum status status, const struct error *e)
{
    if (!life_let_go(&c->life) || run != c->run)
        return false;
    if (status != STATUS_OK)
        over(c, CHUM_COMPARED_FAILED, e);
    return status == STATUS_OK;
}

// ---- Who it is ------------------------------------------------------------------------------------------------------

struct finding {
    struct chum_comparing *comparing;
    unsigned run;
    struct chum_pair pair;
    struct store_settled settled;
};

static enum status find_work(struct store *s, void *arg, struct error *e)
{
    struct finding *f = arg;
    bool found;
    return store_settled_find(s, &f->pair.sender, &f->pair.self, true, &found, &f->settled, e);
}

static void find_done(void *arg, enum status status, const struct error *e)
{
    struct finding *f = arg;
    struct chum_comparing *c = f->comparing;
    if (is_back(c, f->run, status, e)) {
        c->settled = f->settled;
        c->known = true;
        go_on(c);
    }
    free(f);
}

static void find(struct chum_comparing *c)
{
    struct finding *f = mem_alloc(sizeof *f);
    *f = (struct finding){.comparing = c, .run = c->run, .pair = {c->fetch->sender, c->fetch->self}};
    life_hold(&c->life);
    store_submit(c->fetch->queue, find_work, find_done, f);
}

// ---- Sums -----------------------------------------------------------------------------------------------------------

struct comparison {
    struct chum_comparing *comparing;
    unsigned run;
    struct store_settled settled;
    unsigned digits;
    struct store_range asked[CHUM_SUMS_ASKED];
    size_t count;
    struct part {
        struct store_sum theirs, ours;
    } parts[PARTS_MAX];
};

static enum status compare_work(struct store *s, void *arg, struct error *e)
{
    struct comparison *n = arg;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < n->count && st == STATUS_OK; i++) {
        struct store_sum ours[STORE_SUM_FAN];
        st = store_settled_parts(s, &n->settled, n->asked[i], ours, e);
        for (size_t k = 0; k < STORE_SUM_FAN; k++)
            n->parts[i * STORE_SUM_FAN + k].ours = ours[k];
    }
    return st;
}

// Nothing is told apart where nothing is settled, or few are shown.
static void note_difference(struct work *w, const struct comparison *n, size_t at)
{
    const struct part *p = &n->parts[at];
    const struct store_range r = store_range_part(n->asked[at / STORE_SUM_FAN], (unsigned)(at % STORE_SUM_FAN));
    if (p->ours.count == 0 || p->theirs.count <= FEW || r.digits >= n->digits || w->narrow_count == NARROW_MAX)
        w->found[w->found_count++] = r;
    else
        w->narrow[w->narrow_count++] = r;
}

static void compare_done(void *arg, enum status status, const struct error *e)
{
    struct comparison *n = arg;
    struct chum_comparing *c = n->comparing;
    if (is_back(c, n->run, status, e)) {
        for (size_t i = n->count * STORE_SUM_FAN; i-- != 0;)
            if (!store_sum_eq(&n->parts[i].theirs, &n->parts[i].ours))
                note_difference(c->work, n, i);
        go_on(c);
    }
    free(n);
}

static bool read_sums(struct comparison *n, struct span text)
{
    if (!chum_sums_read_digits(&text, &n->digits))
        return false;
    for (size_t i = 0; i < n->count; i++) {
        struct store_sum parts[STORE_SUM_FAN];
        if (!chum_sums_read(&text, parts))
            return false;
        for (size_t k = 0; k < STORE_SUM_FAN; k++)
            n->parts[i * STORE_SUM_FAN + k].theirs = parts[k];
    }
    return text.len == 0;
}

static void sums_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_comparing *c = ctx;
    struct span text;
    if (!read_answer(c, reply, &text))
        return;
    struct comparison *n = mem_alloc(sizeof *n);
    n->comparing = c;
    n->run = c->run;
    n->settled = c->settled;
    n->count = c->work->asked_count;
    memcpy(n->asked, c->work->asked, sizeof n->asked);
    if (!read_sums(n, text)) {
        free(n);
        broken(c, "sums");
        return;
    }
    life_hold(&c->life);
    store_submit_read(c->fetch->queue, compare_work, compare_done, n);
}

static void ask_for_sums(struct chum_comparing *c)
{
    struct work *w = c->work;
    struct buf args = {0};
    w->asked_count = w->narrow_count < CHUM_SUMS_ASKED ? w->narrow_count : CHUM_SUMS_ASKED;
    w->narrow_count -= w->asked_count;
    memcpy(w->asked, &w->narrow[w->narrow_count], w->asked_count * sizeof *w->asked);
    buf_add_char(&args, '[');
    chum_key_write(&c->settled.key, &args);
    buf_add_char(&args, ',');
    chum_ranges_write(w->asked, w->asked_count, &args);
    buf_add_text(&args, w->first && w->left ? ",\"left\"]" : "]");
    w->first = false;
    c->call = chum_fetch_call(c->fetch, CHUM_SUMS, buf_span(&args), sums_here, c);
    buf_free(&args);
}

// ---- Roots ----------------------------------------------------------------------------------------------------------

static void page_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_comparing *c = ctx;
    struct span text;
    if (!read_answer(c, reply, &text))
        return;
    struct work *w = c->work;
    chum_fetch_keep_text(reply, text, &w->page);
    budget_charge(conn_budget(c->fetch->conn), BUDGET_VALUES, chum_packed_items(buf_span(&w->page)) / BYTES_PER_VALUE);
    struct span list = {0};
    bool good = chum_unpack(&w->page, NULL) == STATUS_OK && w->page.len <= CHUM_RANGES_BYTES;
    if (good)
        list = buf_span(&w->page);
    if (!good || !chum_ranges_read_word(&list, &w->word)) {
        broken(c, "roots");
        return;
    }
    c->moved = c->moved || w->word == CHUM_RANGES_MOVED;
    buf_drop_front(&w->page, w->page.len - list.len);
    c->events.page(c->events.ctx, buf_span(&w->page));
}

static void ask_for_roots(struct chum_comparing *c)
{
    struct buf args = {0};
    buf_add_char(&args, '[');
    if (!c->work->goes_through)
        chum_ranges_write(c->work->found, c->work->found_count, &args);
    buf_add_char(&args, ']');
    c->call = chum_fetch_call(c->fetch, CHUM_RANGES, buf_span(&args), page_here, c);
    buf_free(&args);
}

struct counting {
    struct chum_comparing *comparing;
    unsigned run;
    struct store_settled settled;
    struct store_range *anew; // to be forgotten first
    size_t anew_count;
    struct buf page;
    uint64_t roots;
};

static enum status count_roots(struct store *s, const struct counting *n, const struct chum_roots *roots,
                               struct error *e)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; i < n->anew_count && st == STATUS_OK; i++)
        st = store_settled_forget(s, &n->settled, n->anew[i], e);
    for (size_t i = 0; i < roots->count && st == STATUS_OK; i++)
        st = store_settled_add(s, &n->settled, &roots->items[i].hash, &roots->items[i].id_hash, e);
    return st;
}

static enum status count_work(struct store *s, void *arg, struct error *e)
{
    struct counting *n = arg;
    struct chum_roots roots = {0};
    struct arena *a = arena_create();
    enum status st = chum_roots_read(a, buf_span(&n->page), &roots, e);
    if (st == STATUS_OK)
        st = count_roots(s, n, &roots, e);
    n->roots = roots.count;
    chum_roots_free(&roots);
    arena_destroy(a);
    return st;
}

static void page_is_counted(struct chum_comparing *c, uint64_t roots)
{
    struct work *w = c->work;
    w->roots += roots > CHUM_RANGES_PAGE ? roots : CHUM_RANGES_PAGE; // so that empty pages end, too
    w->goes_through = w->word == CHUM_RANGES_MORE;
    if (!w->goes_through)
        w->found_count = 0;
    if (w->roots > CHUM_ROOTS_MAX)
        broken(c, "more roots than a list may have");
    else
        go_on(c);
}

static void count_done(void *arg, enum status status, const struct error *e)
{
    struct counting *n = arg;
    struct chum_comparing *c = n->comparing;
    if (is_back(c, n->run, status, e))
        page_is_counted(c, n->roots);
    buf_free(&n->page);
    free(n->anew);
    free(n);
}

void chum_comparing_taken(struct chum_comparing *c)
{
    struct work *w = c->work;
    struct counting *n = mem_alloc(sizeof *n);
    *n = (struct counting){.comparing = c, .run = c->run, .settled = c->settled, .page = w->page};
    w->page = (struct buf){0};
    if (!w->goes_through) {
        n->anew_count = w->found_count;
        n->anew = mem_array(n->anew_count, sizeof *n->anew);
        memcpy(n->anew, w->found, n->anew_count * sizeof *n->anew);
    }
    life_hold(&c->life);
    store_submit(c->fetch->queue, count_work, count_done, n);
}

// ---- A comparison ---------------------------------------------------------------------------------------------------

static void is_through(struct chum_comparing *c)
{
    struct error e;
    c->moves = c->moved ? c->moves + 1 : 0;
    if (!c->moved) {
        over(c, CHUM_COMPARED_ALL, NULL);
    } else if (c->moves < MOVED_MAX) {
        over(c, CHUM_COMPARED_MOVED, NULL);
    } else {
        c->moves = 0;
        (void)error_set(&e, STATUS_REFUSED, "BUSY", "what the peer shows changes all the time");
        over(c, CHUM_COMPARED_NOT, &e);
    }
}

static void go_on(struct chum_comparing *c)
{
    struct work *w = c->work;
    if (!c->known)
        find(c);
    else if (!w->goes_through && w->narrow_count != 0 && w->found_count <= FOUND_MAX - PARTS_MAX)
        ask_for_sums(c);
    else if (w->found_count != 0)
        ask_for_roots(c);
    else
        is_through(c);
}

void chum_comparing_begin(struct chum_comparing *c, bool left)
{
    chum_comparing_stop(c);
    c->moved = false;
    c->known = false; // it may have been forgotten since the last one
    c->work = mem_alloc(sizeof *c->work);
    c->work->narrow_count = 1; // all of them
    c->work->first = true;
    c->work->left = left;
    go_on(c);
}

void chum_comparing_stop(struct chum_comparing *c)
{
    chum_fetch_cancel(c->fetch, &c->call);
    if (c->work != NULL)
        buf_free(&c->work->page);
    free(c->work);
    c->work = NULL;
    c->run++;
}

// ---- Life -----------------------------------------------------------------------------------------------------------

struct chum_comparing *chum_comparing_create(struct chum_fetch *f, const struct chum_comparing_events *events)
{
    struct chum_comparing *c = mem_alloc(sizeof *c);
    *c = (struct chum_comparing){.fetch = chum_fetch_use(f), .events = *events, .call = -1};
    life_begin(&c->life, destroy, c);
    return c;
}

void chum_comparing_end(struct chum_comparing *c)
{
    chum_comparing_stop(c);
    life_over(&c->life);
}
