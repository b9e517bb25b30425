// libwebsockets turns the loop, or an engine for it; its limit of descriptors is taken from the process when its
// context is made, so that is set first. The environment is changed here, before there are threads. Watched descriptors
// are libwebsockets' own. The alarm for the earliest timer is a descriptor, unless there is an engine: libwebsockets'
// own alarms wake up to a millisecond early and ask again and again until they are due.
#include "net/loop_lws.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

enum { FD_LIMIT = 1024, FD_LEAST = 64, RECEIVE_BUFFER = 65536, HANDSHAKE_SECONDS = 10, HEADER_DATA = 60 << 10 };
// What libwebsockets ends it ends without a word; ours come first, at most HANDSHAKE_SECONDS after the beginning.
enum { LIBRARY_SECONDS = 3 * HANDSHAKE_SECONDS };

struct loop_fd {
    struct lws *wsi;
    void (*readable)(void *ctx);
    void *ctx;
    bool dropped;
};

static __thread bool headers_overflowed; // libwebsockets says so in words only

bool loop_headers_overflowed(void)
{
    bool did = headers_overflowed;
    headers_overflowed = false;
    return did;
}

static void emit_log(int level, const char *line)
{
    struct span text = span_of(line);
    headers_overflowed = headers_overflowed || strstr(line, "Ran out of header") != NULL;
    while (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    LOG(level == LLL_ERR ? LOG_WARN : LOG_DEBUG, "websockets.message", LOG_SPAN("text", text));
}

// The environment speaks to libraries. No proxies; and a look-up that a silent name server makes last keeps a worker
// busy, whoever waits for it no more.
static void set_environment(void)
{
    setenv("RES_OPTIONS", "timeout:2 attempts:1", 0);
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "socks_proxy",
                                        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

// libwebsockets sizes its table of descriptors by the soft limit at the time its context is made. Who did not say how
// many it needs makes do with what the system allows.
static enum status set_fd_limit(size_t asked, struct error *e)
{
    struct rlimit r;
    size_t wanted = asked != 0 ? asked : FD_LIMIT;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return error_errno(e, "cannot read the limit of open files");
    if (asked == 0 && wanted > r.rlim_max)
        wanted = r.rlim_max > FD_LEAST ? r.rlim_max : FD_LEAST;
    if (wanted > r.rlim_max)
        return error_set(e, STATUS_FULL, "FILE-LIMIT", "%zu open files are wanted, the system allows %llu", wanted,
                         (unsigned long long)r.rlim_max);
    r.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        return error_errno(e, "cannot set the limit of open files to %zu", wanted);
    return STATUS_OK;
}

static struct lws_context *create_context(struct loop *l)
{
    void *foreign[] = {l->waiting};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | (l->engine != NULL ? l->engine->option : 0),
        .pt_serv_buf_size = (unsigned)l->receive_buffer,
        .max_http_header_data = HEADER_DATA,
        .timeout_secs = LIBRARY_SECONDS,
        .user = l,
    };
    if (l->engine != NULL)
        info.foreign_loops = foreign;
    return lws_create_context(&info);
}

// An engine that this system does not have is done without.
static void open_context(struct loop *l, const struct loop_engine *engine)
{
    l->engine = engine;
    if (engine != NULL) {
        l->waiting = engine->create(l);
        l->context = l->waiting != NULL ? create_context(l) : NULL;
    }
    if (l->context != NULL)
        return;
    if (engine != NULL) {
        LOG(LOG_WARN, "loop.without-engine", LOG_TEXT("wanted", engine->name), LOG_TEXT("used", LOOP_POLL));
        if (l->waiting != NULL)
            engine->destroy(l->waiting);
    }
    l->engine = NULL;
    l->waiting = NULL;
    l->context = create_context(l);
}

struct lws_vhost *loop_create_vhost(struct loop *l, const char *name, lws_callback_function *callback, bool server,
                                    const struct lws_context_creation_info *tls)
{
    static const lws_retry_bo_t no_pings;
    // libwebsockets copies the table of protocols
    struct lws_protocols protocols[] = {{.name = name, .callback = callback, .rx_buffer_size = l->receive_buffer}, {0}};
    struct lws_context_creation_info info = {0};
    if (tls != NULL)
        info = *tls;
    info.port = server ? CONTEXT_PORT_NO_LISTEN_SERVER : CONTEXT_PORT_NO_LISTEN;
    info.vhost_name = name;
    info.protocols = protocols;
    info.retry_and_idle_policy = &no_pings;
    info.connect_timeout_secs = HANDSHAKE_SECONDS;
    return lws_create_vhost(l->context, &info);
}

// The first protocol of the first vhost, so libwebsockets also reports the checks of any socket's certificate here.
static int file_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION)
        return lws_get_protocol(wsi)->callback(wsi, reason, user, in, len);
    struct loop_fd *f = lws_get_opaque_user_data(wsi);
    if (reason == LWS_CALLBACK_RAW_RX_FILE && !f->dropped)
        f->readable(f->ctx);
    if (reason == LWS_CALLBACK_RAW_CLOSE_FILE)
        free(f);
    return 0;
}

struct loop_fd *loop_adopt_fd(struct loop *l, int fd, void (*readable)(void *ctx), void *ctx, struct error *e)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        error_errno(e, "cannot watch descriptor %d", fd);
        return NULL;
    }
    struct loop_fd *f = mem_alloc(sizeof *f);
    f->readable = readable;
    f->ctx = ctx;
    lws_adopt_desc_t what = {.vh = l->files, .type = LWS_ADOPT_RAW_FILE_DESC, .fd = {.filefd = copy}, .opaque = f};
    f->wsi = lws_adopt_descriptor_vhost_via_info(&what);
    if (f->wsi != NULL)
        return f;
    close(copy);
    free(f);
    error_set(e, STATUS_FULL, "FILE-LIMIT", "cannot watch one more descriptor");
    return NULL;
}

void loop_drop_fd(struct loop_fd *f)
{
    if (f == NULL || f->dropped)
        return;
    f->dropped = true;
    lws_set_timeout(f->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static void drain_mailbox(void *ctx)
{
    mailbox_drain(ctx);
}

static void alarm_rings(void *ctx)
{
    struct loop *l = ctx;
    uint64_t times;
    if (read(l->alarm_fd, &times, sizeof times) == sizeof times)
        loop_alarm(l);
}

static void open_alarm(struct loop *l, struct error *e)
{
    if (l->engine != NULL)
        return;
    l->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->alarm_fd >= 0)
        l->alarm_watch = loop_adopt_fd(l, l->alarm_fd, alarm_rings, l, e);
}

struct loop *loop_create(const struct loop_options *options, struct error *e)
{
    if (set_fd_limit(options != NULL ? options->fd_limit : 0, e) != STATUS_OK)
        return NULL;
    set_environment();
    lws_set_log_level(LLL_ERR | LLL_WARN, emit_log);
    struct loop *l = mem_alloc(sizeof *l);
    l->alarm_at = UINT64_MAX;
    l->alarm_fd = -1;
    l->receive_buffer = options != NULL && options->receive_buffer != 0 ? options->receive_buffer : RECEIVE_BUFFER;
    l->mailbox = mailbox_create();
    open_context(l, options != NULL ? options->engine : NULL);
    if (l->context != NULL)
        l->files = loop_create_vhost(l, "files", file_callback, false, NULL);
    if (l->files != NULL)
        l->mailbox_watch = loop_adopt_fd(l, mailbox_fd(l->mailbox), drain_mailbox, l->mailbox, e);
    if (l->mailbox_watch != NULL)
        open_alarm(l, e);
    if (l->mailbox_watch != NULL && (l->engine != NULL || l->alarm_watch != NULL))
        return l;
    error_set(e, STATUS_INTERNAL, "INTERNAL", "the event loop cannot be created");
    loop_destroy(l);
    return NULL;
}

void loop_destroy(struct loop *l)
{
    if (l == NULL)
        return;
    OWNER_RELEASE(l); // it does not run any more
    mailbox_drain(l->mailbox);
    if (l->context != NULL)
        lws_context_destroy(l->context);
    if (l->engine != NULL)
        l->engine->destroy(l->waiting);
    if (l->alarm_fd >= 0)
        close(l->alarm_fd);
    mailbox_destroy(l->mailbox);
    timers_free(&l->timers);
    free(l);
}

// Waits for news of the sockets, at most until the alarm, and tells them. false: the loop cannot go on.
static bool turn(struct loop *l)
{
    if (l->engine == NULL)
        return lws_service(l->context, 0) >= 0;
    l->engine->turn(l->waiting);
    return true;
}

void loop_run(struct loop *l)
{
    OWNER_RELEASE(l);
    OWNER_ASSERT(l);
    lws_cancel_service(l->context); // what waits since before is seen to at once
    while (!__atomic_exchange_n(&l->stopping, false, __ATOMIC_ACQ_REL)) {
        if (!turn(l))
            return;
    }
}

static void time_is_up(void *ctx)
{
    *(bool *)ctx = true;
}

void loop_run_out(struct loop *l, uint64_t ms)
{
    OWNER_RELEASE(l);
    OWNER_ASSERT(l);
    bool up = false;
    struct loop_timer timer = LOOP_TIMER(l, time_is_up, &up);
    loop_timer_set(&timer, ms);
    while (l->websockets != 0 && !up && turn(l))
        ;
    loop_timer_cancel(&timer);
}

void loop_stop(struct loop *l)
{
    __atomic_store_n(&l->stopping, true, __ATOMIC_RELEASE);
    lws_cancel_service(l->context);
}

uint64_t loop_now(const struct loop *l)
{
    (void)l;
    return clock_monotonic_ms();
}

struct mailbox *loop_mailbox(struct loop *l)
{
    return l->mailbox;
}

const char *loop_waits_with(const struct loop *l)
{
    return l->engine != NULL ? l->engine->name : LOOP_POLL;
}

// Timers

// The alarm is set to the earliest timer. Where that is put off or cancelled, the alarm rings for nothing once, which
// costs less than to set it with each message that puts off a lifesign.
static void set_alarm(struct loop *l)
{
    uint64_t next = timers_next(&l->timers);
    if (next >= l->alarm_at || l->ringing)
        return;
    l->alarm_at = next;
    if (l->engine != NULL) {
        uint64_t now = clock_monotonic_ms();
        l->engine->alarm(l->waiting, next > now ? next - now : 0);
        return;
    }
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(next / 1000), .tv_nsec = (long)(next % 1000) * 1000000}};
    timerfd_settime(l->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void loop_alarm(struct loop *l)
{
    l->ringing = true;
    timers_run(&l->timers, clock_monotonic_ms());
    l->ringing = false;
    l->alarm_at = UINT64_MAX;
    set_alarm(l);
}

struct loop_timer *loop_timer_create(struct loop *l, void (*fire)(void *ctx), void *ctx)
{
    struct loop_timer *t = mem_alloc(sizeof *t);
    *t = LOOP_TIMER(l, fire, ctx);
    return t;
}

void loop_timer_set(struct loop_timer *t, uint64_t ms)
{
    OWNER_ASSERT(t->loop);
    if (ms > INT32_MAX) // 24 days: farther is never
        ms = INT32_MAX;
    timers_set(&t->loop->timers, t, clock_monotonic_ms() + ms);
    set_alarm(t->loop);
}

void loop_timer_cancel(struct loop_timer *t)
{
    if (t->place == 0)
        return;
    timers_cancel(&t->loop->timers, t);
    set_alarm(t->loop);
}

void loop_timer_destroy(struct loop_timer *t)
{
    if (t == NULL)
        return;
    loop_timer_cancel(t);
    free(t);
}
