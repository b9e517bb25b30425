// libwebsockets sees to its own deadlines after each socket that had news, but where it set an alarm for a later one
// before, it does not set it earlier. So it gets a stroke: after our timers, and each second.
#include "net/loop_epoll.h"

#include <ev.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "net/loop_lws.h"

static const double STROKE_S = 1, MS_PER_S = 1000;

struct watchers {
    struct loop *loop;
    struct ev_timer alarm, stroke;
};

static void rings(struct ev_loop *ev, struct ev_timer *alarm, int events)
{
    struct loop *l = ((struct watchers *)ev_userdata(ev))->loop;
    (void)alarm, (void)events;
    loop_alarm(l);
    lws_cancel_service(l->context);
}

static void strikes(struct ev_loop *ev, struct ev_timer *stroke, int events)
{
    (void)stroke, (void)events;
    lws_cancel_service(((struct watchers *)ev_userdata(ev))->loop->context);
}

static void *create(struct loop *l)
{
    struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (ev == NULL)
        return NULL;
    struct watchers *w = mem_alloc(sizeof *w);
    w->loop = l;
    ev_timer_init(&w->alarm, rings, 0, 0);
    ev_timer_init(&w->stroke, strikes, STROKE_S, STROKE_S);
    ev_timer_start(ev, &w->stroke);
    ev_set_userdata(ev, w);
    return ev;
}

static void destroy(void *waiting)
{
    struct watchers *w = ev_userdata(waiting);
    ev_loop_destroy(waiting);
    free(w);
}

static void turn(void *waiting)
{
    ev_run(waiting, EVRUN_ONCE);
}

static void alarm_at(void *waiting, uint64_t ms)
{
    struct watchers *w = ev_userdata(waiting);
    ev_timer_stop(waiting, &w->alarm);
    ev_now_update(waiting);
    ev_timer_set(&w->alarm, (double)ms / MS_PER_S, 0);
    ev_timer_start(waiting, &w->alarm);
}

const struct loop_engine LOOP_EPOLL = {"epoll", LWS_SERVER_OPTION_LIBEV, create, destroy, turn, alarm_at};
