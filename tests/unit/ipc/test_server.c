// The control endpoint and its client over a real socket; the server turns in a thread of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "ipc/client.h"
#include "ipc/server.h"

enum { PATIENCE_MS = 60000 }; // for a loaded machine

struct fixture {
    char dir[64];
    char path[96];
    struct ipc_service *service;
    struct ipc_server *server;
    pthread_t thread;
    atomic_bool stop;
    struct ipc_request *kept[IPC_IN_FLIGHT_EVER];
    atomic_size_t kept_count;
    atomic_bool release;
    atomic_int provisions;
};

static void answer_status(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, json_pack("{s:b}", "federated", 1));
}

static void keep(struct ipc_request *r, void *ctx)
{
    struct fixture *f = ctx;
    atomic_fetch_add(&f->provisions, 1);
    f->kept[atomic_fetch_add(&f->kept_count, 1)] = r;
}

static void answer_huge(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    char *text = calloc(1, 2 * IPC_MESSAGE_MAX);
    memset(text, 'x', 2 * IPC_MESSAGE_MAX - 1);
    ipc_request_reply(r, json_pack("{s:s}", "text", text));
    free(text);
}

static void *serve(void *arg)
{
    struct fixture *f = arg;
    while (!atomic_load(&f->stop)) {
        struct pollfd fd = {ipc_server_fd(f->server), POLLIN, 0};
        poll(&fd, 1, 10);
        ipc_server_drain(f->server);
        if (!atomic_load(&f->release))
            continue;
        for (size_t n = atomic_exchange(&f->kept_count, 0); n > 0; n--)
            ipc_request_reply(f->kept[n - 1], NULL);
    }
    return NULL;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error e = {0};
    strcpy(f->dir, "/tmp/tandem-server-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/control.sock", f->dir);
    f->service = ipc_service_create(IPC_SUPERVISOR);
    ipc_service_on(f->service, "status", answer_status, f);
    ipc_service_on(f->service, "provision", keep, f);
    ipc_service_on(f->service, "events.since", answer_huge, f);
    f->server = ipc_server_listen(f->path, f->service, &e);
    assert_non_null(f->server);
    pthread_create(&f->thread, NULL, serve, f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    atomic_store(&f->release, true);
    while (atomic_load(&f->kept_count) > 0)
        usleep(1000);
    atomic_store(&f->stop, true);
    pthread_join(f->thread, NULL);
    ipc_server_destroy(f->server);
    ipc_service_destroy(f->service);
    rmdir(f->dir);
    free(f);
    return 0;
}

static struct ipc_client *client(struct fixture *f)
{
    struct error e = {0};
    struct ipc_client *c = ipc_client_connect(f->path, &e);
    assert_non_null(c);
    return c;
}

static json_t *provision_params(void)
{
    return json_pack("{s:s}", "secret", "s");
}

static void a_call_is_answered(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct ipc_client *c = client(f);
    for (int i = 0; i < 3; i++) {
        json_t *result = ipc_client_call(c, "status", NULL, PATIENCE_MS, &e);
        assert_true(json_is_true(json_object_get(result, "federated")));
        json_decref(result);
    }
    assert_null(ipc_client_call(c, "nothing", NULL, PATIENCE_MS, &e));
    assert_string_equal(e.code, "UNKNOWN-METHOD");
    assert_null(ipc_client_call(c, "provision", NULL, PATIENCE_MS, &e));
    assert_string_equal(e.code, "BAD-PARAMS");
    assert_null(ipc_client_call(c, "node.stop", NULL, PATIENCE_MS, &e));
    assert_string_equal(e.code, "UNKNOWN-METHOD");
    assert_null(ipc_client_call(c, "events.since", NULL, PATIENCE_MS, &e));
    assert_string_equal(e.code, "TOO-BIG");
    ipc_client_destroy(c);
}

static void a_waiting_call_delays_no_other(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct ipc_client *slow = client(f);
    struct ipc_client *fast = client(f);
    assert_null(ipc_client_call(slow, "provision", provision_params(), 100, &e)); // in flight from now on
    assert_string_equal(e.code, "TIMEOUT");
    json_t *result = ipc_client_call(fast, "status", NULL, PATIENCE_MS, &e);
    assert_non_null(result);
    json_decref(result);
    ipc_client_destroy(slow);
    ipc_client_destroy(fast);
}

static void the_65th_request_is_busy(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct ipc_client *c = client(f);
    for (int i = 0; i < IPC_IN_FLIGHT_MAX; i++)
        assert_null(ipc_client_call(c, "provision", provision_params(), 1, &e));
    while (atomic_load(&f->kept_count) < IPC_IN_FLIGHT_MAX && atomic_load(&f->provisions) < IPC_IN_FLIGHT_MAX)
        assert_null(ipc_client_call(c, "provision", provision_params(), 20, &e)); // some were cancelled unsent
    assert_null(ipc_client_call(c, "status", NULL, PATIENCE_MS, &e));
    assert_string_equal(e.code, "BUSY");
    atomic_store(&f->release, true);
    json_t *result = NULL;
    for (uint64_t until = clock_monotonic_ms() + PATIENCE_MS; result == NULL && clock_monotonic_ms() < until;)
        result = ipc_client_call(c, "status", NULL, PATIENCE_MS, &e);
    assert_non_null(result);
    json_decref(result);
    ipc_client_destroy(c);
}

static void requests_whose_askers_are_gone_count_too(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    while (atomic_load(&f->provisions) < IPC_IN_FLIGHT_EVER) {
        struct ipc_client *gone = client(f);
        assert_null(ipc_client_call(gone, "provision", provision_params(), 2, &e));
        ipc_client_destroy(gone);
    }
    struct ipc_client *c = client(f);
    assert_null(ipc_client_call(c, "status", NULL, PATIENCE_MS, &e));
    assert_string_equal(e.code, "BUSY");
    ipc_client_destroy(c);
}

static void an_impatient_socket_acts_once(void **state)
{
    struct fixture *f = *state;
    nng_socket s;
    char url[128];
    char *reply;
    size_t size;
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"provision\",\"params\":{\"secret\":\"s\"}}";
    snprintf(url, sizeof url, "ipc://%s", f->path);
    assert_int_equal(nng_req0_open(&s), 0);
    nng_socket_set_ms(s, NNG_OPT_REQ_RESENDTIME, 20);
    nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, 300);
    assert_int_equal(nng_dial(s, url, NULL, 0), 0);
    assert_int_equal(nng_send(s, (void *)request, sizeof request - 1, 0), 0);
    assert_int_equal(nng_recv(s, &reply, &size, NNG_FLAG_ALLOC), NNG_ETIMEDOUT); // sent some fifteen times
    assert_int_equal(atomic_load(&f->provisions), 1);
    nng_close(s);
}

static void garbage_gets_one_error(void **state)
{
    struct fixture *f = *state;
    nng_socket s;
    char url[128];
    char *reply;
    size_t size;
    snprintf(url, sizeof url, "ipc://%s", f->path);
    assert_int_equal(nng_req0_open(&s), 0);
    nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, PATIENCE_MS);
    assert_int_equal(nng_dial(s, url, NULL, 0), 0);
    assert_int_equal(nng_send(s, "hello", 5, 0), 0);
    assert_int_equal(nng_recv(s, &reply, &size, NNG_FLAG_ALLOC), 0);
    json_t *answer = json_loadb(reply, size, 0, NULL);
    assert_true(json_is_null(json_object_get(answer, "id")));
    json_t *error = json_object_get(answer, "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), -32700);
    json_decref(answer);
    nng_free(reply, size);
    nng_close(s);
}

static void nobody_there_is_not_running(void **state)
{
    struct error e = {0};
    (void)state;
    assert_null(ipc_client_connect("/tmp/tandem-nobody/control.sock", &e));
    assert_string_equal(e.code, "NOT-RUNNING");
}

static void a_stale_socket_is_replaced_and_a_living_one_is_not(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    assert_null(ipc_server_listen(f->path, f->service, &e));
    assert_string_equal(e.code, "ALREADY-RUNNING");
    char stale[100];
    snprintf(stale, sizeof stale, "%s/stale", f->dir);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, stale);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
    close(dead); // the file stays
    assert_int_equal(access(stale, F_OK), 0);
    struct ipc_server *second = ipc_server_listen(stale, f->service, &e);
    assert_non_null(second);
    ipc_server_destroy(second);
    unlink(stale);
}

struct asking {
    struct fixture *f;
    json_t *result;
    struct error e;
};

static void *ask(void *arg)
{
    struct asking *a = arg;
    struct ipc_client *c = client(a->f);
    a->result = ipc_client_call(c, "provision", provision_params(), PATIENCE_MS, &a->e);
    ipc_client_destroy(c);
    return NULL;
}

// As with `down`: who is answered last must not find the connection closed instead.
static void the_last_answer_arrives(void **state)
{
    struct fixture *f = *state;
    atomic_store(&f->stop, true); // this thread is the server's
    pthread_join(f->thread, NULL);
    for (int i = 0; i < 50; i++) {
        struct asking a = {.f = f};
        pthread_t thread;
        pthread_create(&thread, NULL, ask, &a);
        while (atomic_load(&f->kept_count) == 0) {
            struct pollfd fd = {ipc_server_fd(f->server), POLLIN, 0};
            poll(&fd, 1, 10);
            ipc_server_drain(f->server);
        }
        atomic_store(&f->kept_count, 0);
        ipc_request_reply(f->kept[0], json_pack("{s:b}", "created", 1));
        ipc_server_destroy(f->server);
        pthread_join(thread, NULL);
        assert_string_equal(a.e.message, "");
        assert_true(json_is_true(json_object_get(a.result, "created")));
        json_decref(a.result);
        f->server = ipc_server_listen(f->path, f->service, &a.e);
        assert_non_null(f->server);
    }
    atomic_store(&f->stop, false);
    pthread_create(&f->thread, NULL, serve, f);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_waiting_call_delays_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(the_65th_request_is_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_whose_askers_are_gone_count_too, setup, teardown),
        cmocka_unit_test_setup_teardown(an_impatient_socket_acts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_gets_one_error, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_answer_arrives, setup, teardown),
        cmocka_unit_test(nobody_there_is_not_running),
        cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced_and_a_living_one_is_not, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
