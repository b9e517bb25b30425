// Invitations in every form, and what is none.
#include "ipc/invitation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/cmocka_all.h"

#define KEY "2ad3be3fbe9b6fcb7fc85d48bf67a3b53f1875c0d43bd34c505854c3d0ca6a47"
#define JSON "{\"token\":\"ER1c_-\",\"publicKey\":\"" KEY "\",\"url\":\"ws://127.0.0.1:18811\"}"
#define ENCODED                                                                                                        \
    "%7B%22token%22%3A%22ER1c_-%22%2C%22publicKey%22%3A%22" KEY                                                        \
    "%22%2C%22url%22%3A%22ws%3A%2F%2F127.0.0.1%3A18811%22%7D"

static void assert_reads(const char *text, bool own_device)
{
    struct invitation i;
    struct error e;
    assert_int_equal(invitation_parse(span_of(text), &i, &e), STATUS_OK);
    assert_string_equal(i.token, "ER1c_-");
    assert_string_equal(i.url, "ws://127.0.0.1:18811");
    assert_int_equal(i.public_key.b[0], 0x2a);
    assert_int_equal(i.own_device, own_device);
    invitation_free(&i);
}

static void every_form_is_read(void **state)
{
    (void)state;
    assert_reads(JSON, false);
    assert_reads("  " JSON "\n", false);
    assert_reads("{\"url\":\"ws://127.0.0.1:18811\",\"publicKey\":\"" KEY "\",\"token\":\"ER1c_-\"}", false);
    assert_reads("https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#" ENCODED, false);
    assert_reads("https://edda.refinio.one/invites/inviteDevice/?invited=true/#" ENCODED "\n", true);
    assert_reads("anything#" ENCODED, false);
    assert_reads("#" JSON, false);
}

static void further_members_are_ignored_in_what_people_paste(void **state)
{
    (void)state;
    assert_reads("{\"token\":\"ER1c_-\",\"more\":[{}],\"publicKey\":\"" KEY "\",\"url\":\"ws://127.0.0.1:18811\"}",
                 false);
    assert_reads("https://x/#%7b%22token%22:%22ER1c_-%22,%22publicKey%22:%22" KEY
                 "%22,%22url%22:%22ws://127.0.0.1:18811%22,%22more%22:1%7d",
                 false);
}

static void an_object_has_exactly_three_members(void **state)
{
    (void)state;
    struct invitation i;
    struct error e;
    json_t *object = json_pack("{s:s, s:s, s:s}", "url", "wss://h", "publicKey", KEY, "token", "t");
    assert_int_equal(invitation_read(object, &i, &e), STATUS_OK);
    assert_string_equal(i.url, "wss://h");
    invitation_free(&i);
    json_object_set_new(object, "more", json_true());
    assert_int_equal(invitation_read(object, &i, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-INVITATION");
    assert_int_equal(invitation_read(NULL, &i, &e), STATUS_INVALID);
    assert_null(i.token);
    json_decref(object);
}

static void what_is_no_invitation_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "  ",
        "hello",
        "{}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\"}",
        "{\"token\":\"t\",\"token\":\"u\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"",
        "[]#[]",
        "{\"token\":5,\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"a\\tb\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"a\\u0000\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"2ad3\",\"url\":\"ws://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"http://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\\nHost: x\"}",
        "https://edda.dev.refinio.one/invites/invitePartner/?invited=true/",
        "x#%7",
        "x#%zz",
        "x#",
        "x#{\"token\":[[[[[[]]]]]]}",
    };
    struct invitation i;
    struct error e;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        assert_int_equal(invitation_parse(span_of(bad[k]), &i, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-INVITATION");
        assert_null(i.token);
    }
    assert_int_equal(invitation_parse(SPAN("x#%ff%fe"), &i, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-TEXT");
    char *big = mem_alloc(100001);
    memset(big, '{', 100000);
    assert_int_equal(invitation_parse(span_of(big), &i, &e), STATUS_INVALID);
    free(big);
}

// ---- Bent on the way ----

#define FENCED "Here it is:\n\n```json\n" JSON "\n```\nBye (until 15:00)."

static void what_people_paste_is_read(void **state)
{
    (void)state;
    static const char *const pasted[] = {
        "\xEF\xBB\xBF" JSON,
        JSON "\xE2\x80\x8B",
        "\xC2\xA0" JSON "\xC2\xA0\xE3\x80\x80",
        "`" JSON "`",
        FENCED,
        "<https://x/#" ENCODED ">",
        "https://x/#" ENCODED ".",
        "(https://x/#" ENCODED "),",
        "[https://x/#" ENCODED "](https://x/#" ENCODED ")",
        "<a href=\"https://x/invites/?invited=true&amp;x=1#" ENCODED "\">https://x/#" ENCODED "</a>",
        ENCODED,
        "Use 100% of this: " ENCODED " (5% ab off)",
        "{'token':'ER1c_-','publicKey':'" KEY "','url':'ws://127.0.0.1:18811'}",
        "{\\\"token\\\":\\\"ER1c_-\\\",\\\"publicKey\\\":\\\"" KEY "\\\",\\\"url\\\":\\\"ws://127.0.0.1:18811\\\"}",
        "{\"token\":\"ER1c\\_\\-\",\"publicKey\":\"" KEY "\",\"url\":\"ws:\\/\\/127.0.0.1:18811\"}",
        "{\"token\":\"ER1c_-\",\"publicKey\":\"" KEY "\",\"url\":\"WS://127.0.0.1:18811\"}",
        "{\"token\":\"ER1c_-\",\"publicKey\":\"" KEY "\",\"url\":\"<ws://127.0.0.1:18811|ws://127.0.0.1:18811>\"}",
        "{\"token\":\"ER1c_-\",\"publicKey\":\"" KEY "\",\"url\":\"[ws://127.0.0.1:18811](ws://127.0.0.1:18811)\"}",
        "{} {\"a\":1} " JSON " {",
        "Gr\xFC\xDF"
        "e: " JSON, // from a mail in Latin-1
    };
    for (size_t k = 0; k < sizeof pasted / sizeof pasted[0]; k++) {
        assert_reads(pasted[k], false);
    }
    assert_reads("\xE2\x80\x9C"
                 "https://edda.refinio.one/invites/inviteDevice/?invited=true/#" ENCODED "\xE2\x80\x9D",
                 true);
}

static void fold(struct span s, const char *end, const char *beginning, struct buf *out)
{
    for (size_t column = 0; s.len != 0; s = span_from(s, 1)) {
        if (column == 76 || s.ptr[0] == '\n') {
            buf_add_text(out, end);
            buf_add_text(out, beginning);
            column = 0;
        }
        if (s.ptr[0] == '\n')
            continue;
        buf_add_char(out, s.ptr[0]);
        column++;
    }
}

static void lines(struct span s, struct buf *out)
{
    fold(s, "\n", "", out);
}

static void mail_lines(struct span s, struct buf *out)
{
    fold(s, "\r\n", "", out);
}

static void quoted(struct span s, struct buf *out)
{
    buf_add_text(out, "On Monday Ann wrote:\n> ");
    fold(s, "\n", "> ", out);
}

static void shell_lines(struct span s, struct buf *out)
{
    fold(s, "\\\n", "", out);
}

static void quoted_printable(struct span s, struct buf *out)
{
    struct buf encoded = {0};
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80 || s.ptr[i] == '=' || s.ptr[i] == '"')
            buf_printf(&encoded, "=%02X", (uint8_t)s.ptr[i]);
        else
            buf_add_char(&encoded, s.ptr[i]);
    fold(buf_span(&encoded), "=\r\n", "", out);
    buf_free(&encoded);
}

static void percents(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr("{}\":,/%#\n\r <>&;=`'\\", s.ptr[i]) != NULL || (uint8_t)s.ptr[i] >= 0x7f)
            buf_printf(out, "%%%02X", (uint8_t)s.ptr[i]);
        else
            buf_add_char(out, s.ptr[i]);
}

static void replace(struct span s, const char *what, const char *const *by, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        const char *found = strchr(what, s.ptr[i]);
        if (found != NULL)
            buf_add_text(out, by[found - what]);
        else
            buf_add_char(out, s.ptr[i]);
    }
}

static void html(struct span s, struct buf *out)
{
    static const char *const by[] = {"&quot;", "&amp;", "&#39;", "&#x7b;"};
    replace(s, "\"&'{", by, out);
}

static void typographic(struct span s, struct buf *out)
{
    static const char *const by[] = {"\xE2\x80\x9D", "\xE2\x80\x99"};
    replace(s, "\"'", by, out);
}

static void invisible(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        if (i % 20 == 7 && (uint8_t)s.ptr[i] < 0x80)
            buf_add_text(out, "\xE2\x80\x8B");
        buf_add_char(out, s.ptr[i]);
    }
}

static void coloured(struct span s, struct buf *out)
{
    buf_printf(out, "\x1B[1;32m" SPAN_FMT "\x1B[0m\n", SPAN_ARG(s));
}

static void marked(struct span s, struct buf *out)
{
    buf_printf(out, "\xEF\xBB\xBF" SPAN_FMT "\xE2\x80\x8F", SPAN_ARG(s));
}

static void embraced(struct span s, struct buf *out)
{
    buf_printf(out, "see <" SPAN_FMT ">.", SPAN_ARG(s));
}

static void in_base64(struct span s, struct buf *out)
{
    base64_encode(s.ptr, s.len, out);
}

static void in_base64url(struct span s, struct buf *out)
{
    base64_encode(s.ptr, s.len, out);
    while (out->len != 0 && out->data[out->len - 1] == '=')
        out->len--;
    for (size_t i = 0; i < out->len; i++)
        out->data[i] = out->data[i] == '+' ? '-' : out->data[i] == '/' ? '_' : out->data[i];
}

static void utf16(struct span s, struct buf *out)
{
    buf_add(out, "\xFF\xFE", 2);
    for (size_t i = 0, n = 1; i < s.len; i += n) {
        const uint8_t *p = (const uint8_t *)s.ptr + i;
        n = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : 3;
        unsigned c = p[0];
        if (n == 2)
            c = (p[0] & 0x1FU) << 6 | (p[1] & 0x3FU);
        if (n == 3)
            c = (p[0] & 0x0FU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
        buf_add_char(out, (char)(c & 0xFF));
        buf_add_char(out, (char)(c >> 8));
    }
}

static void assert_bent_is_read(struct span text)
{
    struct invitation i;
    struct error e = {0};
    if (invitation_parse(text, &i, &e) != STATUS_OK)
        fail_msg("%s: " SPAN_FMT, e.message, SPAN_ARG(text));
    assert_string_equal(i.token, "ER1c_-");
    assert_string_equal(i.url, "ws://127.0.0.1:18811");
    invitation_free(&i);
}

// Whatever one of them made of it may come to another one.
static void every_two_bends_are_undone(void **state)
{
    (void)state;
    static void (*const bends[])(struct span s, struct buf * out) = {
        shell_lines, lines,     mail_lines, quoted, quoted_printable, percents, html,
        typographic, invisible, coloured,   marked, embraced,         utf16, // the first one comes first, the last one
                                                                             // last
    };
    static void (*const whole[])(struct span s, struct buf * out) = {in_base64, in_base64url, NULL};
    static const struct span forms[] = {{JSON, sizeof JSON - 1},
                                        {"https://x/#" ENCODED, sizeof "https://x/#" ENCODED - 1}};
    for (size_t form = 0; form < 4; form++) {
        struct buf begun = {0};
        if (form < 2)
            whole[form](forms[0], &begun);
        else
            buf_add_span(&begun, forms[form - 2]);
        for (size_t a = 0; a + 1 < sizeof bends / sizeof bends[0]; a++) {
            for (size_t b = 1; b < sizeof bends / sizeof bends[0]; b++) {
                struct buf once = {0}, twice = {0};
                if (a == b)
                    continue;
                bends[a](buf_span(&begun), &once);
                bends[b](buf_span(&once), &twice);
                assert_bent_is_read(buf_span(&twice));
                buf_free(&once);
                buf_free(&twice);
            }
        }
        buf_free(&begun);
    }
}

static void what_cannot_be_read_is_said_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "is empty"},
        {"tandem invite", "there is neither"},
        {"https://edda.dev.refinio.one/invites/invitePartner/?invited=true/", "there is neither"},
        {"{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws", "its end is missing"},
        {"https://x/#%7B%22token%22%3A%22ER1c_-%22%2C%22publicKey%22%3A%22" KEY "%22%2C%22u", "its end is missing"},
        {"eyJ0b2tlbiI6IkVSMWNfLSIsInB1Ymxp", "its end is missing"},
        {"{token:t,publicKey:" KEY ",url:ws://h}", "lost its quotes"},
        {"{\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}", "has no token"},
        {"{\"token\":\"t\",\"url\":\"ws://h\"}", "has no publicKey"},
        {"{\"token\":\"t\",\"publicKey\":\"" KEY "\"}", "has no url"},
        {"{\"token\":5,\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}", "token is empty, or no text"},
        {"{\"token\":\"t\",\"token\":\"u\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}", "a member twice"},
        {"{\"token\":\"ER\u2026-\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}", "its token was shortened"},
        {"{\"token\":\"ab\u00E4\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}", "character 3 of its token"},
        {"{\"token\":\"t\",\"publicKey\":\"2ad3\",\"url\":\"ws://h\"}", "publicKey has 4 characters instead of 64"},
        {"{\"token\":\"t\",\"publicKey\":\"x" KEY "\",\"url\":\"ws://h\"}", "publicKey has 65 characters"},
        {"{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"http://h\"}", "no ws:// or wss:// address"},
    };
    struct invitation i;
    struct error e;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        assert_int_equal(invitation_parse(span_of(cases[k].text), &i, &e), STATUS_INVALID);
        if (strstr(e.message, cases[k].why) == NULL)
            fail_msg("%s: %s", cases[k].text, e.message);
    }
}

static void links_are_written_as_lama_does(void **state)
{
    (void)state;
    static const struct {
        const char *url, *base;
    } cases[] = {
        {"ws://localhost:8765", "https://edda.dev.refinio.one/"},
        {"wss://comm10.dev.refinio.one", "https://edda.dev.refinio.one/"},
        {"wss://comm10.refinio.one", "https://edda.refinio.one/"},
    };
    for (size_t k = 0; k < 3; k++) {
        char token[] = "a-_.!~*'()", url[64];
        snprintf(url, sizeof url, "%s", cases[k].url);
        struct invitation i = {.token = token, .url = url};
        struct buf link = {0};
        invitation_link(&i, &link);
        assert_true(span_starts_with(buf_span(&link), span_of(cases[k].base)));
        assert_non_null(
            strstr(buf_cstr(&link), "invites/invitePartner/?invited=true/#%7B%22token%22%3A%22a-_.!~*'()%22"));
        struct invitation back;
        assert_int_equal(invitation_parse(buf_span(&link), &back, NULL), STATUS_OK);
        assert_string_equal(back.url, cases[k].url);
        assert_string_equal(back.token, token);
        invitation_free(&back);
        buf_free(&link);
    }
}

static void what_was_read_is_printed(void **state)
{
    (void)state;
    struct invitation i;
    struct buf json = {0};
    assert_int_equal(invitation_parse(SPAN(JSON), &i, NULL), STATUS_OK);
    invitation_print(&i, &json);
    assert_string_equal(buf_cstr(&json), JSON);
    invitation_free(&i);
    buf_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(further_members_are_ignored_in_what_people_paste),
        cmocka_unit_test(an_object_has_exactly_three_members),
        cmocka_unit_test(what_is_no_invitation_is_refused),
        cmocka_unit_test(what_people_paste_is_read),
        cmocka_unit_test(every_two_bends_are_undone),
        cmocka_unit_test(what_cannot_be_read_is_said_exactly),
        cmocka_unit_test(links_are_written_as_lama_does),
        cmocka_unit_test(what_was_read_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
