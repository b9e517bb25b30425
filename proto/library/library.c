// tandem.h on the parts of tandem that know sockets and peers. A tandem_connection stands for an attempt to dial, then
// for the conn that came of it, and is freed with the last callback about it, wherever that comes from.
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/text.h"
#include "conn/exchange.h"
#include "library/identity.h"
#include "library/tandem.h"
#include "net/ws_client.h"
#include "net/ws_server.h"

#include <sys/resource.h>

enum { THREADS = 2, FILES_MAX = 65536, CONNECTIONS_MAX = 256, WAITING_MAX = 128, GROUP_MAX = 40, FAREWELL_MS = 2000 };
_Static_assert(sizeof((struct tandem_error){0}.code) == sizeof((struct error){0}.code), "one is copied to the other");
_Static_assert(sizeof((struct tandem_error){0}.message) == sizeof((struct error){0}.message), "likewise");

struct watch {
    struct watch *next;
    struct loop_fd *fd;
    bool (*readable)(void *arg);
    void *arg;
};

struct tandem {
    struct tandem_callbacks callbacks;
    void *ctx;
    char *group;
    char key[TANDEM_KEY_LENGTH + 1];
    struct conn_identity identity;
    struct recipes *recipes;
    struct budgets *budgets;
    struct exchange_challenges challenges;
    struct conn_host host;
    struct loop *loop;
    struct pool *pool;
    struct ws_client *client;
    struct ws_server *server;
    struct tandem_connection *connections;
    struct watch *watches;
};

struct tandem_connection {
    struct tandem *tandem;
    struct tandem_connection *next;
    struct ws_connect *dialling; // until conn is there
    struct conn *conn;
    struct public_key target;
    bool told; // the program knows of it
    bool open;
    void *user;
};

static bool fails(const struct error *why, struct tandem_error *e)
{
    if (e == NULL)
        return false;
    memcpy(e->code, why->code, sizeof e->code);
    memcpy(e->message, why->message, sizeof e->message);
    return false;
}

// ---- Connections ----

static struct tandem_connection *add(struct tandem *t)
{
    struct tandem_connection *c = mem_alloc(sizeof *c);
    *c = (struct tandem_connection){.tandem = t, .next = t->connections};
    t->connections = c;
    return c;
}

static struct tandem_connection *find(const struct tandem *t, const struct conn *conn)
{
    struct tandem_connection *c = t->connections;
    while (c != NULL && c->conn != conn)
        c = c->next;
    return c;
}

static void end(struct tandem_connection *c, const struct error *why)
{
    struct tandem *t = c->tandem;
    struct tandem_connection **link = &t->connections;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    struct tandem_error told;
    fails(why, &told);
    c->open = false;
    if (c->told && t->callbacks.closed != NULL)
        t->callbacks.closed(t->ctx, c, &told);
    free(c);
}

static void on_text(void *ctx, struct span message, uint64_t now_ms)
{
    (void)now_ms;
    struct tandem_connection *c = ctx;
    if (c->tandem->callbacks.message != NULL)
        c->tandem->callbacks.message(c->tandem->ctx, c, true, message.ptr, message.len);
}

static void on_binary(void *ctx, struct span message, uint64_t now_ms)
{
    (void)now_ms;
    struct tandem_connection *c = ctx;
    if (c->tandem->callbacks.message != NULL)
        c->tandem->callbacks.message(c->tandem->ctx, c, false, message.ptr, message.len);
}

static void on_drained(void *ctx)
{
    struct tandem_connection *c = ctx;
    if (c->tandem->callbacks.drained != NULL)
        c->tandem->callbacks.drained(c->tandem->ctx, c);
}

static void on_closed(void *ctx, const struct error *why)
{
    (void)ctx, (void)why; // host_closed comes after it
}

static const struct conn_protocol PROTOCOL = {
    .text = on_text, .binary = on_binary, .drained = on_drained, .closed = on_closed};

// ---- What a connection asks its host ----

static const struct conn_identity *host_identity(void *ctx, const struct public_key *target)
{
    const struct tandem *t = ctx;
    return public_key_eq(target, &t->identity.instance_public) ? &t->identity : NULL;
}

static bool host_admits(void *ctx, const struct conn_identity *local, const struct public_key *source,
                        enum conn_group group)
{
    (void)ctx;
    return group == CONN_APPLICATION && !public_key_eq(source, &local->instance_public);
}

static const char *host_assigned(void *ctx, struct conn *conn)
{
    (void)ctx, (void)conn;
    return NULL;
}

static bool host_known(void *ctx, const struct conn_identity *local, const struct public_key *remote,
                       struct hash *person, struct hash *instance)
{
    (void)ctx, (void)local, (void)remote, (void)person, (void)instance;
    return false; // keys are all that the program goes by
}

static enum conn_key_check host_person_key(void *ctx, const struct hash *person, const struct public_key *key)
{
    (void)ctx, (void)person, (void)key;
    return CONN_KEY_NEW;
}

static const char *host_ready(void *ctx, struct conn *conn, enum conn_group group)
{
    (void)group;
    struct tandem *t = ctx;
    struct tandem_connection *c = find(t, conn);
    const struct conn_peer *peer = conn_peer(conn);
    char key[TANDEM_KEY_LENGTH + 1];
    hex_encode(peer->long_term.b, BOX_KEY, key);
    struct tandem_peer shown = {.key = key, .email = peer->email, .instance = peer->instance_name};
    if (conn_role(conn) == CONN_ACCEPTOR && (t->callbacks.admit == NULL || !t->callbacks.admit(t->ctx, &shown)))
        return "You are not expected here";
    conn_recognise(conn, BUDGET_CONTACT);
    conn_serve(conn, &PROTOCOL, c);
    c->told = true;
    c->open = true;
    if (t->callbacks.opened != NULL)
        t->callbacks.opened(t->ctx, c, &shown);
    return NULL;
}

static void host_closed(void *ctx, struct conn *conn, const struct error *why)
{
    end(find(ctx, conn), why);
}

// ---- Sockets ----

static void accepted(void *ctx, struct transport *transport)
{
    struct tandem *t = ctx;
    struct tandem_connection *c = add(t);
    c->conn = conn_accept(transport, &t->host, (struct span){0});
}

static void dialled(void *ctx, struct transport *transport, const struct error *why)
{
    struct tandem_connection *c = ctx;
    struct tandem *t = c->tandem;
    c->dialling = NULL;
    if (transport == NULL)
        end(c, why);
    else
        c->conn = conn_initiate(transport, &t->host, &t->identity, &c->target, CONN_APPLICATION);
}

struct tandem_connection *tandem_open(struct tandem *t, const char *url, const char *key, void *user,
                                      struct tandem_error *e)
{
    struct error why;
    struct public_key target;
    if (!hex_decode(span_of(key), target.b, sizeof target.b)) {
        error_set(&why, STATUS_INVALID, "BAD-KEY", "a key has %d hexadecimal digits", TANDEM_KEY_LENGTH);
        fails(&why, e);
        return NULL;
    }
    struct tandem_connection *c = add(t);
    c->target = target;
    c->user = user;
    c->dialling = ws_client_connect(t->client, url, 0, 0, dialled, c, &why);
    if (c->dialling == NULL) {
        end(c, &why);
        fails(&why, e);
        return NULL;
    }
    c->told = true;
    return c;
}

bool tandem_listen(struct tandem *t, const char *address, struct tandem_error *e)
{
    struct error why;
    static const struct ws_server_options options = {
        .any_host = true, .max_connections = CONNECTIONS_MAX, .max_waiting = WAITING_MAX};
    if (t->server != NULL) {
        error_set(&why, STATUS_CONFLICT, "LISTENING", "it listens already");
        return fails(&why, e);
    }
    t->server = ws_server_listen(t->loop, address, &options, accepted, t, &why);
    return t->server != NULL || fails(&why, e);
}

const char *tandem_url(const struct tandem *t)
{
    return t->server != NULL ? ws_server_url(t->server) : NULL;
}

// ---- What a connection does ----

bool tandem_send(struct tandem_connection *c, bool text, const char *bytes, size_t length)
{
    struct span message = {bytes, length};
    if (!c->open || conn_state(c->conn) >= CONN_CLOSING || length > TANDEM_MESSAGE_MAX ||
        (text && !utf8_valid(message)))
        return false;
    if (text)
        conn_send_text(c->conn, message);
    else
        conn_send_binary(c->conn, message);
    return true;
}

size_t tandem_queued(const struct tandem_connection *c)
{
    return c->open ? conn_queued(c->conn) : 0;
}

void tandem_pause(struct tandem_connection *c, bool paused)
{
    if (c->open)
        conn_pause(c->conn, paused);
}

void tandem_close(struct tandem_connection *c, const char *reason)
{
    if (c->conn != NULL) {
        conn_close(c->conn, reason);
    } else if (c->dialling != NULL) {
        struct error why;
        error_set(&why, STATUS_CLOSED, "CLOSED", "%s", reason != NULL ? reason : "");
        ws_connect_cancel(c->dialling);
        end(c, &why);
    }
}

void tandem_set_user(struct tandem_connection *c, void *user)
{
    c->user = user;
}

void *tandem_user(const struct tandem_connection *c)
{
    return c->user;
}

// ---- The loop ----

void tandem_run(struct tandem *t)
{
    loop_run(t->loop);
}

void tandem_stop(struct tandem *t)
{
    loop_stop(t->loop);
}

void tandem_call(struct tandem *t, void (*call)(void *arg), void *arg)
{
    mailbox_post(loop_mailbox(t->loop), call, arg);
}

static void watched(void *ctx)
{
    struct watch *w = ctx;
    if (!w->readable(w->arg))
        loop_drop_fd(w->fd);
}

bool tandem_watch(struct tandem *t, int fd, bool (*readable)(void *arg), void *arg, struct tandem_error *e)
{
    struct error why;
    struct watch *w = mem_alloc(sizeof *w);
    *w = (struct watch){.next = t->watches, .readable = readable, .arg = arg};
    w->fd = loop_adopt_fd(t->loop, fd, watched, w, &why);
    if (w->fd == NULL) {
        free(w);
        return fails(&why, e);
    }
    t->watches = w;
    return true;
}

// ---- Beginning and end ----

// As many files as the program may have open already, since it may have more to do than this.
static struct loop *make_loop(struct error *e)
{
    struct rlimit limit;
    struct loop_options options = {.fd_limit = FILES_MAX};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_MAX)
        options.fd_limit = (size_t)limit.rlim_cur;
    return loop_create(&options, e);
}

static enum status check_group(const char *group, struct error *e)
{
    bool taken =
        group != NULL && (strcmp(group, "pairing") == 0 || strcmp(group, "chum") == 0 || strcmp(group, "debug") == 0);
    if (group == NULL || group[0] == '\0' || strlen(group) > GROUP_MAX || taken || !utf8_valid(span_of(group)))
        return error_set(e, STATUS_INVALID, "BAD-NAME", "a group has a name of its own, of at most %d bytes",
                         GROUP_MAX);
    return STATUS_OK;
}

static struct conn_host host_of(struct tandem *t)
{
    return (struct conn_host){
        .ctx = t,
        .recipes = t->recipes,
        .application = t->group,
        .budgets = t->budgets,
        .challenges = &t->challenges,
        .identity = host_identity,
        .admits = host_admits,
        .assigned = host_assigned,
        .known = host_known,
        .person_key = host_person_key,
        .ready = host_ready,
        .closed = host_closed,
    };
}

static enum status begin(struct tandem *t, const struct tandem_options *o, struct error *e)
{
    t->callbacks = o->callbacks;
    t->ctx = o->ctx;
    t->recipes = recipes_create(false);
    t->budgets = budgets_create(NULL, NULL);
    enum status status = check_group(o->group, e);
    if (status == STATUS_OK)
        status = identity_open(o->identity, o->email, o->instance, t->recipes, &t->identity, e);
    if (status != STATUS_OK)
        return status;
    t->group = mem_text(span_of(o->group));
    hex_encode(t->identity.instance_public.b, BOX_KEY, t->key);
    t->host = host_of(t);
    t->loop = make_loop(e);
    if (t->loop == NULL)
        return STATUS_IO;
    t->pool = pool_create(THREADS, loop_mailbox(t->loop));
    t->client = ws_client_create(t->loop, t->pool, o->ca_file);
    return STATUS_OK;
}

struct tandem *tandem_create(const struct tandem_options *options, struct tandem_error *e)
{
    crypto_init();
    log_open(2, LOG_FORMAT_TEXT, options->log ? LOG_INFO : LOG_ERROR + 1, "tandem");
    struct error why;
    struct tandem *t = mem_alloc(sizeof *t);
    if (begin(t, options, &why) == STATUS_OK)
        return t;
    tandem_destroy(t);
    fails(&why, e);
    return NULL;
}

// What is dialled ends at once, what is open when the other side knows.
static void close_all(struct tandem *t)
{
    while (t->connections != NULL)
        tandem_close(t->connections, "The program is stopping");
    loop_run_out(t->loop, FAREWELL_MS);
}

void tandem_destroy(struct tandem *t)
{
    if (t == NULL)
        return;
    if (t->loop != NULL)
        close_all(t);
    ws_client_destroy(t->client);
    ws_server_destroy(t->server);
    if (t->pool != NULL)
        pool_destroy(t->pool);
    loop_destroy(t->loop);
    while (t->watches != NULL) {
        struct watch *next = t->watches->next;
        free(t->watches);
        t->watches = next;
    }
    identity_close(&t->identity);
    budgets_destroy(t->budgets);
    recipes_destroy(t->recipes);
    free(t->group);
    free(t);
}

const char *tandem_key(const struct tandem *t)
{
    return t->key;
}
