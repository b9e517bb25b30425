// Any text as JSON of a stringifiable value.
#include "base/text.h"
#include "data/stringify.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct value *v;
    struct value *again;
    struct error e = {0};
    struct buf first = {0};
    struct buf second = {0};
    struct span text = {(const char *)data, size};
    struct arena *a = arena_create();
    if (!utf8_valid(text) || stringify_read(a, text, &v, &e) != STATUS_OK)
        goto done;
    if (stringify_write(v, &first, NULL, &e) != STATUS_OK) {
        FUZZ_CHECK(first.len == 0);
        goto done;
    }
    FUZZ_CHECK(stringify_read(a, buf_span(&first), &again, &e) == STATUS_OK);
    FUZZ_CHECK(stringify_write(again, &second, NULL, &e) == STATUS_OK);
    FUZZ_CHECK(span_eq(buf_span(&first), buf_span(&second)));
done:
    buf_free(&first);
    buf_free(&second);
    arena_destroy(a);
    return 0;
}
