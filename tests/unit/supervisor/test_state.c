// The state directory, its files and its settings, in a temporary folder.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/config.h"
#include "supervisor/logfile.h"
#include "supervisor/statedir.h"
#include "supervisor/wipe.h"

static char top[64];

static int setup(void **state)
{
    (void)state;
    strcpy(top, "/tmp/tandem-state-XXXXXX");
    return mkdtemp(top) == NULL;
}

static int teardown(void **state)
{
    struct error e = {0};
    (void)state;
    return folder_remove_tree(top, &e) != STATUS_OK;
}

static const char *in_top(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, 256, "%s/%s", top, name);
    return p;
}

static void put(const char *path, const char *text)
{
    struct error e = {0};
    assert_int_equal(file_write(path, span_of(text), 0600, &e), STATUS_OK);
}

static void a_directory_is_locked_by_one(void **state)
{
    (void)state;
    struct error e = {0};
    struct statedir *one;
    struct statedir *two;
    assert_int_equal(statedir_open(in_top("s"), &one, &e), STATUS_OK);
    assert_int_equal(statedir_holder(in_top("s")), getpid());
    assert_int_equal(statedir_open(in_top("s"), &two, &e), STATUS_CONFLICT);
    assert_string_equal(e.code, "ALREADY-RUNNING");
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_non_null(strstr(e.message, pid));
    statedir_close(one);
    assert_int_equal(statedir_holder(in_top("s")), 0);
    assert_int_equal(statedir_open(in_top("s"), &two, &e), STATUS_OK); // a left lock file is no lock
    statedir_close(two);
}

static void a_newer_format_is_left_alone(void **state)
{
    (void)state;
    struct error e = {0};
    struct statedir *d;
    assert_int_equal(folder_create(in_top("s"), 0700, &e), STATUS_OK);
    put(in_top("s/format"), "{\"tandem\":2}");
    assert_int_equal(statedir_open(in_top("s"), &d, &e), STATUS_CONFLICT);
    assert_string_equal(e.code, "STATE-TOO-NEW");
    assert_false(file_exists(in_top("s/lock")));
    put(in_top("s/format"), "rubbish");
    assert_int_equal(statedir_open(in_top("s"), &d, &e), STATUS_CORRUPT);
}

static void an_open_directory_is_closed_to_others(void **state)
{
    (void)state;
    struct error e = {0};
    struct statedir *d;
    struct stat st;
    assert_int_equal(mkdir(in_top("s"), 0755), 0);
    assert_int_equal(statedir_open(in_top("s"), &d, &e), STATUS_OK);
    assert_int_equal(stat(in_top("s"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    statedir_close(d);
}

static void sockets_move_when_the_path_is_long(void **state)
{
    (void)state;
    char path[200];
    unsetenv("XDG_RUNTIME_DIR");
    memset(path, 'x', sizeof path);
    path[0] = '/';
    for (size_t len = 60; len < 150; len += 10) {
        path[len] = '\0';
        char *dir = statedir_socket_dir(path);
        assert_true(strlen(dir) + strlen("/archive.file.sock") <= SOCKET_PATH_MAX);
        assert_int_equal(strncmp(dir, "/tmp/tandem-", 12) == 0,
                         len + strlen("/run/archive.file.sock") > SOCKET_PATH_MAX);
        free(dir);
        path[len] = 'x';
    }
}

// Somebody else may have made the folder in /tmp, or a link in its place.
static void a_short_folder_is_never_somebody_elses(void **state)
{
    (void)state;
    struct error e = {0};
    struct statedir *d = NULL;
    char above[] = "/tmp/tandem-test-long-XXXXXX";
    char path[160];
    char elsewhere[64];
    assert_non_null(mkdtemp(above));
    snprintf(path, sizeof path, "%s/%0100d", above, 0);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", above);
    unsetenv("XDG_RUNTIME_DIR");
    char *sockets = statedir_socket_dir(path);
    assert_int_equal(mkdir(elsewhere, 0755), 0);
    assert_int_equal(symlink(elsewhere, sockets), 0);
    assert_int_equal(statedir_open(path, &d, &e), STATUS_REFUSED);
    struct stat st;
    assert_int_equal(stat(elsewhere, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755); // it was not touched
    unlink(sockets);
    assert_int_equal(mkdir(sockets, 0755), 0); // others may have put something there
    assert_int_equal(statedir_open(path, &d, &e), STATUS_REFUSED);
    rmdir(sockets);
    if (geteuid() == 0) {
        assert_int_equal(mkdir(sockets, 0700), 0);
        assert_int_equal(chown(sockets, 65534, 65534), 0);
        assert_int_equal(statedir_open(path, &d, &e), STATUS_REFUSED);
        rmdir(sockets);
    }
    assert_int_equal(statedir_open(path, &d, &e), STATUS_OK);
    assert_int_equal(lstat(sockets, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    statedir_close(d);
    assert_int_not_equal(lstat(sockets, &st), 0);
    free(sockets);
    // the user's own folder comes first, if it is that
    setenv("XDG_RUNTIME_DIR", elsewhere, 1);
    sockets = statedir_socket_dir(path);
    assert_int_equal(strncmp(sockets, "/tmp/tandem-", 12) == 0 && strstr(sockets, elsewhere) == NULL, true);
    free(sockets);
    chmod(elsewhere, 0700);
    sockets = statedir_socket_dir(path);
    assert_int_equal(strncmp(sockets, elsewhere, strlen(elsewhere)), 0);
    free(sockets);
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(folder_remove_tree(above, &e), STATUS_OK);
}

static void the_directory_is_chosen_in_order(void **state)
{
    (void)state;
    struct error e = {0};
    char *path = NULL;
    setenv("HOME", "/home/joe", 1);
    unsetenv("XDG_STATE_HOME");
    unsetenv("TANDEM_STATE_DIR");
    assert_int_equal(statedir_choose(NULL, &path, &e), STATUS_OK);
    assert_string_equal(path, "/home/joe/.local/state/tandem");
    free(path);
    setenv("XDG_STATE_HOME", "/xdg", 1);
    statedir_choose(NULL, &path, &e);
    assert_string_equal(path, "/xdg/tandem");
    free(path);
    setenv("TANDEM_STATE_DIR", "/env/", 1);
    statedir_choose(NULL, &path, &e);
    assert_string_equal(path, "/env");
    free(path);
    statedir_choose("/flag", &path, &e);
    assert_string_equal(path, "/flag");
    free(path);
    unsetenv("TANDEM_STATE_DIR");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    assert_int_equal(statedir_choose(NULL, &path, &e), STATUS_INVALID);
}

static void settings_have_an_order(void **state)
{
    (void)state;
    struct error e = {0};
    struct config *c = config_create();
    struct listen_address where;
    put(in_top("c"), "[listen]\naddress = [::1]:9000\norigins = http://a, http://b\n[restart]\ndeaths=3\n");
    setenv("TANDEM_RESTART_DEATHS", "4", 1);
    assert_int_equal(config_load(c, in_top("c"), true, &e), STATUS_OK);
    assert_int_equal(config_int(c, "restart.deaths"), 4);
    assert_int_equal(config_listen(c, &where, &e), STATUS_OK);
    assert_string_equal(where.host, "::1");
    assert_int_equal(where.port, 9000);
    assert_int_equal(config_set(c, "listen.address", "none", &e), STATUS_OK);
    assert_int_equal(config_listen(c, &where, &e), STATUS_OK);
    assert_string_equal(where.host, "none");
    assert_int_equal(config_set(c, "restart.deaths", "6", &e), STATUS_OK);
    assert_int_equal(config_int(c, "restart.deaths"), 6);
    json_t *object = config_for_nodes(c);
    assert_int_equal(json_array_size(json_object_get(object, "listen.origins")), 2);
    assert_null(json_object_get(object, "restart.deaths"));
    json_decref(object);
    unsetenv("TANDEM_RESTART_DEATHS");
    config_destroy(c);
}

static void settings_have_kinds(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"peers.pairing", "yes"},          {"peers.no_dial", "sparse both"},  {"sync.interval_ms", "-1"},
        {"sync.interval_ms", ""},          {"peers.invitation_s", "2592001"}, {"log.level", "loud"},
        {"relay.urls", "ws://a http://b"}, {"relay.urls", "wss://"},          {"listen.hosts", "home:8765"},
        {"listen.origins", "https://a/"},  {"relay.listen", "8000"}};
    struct error e = {0};
    struct config *c = config_create();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(config_set(c, bad[i][0], bad[i][1], &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-CONFIG");
    }
    assert_int_equal(config_set(c, "log.levle", "info", &e), STATUS_INVALID);
    assert_non_null(strstr(e.message, "did you mean 'log.level'?"));
    assert_int_equal(config_set(c, "nonsense", "info", &e), STATUS_INVALID);
    assert_non_null(strstr(e.message, "config show"));
    assert_int_equal(config_set(c, "peers.pairing", "false", &e), STATUS_OK);
    assert_int_equal(config_set(c, "peers.no_dial", "sparse, archive", &e), STATUS_OK);
    assert_int_equal(config_set(c, "relay.urls", "ws://a, wss://b:1/c", &e), STATUS_OK);
    json_t *object = config_for_nodes(c);
    assert_true(json_is_false(json_object_get(object, "peers.pairing")));
    assert_true(json_is_true(json_object_get(object, "peers.debug")));
    assert_int_equal(json_integer_value(json_object_get(object, "peers.invitation_s")), 900);
    assert_string_equal(json_string_value(json_array_get(json_object_get(object, "peers.no_dial"), 1)), "archive");
    json_decref(object);
    config_destroy(c);
}

static const char *text_left_out(const struct config *c, size_t i)
{
    return json_string_value(json_array_get(config_left_out(c), i));
}

static void odd_entries_of_a_file_are_left_out(void **state)
{
    (void)state;
    struct error e = {0};
    struct config *c = config_create();
    put(in_top("c"),
        "[listen]\nhosts = home.lan, http://home.lan home:80 ::1\norigins = https://a/, https://b null,\n");
    assert_int_equal(config_load(c, in_top("c"), true, &e), STATUS_OK);
    assert_string_equal(config_text(c, "listen.hosts"), "home.lan ::1");
    assert_string_equal(config_text(c, "listen.origins"), "https://b null");
    assert_int_equal(json_array_size(config_left_out(c)), 3);
    assert_non_null(
        strstr(text_left_out(c, 0), "/c line 2: 'http://home.lan' of listen.hosts is left out; write names"));
    assert_non_null(strstr(text_left_out(c, 1), "'home:80'"));
    assert_non_null(
        strstr(text_left_out(c, 2), "/c line 3: 'https://a/' of listen.origins is left out; write origins"));
    put(in_top("c"), "[listen]\nhosts = [::1]\norigins = a\n");
    assert_int_equal(config_reload(c, in_top("c"), true, &e), STATUS_OK);
    assert_string_equal(config_text(c, "listen.hosts"), "localhost"); // so that a listener on every address opens
    assert_string_equal(config_text(c, "listen.origins"), "");
    assert_int_equal(json_array_size(config_left_out(c)), 2);
    put(in_top("c"), "[listen]\nhosts =\n[relay]\nurls = http://b\n"); // other lists are as strict as ever
    assert_int_equal(config_reload(c, in_top("c"), true, &e), STATUS_INVALID);
    assert_int_equal(json_array_size(config_left_out(c)), 2);
    put(in_top("c"), "[listen]\nhosts =\n");
    assert_int_equal(config_reload(c, in_top("c"), true, &e), STATUS_OK);
    assert_string_equal(config_text(c, "listen.hosts"), "");
    assert_int_equal(json_array_size(config_left_out(c)), 0);
    setenv("TANDEM_LISTEN_HOSTS", "home:80", 1);
    assert_int_equal(config_reload(c, in_top("c"), true, &e), STATUS_INVALID);
    unsetenv("TANDEM_LISTEN_HOSTS");
    config_destroy(c);
}

static void a_public_url_is_what_others_dial(void **state)
{
    (void)state;
    static const char *const good[] = {"wss://home.example.org", "ws://192.0.2.7:8765", "wss://[2001:db8::1]/tandem?a",
                                       ""};
    static const char *const bad[] = {
        "home.example.org",      "https://home.example.org",  "WSS://home.example.org", "wss://",
        "wss://home:0",          "wss://me@home.example.org", "wss://home/ a",          "wss://home/#a",
        "wss://home wss://other"};
    char longest[ADDRESS_URL_MAX + 2] = "wss://home/";
    struct error e = {0};
    struct config *c = config_create();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(config_set(c, "listen.public_url", bad[i], &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-CONFIG");
        assert_non_null(strstr(e.message, "such as wss://home.example.org"));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(config_set(c, "listen.public_url", good[i], &e), STATUS_OK);
    memset(longest + strlen(longest), 'a', ADDRESS_URL_MAX + 1 - strlen(longest));
    assert_int_equal(config_set(c, "listen.public_url", longest, &e), STATUS_INVALID);
    longest[ADDRESS_URL_MAX] = '\0';
    assert_int_equal(config_set(c, "listen.public_url", longest, &e), STATUS_OK);
    json_t *object = config_for_nodes(c);
    assert_string_equal(json_string_value(json_object_get(object, "listen.public_url")), longest);
    json_decref(object);
    config_destroy(c);
}

static void bad_listen_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "8765", ":8765", "host:", "host:x", "host:70000", "[]:1", "::1:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error e = {0};
        struct listen_address where;
        struct config *c = config_create();
        config_set(c, "listen.address", bad[i], &e);
        assert_int_equal(config_listen(c, &where, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-CONFIG");
        config_destroy(c);
    }
}

static void logs_are_rotated(void **state)
{
    (void)state;
    struct error e = {0};
    struct stat st;
    struct logfile *l = logfile_open(in_top("x.log"), &e);
    assert_non_null(l);
    char *chunk = mem_alloc(1 << 20);
    memset(chunk, 'x', 1 << 20);
    for (int i = 0; i < 65; i++)
        logfile_write(l, (struct span){chunk, 1 << 20});
    free(chunk);
    assert_int_equal(stat(in_top("x.log"), &st), 0);
    assert_true(st.st_size < LOGFILE_BYTES);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(file_exists(in_top("x.log.4")));
    assert_false(file_exists(in_top("x.log.5")));
    logfile_close(l);
}

static void wiping_leaves_two_empty_stores(void **state)
{
    (void)state;
    struct error e = {0};
    struct statedir *d;
    assert_int_equal(statedir_open(in_top("s"), &d, &e), STATUS_OK);
    statedir_close(d);
    put(in_top("s/keys.json"), "{}");
    put(in_top("s/archive/db"), "x");
    put(in_top("s/wiping"), "");
    assert_int_equal(folder_create(in_top("s/wiped-sparse/old"), 0700, &e), STATUS_OK); // of an interrupted one
    assert_true(wipe_is_unfinished(in_top("s")));
    assert_int_equal(wipe_run(in_top("s"), &e), STATUS_OK);
    assert_false(wipe_is_unfinished(in_top("s")));
    assert_false(file_exists(in_top("s/keys.json")));
    assert_false(file_exists(in_top("s/wiped-sparse")));
    assert_true(file_exists(in_top("s/archive")) && rmdir(in_top("s/archive")) == 0);
    assert_true(file_exists(in_top("s/format")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_directory_is_locked_by_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_format_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(an_open_directory_is_closed_to_others, setup, teardown),
        cmocka_unit_test(sockets_move_when_the_path_is_long),
        cmocka_unit_test(a_short_folder_is_never_somebody_elses),
        cmocka_unit_test(the_directory_is_chosen_in_order),
        cmocka_unit_test_setup_teardown(settings_have_an_order, setup, teardown),
        cmocka_unit_test(settings_have_kinds),
        cmocka_unit_test_setup_teardown(odd_entries_of_a_file_are_left_out, setup, teardown),
        cmocka_unit_test(a_public_url_is_what_others_dial),
        cmocka_unit_test(bad_listen_addresses_are_refused),
        cmocka_unit_test_setup_teardown(logs_are_rotated, setup, teardown),
        cmocka_unit_test_setup_teardown(wiping_leaves_two_empty_stores, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
