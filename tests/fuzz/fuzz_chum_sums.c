// Any text as what is said about sums: what is read is written the same way again, and ranges lie among the leaves.
#include <string.h>

#include "chum/sums.h"
#include "fuzz.h"

static void check_sums(struct span text)
{
    unsigned digits;
    struct store_sum parts[STORE_SUM_FAN];
    struct span rest = text;
    if (!chum_sums_read_digits(&rest, &digits))
        return;
    FUZZ_CHECK(digits >= 1 && digits <= STORE_SUM_DIGITS);
    for (struct span before = rest; chum_sums_read(&rest, parts); before = rest) {
        struct buf again = {0};
        chum_sums_write(parts, &again);
        FUZZ_CHECK(again.len == before.len - rest.len && memcmp(again.data, before.ptr, again.len) == 0);
        buf_free(&again);
    }
    FUZZ_CHECK(rest.ptr >= text.ptr && rest.len <= text.len);
}

static void check_ranges(const json_t *names)
{
    static struct store_range ranges[CHUM_RANGES_ASKED];
    size_t count;
    struct buf again = {0};
    if (!chum_ranges_read(names, CHUM_RANGES_ASKED, ranges, &count))
        return;
    FUZZ_CHECK(count >= 1 && count <= CHUM_RANGES_ASKED);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(ranges[i].first + store_range_size(ranges[i].digits) <= STORE_SUM_LEAVES);
    chum_ranges_write(ranges, count, &again);
    json_t *read = json_loadb(again.data, again.len, 0, NULL);
    FUZZ_CHECK(json_equal(read, names));
    json_decref(read);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    enum chum_ranges_word word;
    struct store_sum_key key;
    check_sums(text);
    (void)chum_ranges_read_word(&text, &word);
    json_t *arguments = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    check_ranges(arguments);
    (void)chum_key_read(arguments, &key);
    json_decref(arguments);
    return 0;
}
