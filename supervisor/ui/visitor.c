// A stranger costs a WebSocket and five seconds; the control endpoint hears of a visitor only once its pass was good.
#include "supervisor/ui/visitor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/secret.h"
#include "ipc/jsonrpc.h"
#include "ipc/line.h"
#include "net/loop.h"
#include "supervisor/ui/allowed.h"

enum {
    ENTER_MS = 5000,
    ENTERED_MAX = 16,
    QUIET_MS = 60 * 1000,          // between two lines about refusals
    UNREAD_MAX = 16 * 1024 * 1024, // bytes of answers that the page has not taken
    UNSENT_MAX = 4 * 1024 * 1024,  // bytes of requests that the supervisor has not taken
};

struct visitor {
    struct visitor *next;
    struct visitors *all;
    struct transport *t;
    struct ipc_line *line; // there exactly while it has entered
    struct loop_fd *watch;
};

static void visitor_free(struct visitor *v)
{
    struct visitor **at = &v->all->first;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    v->all->entered -= v->line != NULL;
    loop_drop_fd(v->watch);
    ipc_line_destroy(v->line);
    free(v);
}

static void send_to_page(struct visitor *v, struct span text)
{
    if (v->t->ops->queued(v->t) > UNREAD_MAX)
        transport_close(v->t, "the page does not read its answers");
    else
        transport_send(v->t, true, text);
}

static void say(struct visitor *v, json_t *message)
{
    struct error ignored = {0};
    char *text = jsonrpc_text(message, &ignored);
    json_decref(message);
    if (text == NULL)
        return;
    send_to_page(v, span_of(text));
    secret_wipe(text, strlen(text));
    free(text);
}

// --- the control endpoint --------------------------------------------------------------------------------------------

static void answered(void *ctx, struct span text)
{
    send_to_page(ctx, text);
}

static void supervisor_gone(void *ctx)
{
    struct visitor *v = ctx;
    transport_close(v->t, "the supervisor went away");
}

static void line_readable(void *ctx)
{
    struct visitor *v = ctx;
    ipc_line_drain(v->line);
}

static enum status connect_line(struct visitor *v, struct error *e)
{
    if (v->all->entered >= ENTERED_MAX)
        return error_set(e, STATUS_CONFLICT, "BUSY", "the page is open %d times", ENTERED_MAX);
    struct ipc_line_events events = {answered, supervisor_gone, v};
    struct ipc_line *line = ipc_line_dial(v->all->control, events, e);
    if (line == NULL)
        return e->status;
    v->watch = loop_adopt_fd(v->all->loop, ipc_line_fd(line), line_readable, v, e);
    if (v->watch == NULL) {
        ipc_line_destroy(line);
        return e->status;
    }
    v->line = line;
    v->all->entered++;
    return STATUS_OK;
}

// --- the page --------------------------------------------------------------------------------------------------------

static struct span text_of(const json_t *params, const char *name)
{
    const json_t *value = json_object_get(params, name);
    return (struct span){json_string_value(value), json_string_length(value)};
}

// A link that opens nothing since the supervisor is away is not used up.
static enum status enter(struct visitor *v, const json_t *params, char *session, struct error *e)
{
    struct span link = text_of(params, "link");
    struct span kept = text_of(params, "session");
    if (pass_check(v->all->pass, link, kept, e) != STATUS_OK || connect_line(v, e) != STATUS_OK)
        return e->status;
    if (link.len != 0)
        pass_use_link(v->all->pass, session);
    else
        memcpy(session, kept.ptr, PASS_LENGTH);
    return STATUS_OK;
}

// However many are refused, a minute has one line about it. false: nobody was since the last one.
static bool sum_up(struct visitors *all)
{
    if (all->refused == 0)
        return false;
    LOG(LOG_WARN, "ui.refused", LOG_INT("more", all->refused));
    all->refused = 0;
    return true;
}

static void quiet_ends(void *ctx)
{
    struct visitors *all = ctx;
    if (sum_up(all)) {
        loop_timer_set(all->quiet, QUIET_MS);
        return;
    }
    loop_timer_destroy(all->quiet);
    all->quiet = NULL;
}

static void note_refused(const struct visitor *v, const char *code)
{
    struct visitors *all = v->all;
    if (all->quiet != NULL) {
        all->refused++;
        return;
    }
    LOG(LOG_WARN, "ui.refused", LOG_TEXT("peer", v->t->url), LOG_TEXT("code", code));
    all->quiet = loop_timer_create(all->loop, quiet_ends, all);
    loop_timer_set(all->quiet, QUIET_MS);
}

static void refuse(struct visitor *v, json_t *id, const struct error *e)
{
    say(v, jsonrpc_failure(id, e));
    if (!v->t->trusted) {
        note_refused(v, e->code);
        transport_close(v->t, e->code);
    }
}

static void take_first(struct visitor *v, const struct jsonrpc_message *m)
{
    char session[PASS_LENGTH + 1] = "";
    struct error e = {0};
    if (strcmp(m->method, "ui.enter") != 0)
        error_set(&e, STATUS_REFUSED, "REFUSED", "the first request is ui.enter");
    else
        enter(v, m->params, session, &e);
    if (e.status != STATUS_OK) {
        refuse(v, m->id, &e);
        return;
    }
    v->t->trusted = true;
    transport_wake_at(v->t, 0);
    say(v, jsonrpc_answer(m->id, json_pack("{s:s, s:s, s:I}", "session", session, "version", TANDEM_VERSION,
                                           "messageMax", (json_int_t)v->all->message_max)));
    secret_wipe(session, sizeof session);
}

static void take_next(struct visitor *v, const struct jsonrpc_message *m, struct span text)
{
    struct error e = {0};
    if (!ui_may_ask(m->method, m->params)) {
        error_set(&e, STATUS_REFUSED, "REFUSED", "the page may not ask for '%.60s'", m->method);
        refuse(v, m->id, &e);
        return;
    }
    ipc_line_ask(v->line, text);
    if (ipc_line_unsent(v->line) > UNSENT_MAX)
        transport_close(v->t, "the supervisor does not answer");
}

static void took_message(void *ctx, bool is_text, struct span text)
{
    struct visitor *v = ctx;
    struct jsonrpc_message m = {0};
    struct error e = {0};
    if (!is_text)
        error_set(&e, STATUS_INVALID, "BAD-REQUEST", "a request is a text");
    else if (jsonrpc_parse(text, &m, &e) == STATUS_OK && m.kind != JSONRPC_REQUEST)
        error_set(&e, STATUS_INVALID, "BAD-REQUEST", "not a JSON-RPC 2.0 request: 'method' is missing");
    if (e.status != STATUS_OK)
        refuse(v, m.id, &e);
    else if (v->t->trusted)
        take_next(v, &m, text);
    else
        take_first(v, &m);
    jsonrpc_release(&m);
}

static void page_gone(void *ctx, int code, struct span reason)
{
    (void)code;
    (void)reason;
    visitor_free(ctx);
}

static void page_drained(void *ctx)
{
    (void)ctx;
}

static void too_late(void *ctx)
{
    struct visitor *v = ctx;
    transport_close(v->t, "ui.enter did not come in time");
}

void visitor_come(struct visitors *all, struct transport *t)
{
    static const struct transport_events events = {took_message, page_gone, page_drained, too_late};
    struct visitor *v = mem_alloc(sizeof *v);
    *v = (struct visitor){.next = all->first, .all = all, .t = t};
    all->first = v;
    transport_use(t, &events, v);
    transport_wake_at(t, loop_now(all->loop) + ENTER_MS);
}

void visitors_destroy(struct visitors *all)
{
    while (all->first != NULL) {
        transport_release(all->first->t);
        visitor_free(all->first);
    }
    (void)sum_up(all);
    loop_timer_destroy(all->quiet);
}
