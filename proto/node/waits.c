// Invitations of peers that could not be reached: accepted again and again until it succeeds, is refused, or their time
// is over (pairing.accept with wait).
//
// They are a setting of the node's store, as the tokens of kept.h are and for the same reason; the next attempt is not
// kept: after a start each is tried at once.
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/job.h"
#include "node/json.h"
#include "node/page.h"
#include "node/pairings_internal.h"

enum { WAITS_MAX = 100, FIRST_MS = 5000, LAST_MS = 5 * 60 * 1000, SHOWN = 12 };
static const struct backoff pauses = {FIRST_MS, LAST_MS};

static const char setting[] = "pairing.waiting";

struct wait {
    struct wait *next;
    struct invitation invitation;
    struct hash from;     // whose it is said to be; zero = anybody's
    struct hash identity; // of ours
    int64_t since, until, next_at;
    unsigned tries;
    bool trying;
    struct error why; // of the last attempt
};

struct waits {
    struct pairings *pairings;
    struct wait_acts acts;
    struct wait *list;
    struct loop_timer *timer;
};

// ---- Writing and reading --------------------------------------------------------------------------------------------

struct saving {
    struct waits *owner;
    char *text;
    struct ipc_request *request; // to be answered then; NULL = nobody waits
    json_t *result;
};

static json_t *keep(const struct wait *w)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I}", "invitation",
                     invitation_object(w->invitation.token, &w->invitation.public_key, w->invitation.url), "from",
                     node_json_hash(&w->from), "as", node_json_hash(&w->identity), "since", (json_int_t)w->since,
                     "until", (json_int_t)w->until);
}

static enum status save_work(struct store *s, void *arg, struct error *e)
{
    const struct saving *job = arg;
    return store_setting_set(s, setting, span_of(job->text), e);
}

static void save_done(void *arg, enum status status, const struct error *e)
{
    struct saving *job = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "pairing.notKept", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    if (job->request != NULL && status == STATUS_OK)
        repeats_reply(job->owner->pairings->repeats, job->request, json_incref(job->result));
    else if (job->request != NULL)
        repeats_fail(job->owner->pairings->repeats, job->request, e);
    json_decref(job->result);
    secret_wipe(job->text, strlen(job->text));
    free(job->text);
    free(job);
}

static void save(struct waits *ws, struct ipc_request *request, json_t *result)
{
    json_t *list = json_array();
    for (const struct wait *w = ws->list; w != NULL; w = w->next)
        json_array_append_new(list, keep(w));
    struct saving *job = mem_alloc(sizeof *job);
    *job = (struct saving){.owner = ws, .text = json_dumps(list, JSON_COMPACT), .request = request, .result = result};
    json_decref(list);
    store_submit(node_queue(ws->pairings->peers->node), save_work, save_done, job);
}

static void free_wait(struct wait *w)
{
    invitation_free(&w->invitation);
    free(w);
}

static void drop(struct waits *ws, struct wait *w)
{
    struct wait **link = &ws->list;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    free_wait(w);
}

// ---- When the next one is tried -------------------------------------------------------------------------------------

static void schedule(struct waits *ws)
{
    int64_t now = clock_wall_ms();
    int64_t first = INT64_MAX;
    if (ws->timer == NULL) // the node is stopping
        return;
    for (const struct wait *w = ws->list; w != NULL; w = w->next)
        if (!w->trying && w->next_at < first)
            first = w->next_at;
    if (first == INT64_MAX)
        loop_timer_cancel(ws->timer);
    else
        loop_timer_set(ws->timer, first > now ? (uint64_t)(first - now) : 0);
}

static void give_up(struct waits *ws, struct wait *w, const struct error *why)
{
    pairings_tell_failed(ws->pairings, &w->from, 0, why);
    drop(ws, w);
    save(ws, NULL, NULL);
}

static void try_now(struct waits *ws, struct wait *w)
{
    struct error e = {0};
    struct error over;
    int64_t now = clock_wall_ms();
    if (w->until <= now) {
        error_set(&over, STATUS_TIMEOUT, "TIMEOUT", "nobody was met in time (%s)", w->why.message);
        give_up(ws, w, &over);
        return;
    }
    w->trying = ws->acts.try(ws->pairings, w, &w->invitation, &w->from, &w->identity, &e) == STATUS_OK;
    if (!w->trying)
        w->next_at = now + FIRST_MS;
}

static void due(void *ctx)
{
    struct waits *ws = ctx;
    int64_t now = clock_wall_ms();
    for (struct wait *w = ws->list, *next; w != NULL; w = next) {
        next = w->next;
        if (!w->trying && w->next_at <= now)
            try_now(ws, w);
    }
    schedule(ws);
}

bool waits_may_pass(const struct error *why)
{
    static const char *const codes[] = {"UNREACHABLE",  "NOT-A-NODE",  "PEER-CLOSED", "CONNECTION-LOST",
                                        "CONN-TIMEOUT", "PEER-SILENT", "BUSY"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(why->code, codes[i]) == 0)
            return true;
    return why->status == STATUS_IO || why->status == STATUS_TIMEOUT;
}

static void tell(const struct waits *ws, const char *event, const struct wait *w, const struct error *why)
{
    node_tell(ws->pairings->peers->node, event,
              json_pack("{s:s%, s:s, s:I, s:s, s:s}", "waiting", w->invitation.token, (size_t)SHOWN, "url",
                        w->invitation.url, "until", (json_int_t)w->until, "code", why->code, "reason", why->message));
}

void waits_ended(struct waits *ws, struct wait *w, const struct hash *person, const struct error *why)
{
    w->trying = false;
    if (why == NULL) {
        node_tell(ws->pairings->peers->node, "pairing.done",
                  json_pack("{s:s%, s:o}", "waiting", w->invitation.token, (size_t)SHOWN, "personId",
                            node_json_hash(person)));
        drop(ws, w);
        save(ws, NULL, NULL);
    } else if (!waits_may_pass(why)) {
        give_up(ws, w, why);
    } else {
        w->why = *why;
        w->next_at = clock_wall_ms() + (int64_t)backoff_ms(pauses, w->tries++);
    }
    schedule(ws);
}

// ---- New ones -------------------------------------------------------------------------------------------------------

static struct wait *find(const struct waits *ws, struct span beginning, size_t *count)
{
    struct wait *found = NULL;
    *count = 0;
    for (struct wait *w = ws->list; w != NULL; w = w->next) {
        if (!span_starts_with(span_of(w->invitation.token), beginning))
            continue;
        found = w;
        ++*count;
    }
    return found;
}

static struct wait *add(struct waits *ws, const struct invitation *i)
{
    struct wait *w = mem_alloc(sizeof *w);
    w->invitation = (struct invitation){
        .token = mem_text(span_of(i->token)), .public_key = i->public_key, .url = mem_text(span_of(i->url))};
    w->next = ws->list;
    ws->list = w;
    return w;
}

void waits_begin(struct waits *ws, const struct attempt *a, const struct error *why)
{
    size_t count = 0;
    size_t same;
    struct error e;
    int64_t now = clock_wall_ms();
    struct wait *w = find(ws, span_of(a->invitation.token), &same);
    for (const struct wait *other = ws->list; other != NULL; other = other->next)
        count++;
    if (w == NULL && count >= WAITS_MAX) {
        error_set(&e, STATUS_FULL, "TOO-MANY-INVITATIONS", "%d invitations wait for their peers already", WAITS_MAX);
        repeats_fail(ws->pairings->repeats, a->request, &e);
        return;
    }
    if (w == NULL)
        w = add(ws, &a->invitation);
    w->from = a->from;
    w->identity = a->local->self->person;
    w->why = *why;
    w->since = now;
    w->until = now + 1000 * ipc_request_int(a->request, P_waitS, WAITS_S);
    w->next_at = now + FIRST_MS;
    tell(ws, "pairing.waiting", w, why);
    save(ws, a->request,
         json_pack("{s:s, s:s%, s:I}", "state", "waiting", "waiting", w->invitation.token, (size_t)SHOWN, "until",
                   (json_int_t)w->until));
    schedule(ws);
}

// ---- Control methods ------------------------------------------------------------------------------------------------

static void list(struct ipc_request *r, void *ctx)
{
    struct pairings *ps = pairings_of_request(ctx, r);
    if (ps == NULL)
        return;
    json_t *items = json_array();
    for (const struct wait *w = ps->waits->list; w != NULL; w = w->next)
        json_array_append_new(items, json_pack("{s:s%, s:s, s:o, s:I, s:I, s:I, s:i, s:s, s:s}", "waiting",
                                               w->invitation.token, (size_t)SHOWN, "url", w->invitation.url, "identity",
                                               node_json_hash(&w->identity), "since", (json_int_t)w->since, "until",
                                               (json_int_t)w->until, "nextAt", (json_int_t)w->next_at, "tries",
                                               (int)w->tries, "code", w->why.code, "reason", w->why.message));
    ipc_request_reply(r, node_page(r, items));
}

static void cancel(struct ipc_request *r, void *ctx)
{
    struct pairings *ps = pairings_of_request(ctx, r);
    if (ps == NULL)
        return;
    size_t count;
    struct error e = {0};
    struct wait *w = find(ps->waits, span_of(ipc_request_text(r, P_waiting)), &count);
    if (count != 1) {
        error_set(&e, count == 0 ? STATUS_NOT_FOUND : STATUS_REFUSED, count == 0 ? "NOT-FOUND" : "AMBIGUOUS-ID",
                  "%zu invitations that wait begin like that", count);
        repeats_fail(ps->repeats, r, &e);
        return;
    }
    ps->waits->acts.abandon(ps, w);
    drop(ps->waits, w);
    save(ps->waits, r, json_object());
    schedule(ps->waits);
}

void waits_register(struct node *n)
{
    ipc_service_on(node_service(n), "pairing.waiting", list, n);
    ipc_service_on(node_service(n), "pairing.cancel", cancel, n);
}

// ---- Life -----------------------------------------------------------------------------------------------------------

struct loading {
    struct waits *owner;
    char *text; // NULL = nothing was ever kept
};

static enum status load_work(struct store *s, void *arg, struct error *e)
{
    struct loading *job = arg;
    struct arena *a = arena_create();
    struct span value;
    enum status st = store_setting_get(s, setting, a, &value, e);
    if (st == STATUS_OK)
        job->text = mem_text(value);
    arena_destroy(a);
    return st;
}

static void restore(struct waits *ws, const json_t *item)
{
    struct invitation i;
    if (invitation_read(json_object_get(item, "invitation"), &i, NULL) != STATUS_OK)
        return;
    struct wait *w = add(ws, &i);
    hash_parse(span_of(json_string_value(json_object_get(item, "from"))), &w->from);
    hash_parse(span_of(json_string_value(json_object_get(item, "as"))), &w->identity);
    w->since = json_integer_value(json_object_get(item, "since"));
    w->until = json_integer_value(json_object_get(item, "until"));
    error_set(&w->why, STATUS_IO, "UNREACHABLE", "not tried since the start");
    invitation_free(&i);
}

static void load_done(void *arg, enum status status, const struct error *e)
{
    struct loading *job = arg;
    size_t i;
    json_t *item;
    (void)e;
    json_t *kept = status == STATUS_OK ? json_loads(job->text, 0, NULL) : NULL;
    json_array_foreach(kept, i, item)
    {
        if (i < WAITS_MAX)
            restore(job->owner, item);
    }
    json_decref(kept);
    if (!job->owner->pairings->peers->closing)
        schedule(job->owner);
    free(job->text);
    free(job);
}

struct waits *waits_create(struct pairings *ps, struct wait_acts acts)
{
    struct waits *ws = mem_alloc(sizeof *ws);
    ws->pairings = ps;
    ws->acts = acts;
    ws->timer = loop_timer_create(node_loop(ps->peers->node), due, ws);
    struct loading *job = mem_alloc(sizeof *job);
    *job = (struct loading){.owner = ws};
    store_submit_read(node_queue(ps->peers->node), load_work, load_done, job);
    return ws;
}

void waits_close(struct waits *ws)
{
    loop_timer_destroy(ws->timer);
    ws->timer = NULL;
}

void waits_destroy(struct waits *ws)
{
    while (ws->list != NULL) {
        struct wait *next = ws->list->next;
        free_wait(ws->list);
        ws->list = next;
    }
    free(ws);
}
