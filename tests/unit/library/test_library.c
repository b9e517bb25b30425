// The library by its header alone: a process that answers, and the test that calls it.

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tandem.h"
#include "tests/unit/cmocka_all.h"

// ---- The process that answers: what it gets comes back ----

static bool admit_all_but_mallory(void *ctx, const struct tandem_peer *peer)
{
    (void)ctx;
    return strcmp(peer->email, "mallory@example.org") != 0 && strlen(peer->key) == TANDEM_KEY_LENGTH;
}

static void answer(void *ctx, struct tandem_connection *c, bool text, const char *bytes, size_t length)
{
    (void)ctx;
    if (text && length == 3 && memcmp(bytes, "bye", 3) == 0)
        tandem_close(c, "as you like");
    else
        tandem_send(c, text, bytes, length);
}

static void serve(int out)
{
    struct tandem_options options = {
        .email = "answerer@example.org",
        .instance = "test",
        .group = "test",
        .callbacks = {.admit = admit_all_but_mallory, .message = answer},
    };
    struct tandem *t = tandem_create(&options, NULL);
    if (t == NULL || !tandem_listen(t, "localhost:0", NULL) || tandem_listen(t, "localhost:0", NULL))
        _exit(1);
    dprintf(out, "%s %s\n", tandem_url(t), tandem_key(t));
    tandem_run(t);
    _exit(2);
}

static struct answerer {
    pid_t pid;
    char url[100], key[TANDEM_KEY_LENGTH + 1];
} answerer;

static int begin_answerer(void **state)
{
    (void)state;
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    answerer.pid = fork();
    if (answerer.pid == 0)
        serve(ends[1]);
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    int got = fscanf(in, "%99s %64s", answerer.url, answerer.key);
    fclose(in);
    return got != 2;
}

static int end_answerer(void **state)
{
    (void)state;
    kill(answerer.pid, SIGKILL);
    waitpid(answerer.pid, NULL, 0);
    return 0;
}

// ---- The one that calls ----

struct caller {
    struct tandem *tandem;
    struct tandem_connection *connection;
    const char *say;
    size_t say_length;
    bool text;
    bool opened, closed, same;
    char email[100];
    struct tandem_error why;
};

static void opened(void *ctx, struct tandem_connection *c, const struct tandem_peer *peer)
{
    struct caller *caller = ctx;
    assert_ptr_equal(tandem_user(c), caller);
    assert_string_equal(peer->key, answerer.key);
    assert_false(caller->opened);
    caller->opened = true;
    snprintf(caller->email, sizeof caller->email, "%s", peer->email);
    assert_true(tandem_send(c, caller->text, caller->say, caller->say_length));
}

static void answered(void *ctx, struct tandem_connection *c, bool text, const char *bytes, size_t length)
{
    struct caller *caller = ctx;
    caller->same = text == caller->text && length == caller->say_length && memcmp(bytes, caller->say, length) == 0;
    tandem_close(c, NULL);
}

static void closed(void *ctx, struct tandem_connection *c, const struct tandem_error *why)
{
    struct caller *caller = ctx;
    assert_ptr_equal(c, caller->connection);
    assert_false(caller->closed);
    caller->closed = true;
    caller->why = *why;
    tandem_stop(caller->tandem);
}

static struct tandem_options options_of(struct caller *caller)
{
    return (struct tandem_options){
        .email = "caller@example.org",
        .instance = "test",
        .group = "test",
        .callbacks = {.opened = opened, .message = answered, .closed = closed},
        .ctx = caller,
    };
}

static void call_with(struct caller *caller, const struct tandem_options *options, const char *url, const char *key)
{
    caller->tandem = tandem_create(options, &caller->why);
    assert_non_null(caller->tandem);
    caller->connection = tandem_open(caller->tandem, url, key, caller, &caller->why);
    assert_non_null(caller->connection);
    assert_int_equal(tandem_queued(caller->connection), 0);
    assert_false(tandem_send(caller->connection, true, "early", 5));
    tandem_run(caller->tandem);
    tandem_destroy(caller->tandem);
    assert_true(caller->closed);
}

static void call(struct caller *caller, bool text, const char *say, size_t length)
{
    caller->say = say;
    caller->say_length = length;
    caller->text = text;
    struct tandem_options options = options_of(caller);
    call_with(caller, &options, answerer.url, answerer.key);
}

// ---- Tests ----

static void messages_of_every_size_come_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65536, TANDEM_MESSAGE_MAX};
    char *bytes = malloc(TANDEM_MESSAGE_MAX);
    for (size_t i = 0; i < TANDEM_MESSAGE_MAX; i++)
        bytes[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct caller caller = {0};
        call(&caller, i % 2 == 0, bytes, sizes[i / 2]);
        assert_true(caller.opened && caller.same);
        assert_string_equal(caller.email, "answerer@example.org");
        assert_string_equal(caller.why.code, "CLOSED");
    }
    free(bytes);
}

static void the_end_has_its_reason(void **state)
{
    (void)state;
    struct caller caller = {0};
    call(&caller, true, "bye", 3);
    assert_string_equal(caller.why.code, "PEER-CLOSED");
    assert_string_equal(caller.why.message, "as you like");
}

static void who_is_not_admitted_is_sent_away(void **state)
{
    (void)state;
    struct caller caller = {0};
    struct tandem_options options = options_of(&caller);
    options.email = "mallory@example.org";
    caller.say = "";
    call_with(&caller, &options, answerer.url, answerer.key);
    assert_string_equal(caller.why.code, "PEER-CLOSED");
    assert_non_null(strstr(caller.why.message, "You are not expected here"));
}

static void another_key_is_not_reached(void **state)
{
    (void)state;
    struct caller caller = {0};
    struct tandem_options options = options_of(&caller);
    char key[TANDEM_KEY_LENGTH + 1];
    memset(key, '5', sizeof key - 1);
    key[TANDEM_KEY_LENGTH] = '\0';
    call_with(&caller, &options, answerer.url, key);
    assert_false(caller.opened);
    assert_string_equal(caller.why.code, "PEER-CLOSED");
}

static void another_group_is_not_served(void **state)
{
    (void)state;
    struct caller caller = {0};
    struct tandem_options options = options_of(&caller);
    options.group = "chess";
    call_with(&caller, &options, answerer.url, answerer.key);
    assert_false(caller.opened);
    assert_non_null(strstr(caller.why.message, "chess not supported"));
}

static void nobody_there(void **state)
{
    (void)state;
    struct caller caller = {0};
    struct tandem_options options = options_of(&caller);
    call_with(&caller, &options, "ws://127.0.0.1:1", answerer.key);
    assert_string_equal(caller.why.code, "UNREACHABLE");
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct caller caller = {0};
    struct tandem_error e;
    struct tandem_options options = options_of(&caller);
    struct tandem *t = tandem_create(&options, &e);
    assert_null(tandem_open(t, "ws://localhost:1", "5", NULL, &e));
    assert_string_equal(e.code, "BAD-KEY");
    assert_null(tandem_open(t, "http://localhost", answerer.key, NULL, &e));
    assert_string_equal(e.code, "BAD-URL");
    assert_false(tandem_listen(t, "localhost", &e));
    assert_string_equal(e.code, "BAD-ADDRESS");
    assert_null(tandem_url(t));
    caller.tandem = t;
    caller.connection = tandem_open(t, answerer.url, answerer.key, NULL, &e);
    tandem_destroy(t); // tells of what was being dialled
    assert_string_equal(caller.why.code, "CLOSED");
    for (const char *const *group = (const char *const[]){"", "chum", "\xff", NULL}; *group != NULL; group++) {
        options.group = *group;
        assert_null(tandem_create(&options, &e));
        assert_string_equal(e.code, "BAD-NAME");
    }
    options.group = "test";
    options.email = "";
    assert_null(tandem_create(&options, &e));
    assert_string_equal(e.code, "BAD-NAME");
}

static void an_identity_is_kept(void **state)
{
    (void)state;
    char folder[] = "/tmp/tandem-library-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char file[100], keys[2][TANDEM_KEY_LENGTH + 1];
    snprintf(file, sizeof file, "%s/identity", folder);
    struct tandem_options options = options_of(NULL);
    options.identity = file;
    struct tandem_error e;
    for (size_t i = 0; i < 2; i++) {
        struct tandem *t = tandem_create(&options, NULL);
        memcpy(keys[i], tandem_key(t), sizeof keys[i]);
        tandem_destroy(t);
    }
    assert_string_equal(keys[0], keys[1]);
    struct stat status;
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(truncate(file, 20), 0);
    assert_null(tandem_create(&options, &e));
    assert_string_equal(e.code, "BAD-IDENTITY");
    unlink(file);
    rmdir(folder);
}

struct pipe_end {
    struct tandem *tandem;
    int fd, out;
    char got;
    bool called;
};

static bool readable(void *arg)
{
    struct pipe_end *end = arg;
    bool went_on = read(end->fd, &end->got, 1) == 1;
    tandem_stop(end->tandem);
    return went_on && end->got != '.';
}

static void called(void *arg)
{
    struct pipe_end *end = arg;
    end->called = true;
    assert_int_equal(write(end->out, "x", 1), 1);
}

static void descriptors_and_calls_are_served(void **state)
{
    (void)state;
    struct tandem_options options = options_of(NULL);
    struct tandem *t = tandem_create(&options, NULL);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct pipe_end end = {.tandem = t, .fd = ends[0], .out = ends[1]};
    assert_true(tandem_watch(t, ends[0], readable, &end, NULL));
    tandem_call(t, called, &end);
    tandem_run(t);
    assert_true(end.called && end.got == 'x');
    assert_int_equal(write(ends[1], ".", 1), 1);
    tandem_run(t);
    assert_int_equal(end.got, '.');
    tandem_destroy(t);
    close(ends[0]);
    close(ends[1]);
    struct tandem_error e;
    t = tandem_create(&options, NULL);
    assert_false(tandem_watch(t, -1, readable, &end, &e));
    tandem_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_every_size_come_back), cmocka_unit_test(the_end_has_its_reason),
        cmocka_unit_test(who_is_not_admitted_is_sent_away), cmocka_unit_test(another_key_is_not_reached),
        cmocka_unit_test(another_group_is_not_served),      cmocka_unit_test(nobody_there),
        cmocka_unit_test(what_cannot_be_is_refused),        cmocka_unit_test(an_identity_is_kept),
        cmocka_unit_test(descriptors_and_calls_are_served),
    };
    return cmocka_run_group_tests(tests, begin_answerer, end_answerer);
}
