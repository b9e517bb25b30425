#include "base/address.h"
#include "tests/unit/cmocka_all.h"

static void urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *path;
        bool tls;
        uint16_t port;
    } good[] = {
        {"ws://localhost:8765", "localhost", "/", false, 8765},
        {"ws://127.0.0.1", "127.0.0.1", "/", false, 80},
        {"WSS://comm.example.org/a?b=c#d", "comm.example.org", "/a?b=c", true, 443},
        {"wss://h:1?x", "h", "/?x", true, 1},
        {"ws://[::1]:65535/", "::1", "/", false, 65535},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct ws_url u;
        struct error e = {0};
        assert_int_equal(ws_url_parse(good[i].text, &u, &e), STATUS_OK);
        assert_string_equal(u.host, good[i].host);
        assert_string_equal(u.path, good[i].path);
        assert_int_equal(u.port, good[i].port);
        assert_int_equal(u.tls, good[i].tls);
    }
}

static void hosts_and_origins_are_nothing_else(void **state)
{
    (void)state;
    static const char *const hosts[] = {"home.example.org", "HOME", "192.0.2.7", "2001:db8::1", "a_b-c"};
    static const char *const no_hosts[] = {"",
                                           "*",
                                           "http://home",
                                           "home:8765",
                                           "[::1]",
                                           "home/",
                                           "a..b",
                                           ".home",
                                           "-home",
                                           "home-.org",
                                           "me@home",
                                           "h\xc3\xb6me",
                                           "1234567890123456789012345678901234567890123456789012345678901234"};
    static const char *const origins[] = {"https://lama.example", "http://[::1]:80", "app://lama", "NULL",
                                          "moz-extension://1-2"};
    static const char *const no_origins[] = {
        "",        "lama.example",    "https://",       "https://lama.example/", "https://*",
        "://lama", "https://me@lama", "https://lama:0", "https://lama?a"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        assert_true(address_is_host(hosts[i]));
    for (size_t i = 0; i < sizeof no_hosts / sizeof *no_hosts; i++)
        assert_false(address_is_host(no_hosts[i]));
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        assert_true(address_is_origin(origins[i]));
    for (size_t i = 0; i < sizeof no_origins / sizeof *no_origins; i++)
        assert_false(address_is_origin(no_origins[i]));
}

static void malformed_urls_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "http://a",
                                      "ws://",
                                      "ws:///x",
                                      "ws://:80",
                                      "ws://a:0",
                                      "ws://a:65536",
                                      "ws://a:8x",
                                      "ws://a:",
                                      "ws://[::1",
                                      "ws://[x]:1",
                                      "ws://a b",
                                      "ws://u@h:1",
                                      "ws://::1:80",
                                      "ws://a/\r\nHost: b",
                                      "ws://a/\xff",
                                      "ws://[::1]x",
                                      "ws://[1.2.3.4]:1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ws_url u;
        struct error e = {0};
        assert_int_equal(ws_url_parse(bad[i], &u, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-URL");
    }
}

static void listen_addresses_need_a_port(void **state)
{
    (void)state;
    struct listen_address a;
    struct error e = {0};
    assert_int_equal(listen_address_parse("localhost:0", &a, &e), STATUS_OK);
    assert_string_equal(a.host, "localhost");
    assert_int_equal(a.port, 0);
    assert_int_equal(listen_address_parse("[::]:8000", &a, &e), STATUS_OK);
    assert_string_equal(a.host, "::");
    static const char *const bad[] = {"", "localhost", "8765", ":8765", "a:b", "::1:8765", "a:99999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(listen_address_parse(bad[i], &a, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-ADDRESS");
    }
}

static void authorities_are_written_as_browsers_do(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        uint16_t port;
        const char *authority;
    } cases[] = {
        {"127.0.0.1", 8000, "127.0.0.1:8000"},
        {"127.0.0.1", 80, "127.0.0.1"},
        {"LocalHost", 8000, "localhost:8000"},
        {"LOCALHOST", 80, "localhost"},
        {"::1", 443, "[::1]:443"},
        {"0:0:0:0:0:0:0:1", 8000, "[::1]:8000"},
        {"0000::0001", 80, "[::1]"},
        {"FD00::00AB", 8000, "[fd00::ab]:8000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        address_write_authority(cases[i].host, cases[i].port, &out);
        assert_string_equal(buf_cstr(&out), cases[i].authority);
        buf_free(&out);
    }
}

static void whom_an_address_reaches(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        enum address_reach reach;
    } cases[] = {
        {"localhost", ADDRESS_MACHINE},   {"127.0.0.1", ADDRESS_MACHINE},        {"127.9.9.9", ADDRESS_MACHINE},
        {"::1", ADDRESS_MACHINE},         {"::ffff:127.0.0.1", ADDRESS_MACHINE}, {"10.1.2.3", ADDRESS_NETWORK},
        {"172.16.0.1", ADDRESS_NETWORK},  {"172.32.0.1", ADDRESS_WORLD},         {"192.168.1.2", ADDRESS_NETWORK},
        {"169.254.1.1", ADDRESS_NETWORK}, {"100.64.0.1", ADDRESS_NETWORK},       {"0.0.0.0", ADDRESS_NETWORK},
        {"::", ADDRESS_NETWORK},          {"fd00::1", ADDRESS_NETWORK},          {"fe80::1", ADDRESS_NETWORK},
        {"8.8.8.8", ADDRESS_WORLD},       {"2001:db8::1", ADDRESS_WORLD},        {"home.example.org", ADDRESS_NAME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (address_reach(cases[i].host) != cases[i].reach)
            fail_msg("%s", cases[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_an_address_reaches),    cmocka_unit_test(authorities_are_written_as_browsers_do),
        cmocka_unit_test(urls_are_taken_apart),       cmocka_unit_test(hosts_and_origins_are_nothing_else),
        cmocka_unit_test(malformed_urls_are_refused), cmocka_unit_test(listen_addresses_need_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
