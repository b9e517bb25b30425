#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/loop.h"
#include "net/ws_client.h"
#include "property.h"

enum { EVENTS_MAX = 100000 }; // in one sleep

struct parcel { // a message or a close on its way to an end
    struct parcel *next;
    bool is_close, text;
    int code;
    struct buf payload;
};

struct end {
    struct transport transport; // first
    struct end *next;
    struct end *other; // NULL: gone
    struct parcel *first, **last;
    size_t waiting; // bytes of them
    bool busy;      // they were many
    bool of_node;
    bool paused, closing;
    uint64_t wake;
};

struct timer {
    struct timer *next;
    void (*fire)(void *ctx);
    void *ctx;
    uint64_t at; // 0 = not set
};

struct dial {
    struct dial *next;
    uint64_t id;
    char *url;
    ws_client_done done;
    void *ctx;
};

static struct {
    uint64_t now; // 0: the world has not begun
    struct end *ends;
    struct timer *timers;
    struct dial *dials;
} world;

void world_fail(const char *what, ...)
{
    va_list args;
    va_start(args, what);
    fputs("FAILED: ", stderr);
    vfprintf(stderr, what, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

// ---- Lines ---------------------------------------------------------------------------------------------------------

static void post(struct end *to, struct parcel parcel, struct span payload)
{
    if (to == NULL)
        return;
    struct parcel *p = mem_alloc(sizeof *p);
    *p = parcel;
    buf_add_span(&p->payload, payload);
    *to->last = p;
    to->last = &p->next;
    to->waiting += payload.len;
    to->busy = to->busy || to->waiting > 262144;
}

static void end_send(struct transport *t, bool text, struct span payload)
{
    struct end *e = (struct end *)t;
    if (e->closing)
        world_fail("a message is sent behind the close");
    t->bytes_sent += payload.len;
    t->messages_sent++;
    post(e->other, (struct parcel){.text = text}, payload);
}

static void end_close(struct transport *t, const char *reason)
{
    struct end *e = (struct end *)t;
    if (e->closing)
        world_fail("it is closed twice");
    if (strlen(reason) > 123)
        world_fail("the reason of a close is too long: %s", reason);
    e->closing = true;
    post(e->other, (struct parcel){.is_close = true, .code = 1000}, span_of(reason));
    post(e, (struct parcel){.is_close = true, .code = 1000}, span_of(reason));
}

static void end_pause(struct transport *t, bool paused)
{
    ((struct end *)t)->paused = paused;
}

static size_t end_queued(const struct transport *t)
{
    const struct end *e = (const struct end *)t;
    return e->other != NULL ? e->other->waiting : 0;
}

static void end_wake_at(struct transport *t, uint64_t monotonic_ms)
{
    ((struct end *)t)->wake = monotonic_ms;
}

static struct end *new_end(bool of_node)
{
    static const struct transport_ops ops = {end_send, end_close, end_pause, end_queued, end_wake_at};
    struct end *e = mem_alloc(sizeof *e);
    e->next = world.ends;
    world.ends = e;
    e->last = &e->first;
    e->of_node = of_node;
    e->transport.ops = &ops;
    e->transport.url = "ws://world";
    transport_release(&e->transport);
    return e;
}

void world_open(struct transport *ends[2])
{
    struct end *peer = new_end(false), *node = new_end(true);
    peer->other = node;
    node->other = peer;
    ends[0] = &peer->transport;
    ends[1] = &node->transport;
}

static struct parcel *take_parcel(struct end *e)
{
    struct parcel *p = e->first;
    e->first = p->next;
    if (e->first == NULL)
        e->last = &e->first;
    e->waiting -= p->payload.len;
    return p;
}

static void free_parcel(struct parcel *p)
{
    buf_free(&p->payload);
    free(p);
}

// What was on the way is lost, also for somebody who does not read.
static void lose(struct end *e)
{
    while (e != NULL && e->first != NULL)
        free_parcel(take_parcel(e));
    post(e, (struct parcel){.is_close = true, .code = 1006}, (struct span){0});
}

void world_break(struct transport *end)
{
    struct end *e = (struct end *)end;
    lose(e->other);
    lose(e);
}

static void free_end(struct end *e)
{
    struct end **link = &world.ends;
    while (*link != e)
        link = &(*link)->next;
    *link = e->next;
    if (e->other != NULL) {
        post(e->other, (struct parcel){.is_close = true, .code = 1006}, (struct span){0});
        e->other->other = NULL;
    }
    while (e->first != NULL)
        free_parcel(take_parcel(e));
    free(e);
}

static void deliver_message(struct end *e, struct parcel *p, bool tamper)
{
    unsigned times = 1;
    if (tamper && e->of_node && p->payload.len != 0) {
        switch (property_below(5)) {
        case 0:
            times = 0;
            break;
        case 1:
            times = 2;
            break;
        case 2:
            p->payload.data[property_below((uint32_t)p->payload.len)] ^= (char)(1U << property_below(8));
            break;
        case 3:
            p->payload.len = property_below((uint32_t)p->payload.len);
            break;
        default:
            p->text = !p->text;
            break;
        }
    }
    for (; times > 0; times--)
        if (!e->closing)
            transport_tell(&e->transport)->message(e->transport.ctx, p->text, buf_span(&p->payload));
}

static void deliver(struct end *e, bool tamper)
{
    struct parcel *p = take_parcel(e);
    if (p->is_close) {
        e->closing = true;
        e->wake = 0;
        transport_tell(&e->transport)->closed(e->transport.ctx, p->code, buf_span(&p->payload));
        free_end(e);
        free_parcel(p);
        return;
    }
    deliver_message(e, p, tamper);
    struct end *sender = e->other;
    bool drained = e->busy && e->waiting < 8192;
    e->busy = e->busy && !drained;
    if (drained && sender != NULL && !sender->closing)
        transport_tell(&sender->transport)->drained(sender->transport.ctx);
    free_parcel(p);
}

static bool has_something(const struct end *e)
{
    return e->first != NULL && (!e->paused || e->closing || e->first->is_close);
}

bool world_deliver(bool tamper)
{
    uint32_t count = 0;
    for (const struct end *e = world.ends; e != NULL; e = e->next)
        count += has_something(e);
    if (count == 0)
        return false;
    uint32_t which = property_below(count);
    for (struct end *e = world.ends; e != NULL; e = e->next)
        if (has_something(e) && which-- == 0) {
            deliver(e, tamper);
            break;
        }
    return true;
}

// ---- Time ----------------------------------------------------------------------------------------------------------

uint64_t __real_clock_monotonic_ms(void);
int64_t __real_clock_wall_ms(void);
uint64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_wall_ms(void);

uint64_t __wrap_clock_monotonic_ms(void) // the store thread asks, too
{
    uint64_t now = __atomic_load_n(&world.now, __ATOMIC_RELAXED);
    return now != 0 ? now : __real_clock_monotonic_ms();
}

int64_t __wrap_clock_wall_ms(void)
{
    uint64_t now = __atomic_load_n(&world.now, __ATOMIC_RELAXED);
    return now != 0 ? 1700000000000 + (int64_t)now : __real_clock_wall_ms();
}

uint64_t world_now(void *ignored)
{
    (void)ignored;
    return world.now;
}

static void set_now(uint64_t now)
{
    __atomic_store_n(&world.now, now, __ATOMIC_RELAXED);
}

struct loop_timer *__wrap_loop_timer_create(struct loop *l, void (*fire)(void *ctx), void *ctx);
void __wrap_loop_timer_set(struct loop_timer *timer, uint64_t ms);
void __wrap_loop_timer_cancel(struct loop_timer *timer);
void __wrap_loop_timer_destroy(struct loop_timer *timer);

struct loop_timer *__wrap_loop_timer_create(struct loop *l, void (*fire)(void *ctx), void *ctx)
{
    (void)l;
    struct timer *t = mem_alloc(sizeof *t);
    *t = (struct timer){.next = world.timers, .fire = fire, .ctx = ctx};
    world.timers = t;
    return (struct loop_timer *)t;
}

void __wrap_loop_timer_set(struct loop_timer *timer, uint64_t ms)
{
    ((struct timer *)timer)->at = (world.now != 0 ? world.now : 1000000) + ms;
}

void __wrap_loop_timer_cancel(struct loop_timer *timer)
{
    ((struct timer *)timer)->at = 0;
}

void __wrap_loop_timer_destroy(struct loop_timer *timer)
{
    struct timer **link = &world.timers;
    if (timer == NULL)
        return;
    while (*link != (struct timer *)timer)
        link = &(*link)->next;
    *link = (*link)->next;
    free(timer);
}

// What is due first, not later than until.
static bool fire_next(uint64_t until)
{
    struct end *end = NULL;
    struct timer *timer = NULL;
    for (struct end *e = world.ends; e != NULL; e = e->next)
        if (e->wake != 0 && e->wake <= until && !e->closing) {
            end = e;
            until = e->wake;
        }
    for (struct timer *t = world.timers; t != NULL; t = t->next)
        if (t->at != 0 && t->at <= until) {
            timer = t;
            until = t->at;
        }
    if (end == NULL && timer == NULL)
        return false;
    set_now(until > world.now ? until : world.now);
    if (timer != NULL) {
        timer->at = 0;
        timer->fire(timer->ctx);
    } else {
        end->wake = 0;
        transport_tell(&end->transport)->time(end->transport.ctx);
    }
    return true;
}

void world_sleep(uint64_t ms)
{
    uint64_t until = world.now + ms;
    for (unsigned fired = 0; fire_next(until); fired++)
        if (fired == EVENTS_MAX)
            world_fail("time stands still");
    set_now(until);
}

// ---- Dials ---------------------------------------------------------------------------------------------------------

struct ws_connect *__wrap_ws_client_connect(struct ws_client *c, const char *url, uint64_t timeout_ms, size_t limit,
                                            ws_client_done done, void *ctx, struct error *e);
uint64_t __wrap_ws_connect_id(const struct ws_connect *a);
void __wrap_ws_connect_guard(struct ws_connect *a, bool (*may_try)(void *ctx, const char *address, uint16_t port));
void __wrap_ws_connect_cancel(struct ws_connect *a);

struct ws_connect *__wrap_ws_client_connect(struct ws_client *c, const char *url, uint64_t timeout_ms, size_t limit,
                                            ws_client_done done, void *ctx, struct error *e)
{
    (void)c, (void)timeout_ms, (void)limit, (void)e;
    struct dial *d = mem_alloc(sizeof *d), **link = &world.dials;
    *d = (struct dial){.id = transport_new_id(), .url = mem_text(span_of(url)), .done = done, .ctx = ctx};
    while (*link != NULL)
        link = &(*link)->next;
    *link = d;
    return (struct ws_connect *)d;
}

void __wrap_ws_connect_guard(struct ws_connect *a, bool (*may_try)(void *ctx, const char *address, uint16_t port))
{
    (void)a, (void)may_try; // there are no addresses here
}

uint64_t __wrap_ws_connect_id(const struct ws_connect *a)
{
    return ((const struct dial *)a)->id;
}

static void forget_dial(struct dial *d)
{
    struct dial **link = &world.dials;
    while (*link != d)
        link = &(*link)->next;
    *link = d->next;
    free(d->url);
    free(d);
}

void __wrap_ws_connect_cancel(struct ws_connect *a)
{
    forget_dial((struct dial *)a);
}

bool world_dial(bool succeeds, void (*accept)(const struct dialled *d))
{
    struct dial *d = world.dials;
    if (d == NULL)
        return false;
    struct dial copy = *d;
    struct dialled dialled = {0};
    struct transport *ends[2];
    struct error why;
    snprintf(dialled.url, sizeof dialled.url, "%s", d->url);
    forget_dial(d);
    if (!succeeds) {
        error_set(&why, STATUS_CLOSED, "UNREACHABLE", "nobody is there");
        copy.done(copy.ctx, NULL, &why);
        return true;
    }
    world_open(ends);
    ends[1]->id = copy.id;
    dialled.end = ends[0];
    accept(&dialled);
    copy.done(copy.ctx, ends[1], NULL);
    return true;
}

// ---- Life ----------------------------------------------------------------------------------------------------------

void world_begin(void)
{
    set_now(1000000);
}

struct world_load world_load(void)
{
    struct world_load load = {0};
    for (const struct end *e = world.ends; e != NULL; e = e->next) {
        load.ends++;
        if (!e->of_node && e->waiting > load.queued)
            load.queued = e->waiting;
    }
    for (const struct dial *d = world.dials; d != NULL; d = d->next)
        load.dials++;
    return load;
}
