// Packed batches: what is packed is unpacked, what does not pay stays, and what is none takes neither memory nor
// effect.
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "../cmocka_all.h"
#include "base/hash.h"
#include "chum/pack.h"
#include "crypto/sha256.h"

enum { MANY = 70000 };

#define HEAD "7 1 end\n"

static struct buf bytes_of(size_t len, char c)
{
    struct buf b = {0};
    if (len != 0)
        memset(buf_reserve(&b, len), c, len);
    b.len = len;
    return b;
}

static struct buf with_head(struct span rest)
{
    struct buf b = {0};
    buf_add_text(&b, HEAD);
    buf_add_span(&b, rest);
    return b;
}

static struct buf packed(struct span items)
{
    struct buf b = with_head((struct span){0});
    assert_true(chum_pack(items, &b));
    return b;
}

static struct buf noise(size_t len)
{
    struct buf b = {0};
    for (uint32_t i = 0; b.len < len; i++) {
        const struct hash h = sha256((struct span){(const char *)&i, sizeof i});
        buf_add(&b, h.b, sizeof h.b);
    }
    b.len = len;
    return b;
}

static const char *hash_number(uint32_t number)
{
    static struct hash_text text;
    const struct hash h = sha256((struct span){(const char *)&number, sizeof number});
    text = hash_text(&h);
    return text.s;
}

// The first objects of a message, as a feed gives them.
static struct buf message(void)
{
    struct buf b = {0};
    buf_printf(&b, "R 202\n{\"type\":\"version_node\",\"node\":\"%s\",", hash_number(1));
    buf_printf(&b, "\"dataIdHash\":\"%s\",\"dataType\":\"ChannelInfo\"}\n", hash_number(2));
    buf_printf(&b, "O %s 203\n<div itemscope itemtype=\"//refin.io/ChatMessage\"><span itemprop=\"text\">",
               hash_number(3));
    buf_printf(&b, "good morning</span><a itemprop=\"sender\" data-type=\"id\">%s</a></div>\n", hash_number(4));
    buf_printf(&b, "O %s 206\n<div itemscope itemtype=\"//refin.io/CreationTime\">", hash_number(5));
    buf_printf(&b, "<span itemprop=\"timestamp\">1796125868992</span><a itemprop=\"data\" data-type=\"obj\">");
    buf_printf(&b, "%s</a></div>\n", hash_number(3));
    buf_printf(&b, "O %s 243\n<div itemscope itemtype=\"//refin.io/VersionNodeEdge\">", hash_number(1));
    buf_printf(&b, "<a itemprop=\"data\" data-type=\"obj\">%s</a><span itemprop=\"depth\">0</span>", hash_number(5));
    buf_printf(&b, "<span itemprop=\"creationTime\">1796125868992</span></div>\nE\n");
    return b;
}

static void comes_back(struct span items)
{
    struct buf plain = with_head(items);
    struct buf b = packed(items);
    assert_int_equal(chum_packed_items(buf_span(&b)), items.len);
    assert_true(b.len - (sizeof HEAD - 1) <= items.len - items.len / CHUM_PACK_PAYS);
    assert_int_equal(chum_unpack(&b, NULL), STATUS_OK);
    assert_true(span_eq(buf_span(&b), buf_span(&plain)));
    assert_int_equal(chum_packed_items(buf_span(&b)), 0);
    buf_free(&b);
    buf_free(&plain);
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {CHUM_PACK_LEAST, MANY, CHUM_PACK_MOST};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct buf items = bytes_of(lengths[i], 'x');
        comes_back(buf_span(&items));
        buf_free(&items);
    }
    struct buf items = message();
    comes_back(buf_span(&items));
    buf_free(&items);
}

static void a_message_takes_a_third(void **state)
{
    (void)state;
    struct buf items = message();
    struct buf b = packed(buf_span(&items));
    assert_in_range(b.len, 1, items.len / 3);
    buf_free(&b);
    buf_free(&items);
}

static void stays(struct buf items)
{
    struct buf b = with_head((struct span){0});
    assert_false(chum_pack(buf_span(&items), &b));
    assert_int_equal(b.len, sizeof HEAD - 1);
    buf_free(&b);
    buf_free(&items);
}

static void what_does_not_pay_stays(void **state)
{
    (void)state;
    stays(bytes_of(0, 'x'));
    stays(bytes_of(CHUM_PACK_LEAST - 1, 'x'));
    stays(bytes_of(CHUM_PACK_MOST + 1, 'x'));
    stays(noise(CHUM_PACK_LEAST));
    stays(noise(MANY));
}

static void what_is_not_packed_is_left_alone(void **state)
{
    (void)state;
    static const char *const others[] = {"", "7 1 end", HEAD, HEAD "E\n", "Z 1\n", HEAD "E\nZ 1\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct buf b = {0};
        buf_add_text(&b, others[i]);
        assert_int_equal(chum_unpack(&b, NULL), STATUS_OK);
        assert_true(span_eq_text(buf_span(&b), others[i]));
        buf_free(&b);
    }
}

// ---- Who lies -------------------------------------------------------------------------------------------------------

static void is_broken(struct span rest)
{
    struct buf b = with_head(rest);
    struct buf before = with_head(rest);
    struct error why = {0};
    assert_int_equal(chum_packed_items(buf_span(&b)), 0);
    assert_int_equal(chum_unpack(&b, &why), STATUS_INVALID);
    assert_string_equal(why.code, "FEED-BROKEN");
    assert_true(span_eq(buf_span(&b), buf_span(&before)));
    buf_free(&b);
    buf_free(&before);
}

// A frame of that many bytes, which says its length or does not.
static struct buf frame_of(size_t len, bool says)
{
    struct buf items = bytes_of(len, 'x');
    struct buf b = {0};
    buf_add_text(&b, "Z 1\n");
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, says);
    size_t most = ZSTD_compressBound(len);
    size_t got = ZSTD_compress2(c, buf_reserve(&b, most), most, items.data, items.len);
    assert_false(ZSTD_isError(got));
    ZSTD_freeCCtx(c);
    b.len += got;
    buf_free(&items);
    return b;
}

static void a_size_that_is_not_taken_is_none(void **state)
{
    (void)state;
    const struct {
        size_t len;
        bool says;
    } cases[] = {{0, true}, {CHUM_PACK_MOST + 1, true}, {64 << 20, true}, {1000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = frame_of(cases[i].len, cases[i].says);
        is_broken(buf_span(&b));
        buf_free(&b);
    }
}

static void is_broken_inside(struct span rest)
{
    struct buf b = with_head(rest);
    struct error why = {0};
    assert_int_equal(chum_unpack(&b, &why), STATUS_INVALID);
    assert_string_equal(why.code, "FEED-BROKEN");
    buf_free(&b);
}

// It holds 300,000 bytes and says fewer, or more.
static void a_size_that_is_not_true_is_none(void **state)
{
    (void)state;
    enum { SIZE_AT = 4 + 5 }; // behind "Z 1\n", the magic number and the flags: 4 bytes, little-endian
    static const uint8_t sizes[][4] = {{0x00, 0x01, 0x00, 0x00}, {0x00, 0x00, 0x10, 0x00}};
    for (size_t i = 0; i < 2; i++) {
        struct buf b = frame_of(300000, true);
        assert_memory_equal(b.data + SIZE_AT, "\xe0\x93\x04\x00", 4);
        memcpy(b.data + SIZE_AT, sizes[i], 4);
        is_broken_inside(buf_span(&b));
        buf_free(&b);
    }
}

static void a_frame_that_is_cut_or_followed_is_none(void **state)
{
    (void)state;
    struct buf items = message();
    struct buf whole = {0};
    assert_true(chum_pack(buf_span(&items), &whole));
    for (size_t len = 2; len < whole.len; len++)
        is_broken((struct span){whole.data, len});
    struct buf twice = {0};
    buf_add_span(&twice, buf_span(&whole));
    buf_add_span(&twice, span_from(buf_span(&whole), 4));
    is_broken(buf_span(&twice));
    buf_add_char(&whole, '\n');
    is_broken(buf_span(&whole));
    buf_free(&twice);
    buf_free(&whole);
    buf_free(&items);
}

static void another_dictionary_is_none(void **state)
{
    (void)state;
    enum { FLAGS_AT = 4 + 4 };
    struct buf items = message();
    struct buf b = {0};
    assert_true(chum_pack(buf_span(&items), &b));
    b.data[2] = '2';
    is_broken(buf_span(&b));
    b.data[2] = '1';
    struct buf named = {0}; // by the frame itself: one byte more, behind the flags
    buf_add(&named, b.data, FLAGS_AT + 1);
    named.data[FLAGS_AT] = (char)(named.data[FLAGS_AT] | 1);
    buf_add_char(&named, 7);
    buf_add_span(&named, span_from(buf_span(&b), FLAGS_AT + 1));
    is_broken_inside(buf_span(&named));
    buf_free(&named);
    buf_free(&b);
    buf_free(&items);
}

static void other_formats_are_none(void **state)
{
    (void)state;
    is_broken(SPAN("Z 1\n\x50\x2a\x4d\x18\x04\x00\x00\x00 abcd")); // a frame to skip
    is_broken(SPAN("Z 1\n\x27\xb5\x2f\xfd\x00\x00\x00\x00"));      // an earlier zstd
    is_broken(SPAN("Z 1\n\x1f\x8b\x08\x00"));
    is_broken(SPAN("Z 01\n"));
    is_broken(SPAN("Z \n"));
}

// Whoever changes it breaks with every node that has the other one.
static void the_dictionary_is_what_it_was(void **state)
{
    (void)state;
    const struct hash h = sha256(chum_pack_words());
    assert_string_equal(hash_text(&h).s, "77868225331c02825e6ec6e069cc85678e1cbd64c7e25b31fc8dacd36e661a19");
    assert_true(chum_pack_words().len <= 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(a_message_takes_a_third),
        cmocka_unit_test(what_does_not_pay_stays),
        cmocka_unit_test(what_is_not_packed_is_left_alone),
        cmocka_unit_test(a_size_that_is_not_taken_is_none),
        cmocka_unit_test(a_size_that_is_not_true_is_none),
        cmocka_unit_test(a_frame_that_is_cut_or_followed_is_none),
        cmocka_unit_test(another_dictionary_is_none),
        cmocka_unit_test(other_formats_are_none),
        cmocka_unit_test(the_dictionary_is_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
