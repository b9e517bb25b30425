// Any text as a batch of a feed: what is read lies within it, and survives writing and reading.
#include <string.h>

#include "chum/batch.h"
#include "fuzz.h"

static void check_item(struct span text, const struct chum_batch_item *item)
{
    struct buf written = {0};
    struct chum_batch_item again;
    bool found;
    FUZZ_CHECK(item->text.len == 0 ||
               (item->text.ptr >= text.ptr && item->text.ptr + item->text.len <= text.ptr + text.len));
    chum_batch_write(item, &written);
    struct span rest = buf_span(&written);
    FUZZ_CHECK(chum_batch_read(&rest, &again, &found, NULL) == STATUS_OK && found && rest.len == 0);
    FUZZ_CHECK(again.what == item->what && hash_eq(&again.hash, &item->hash) && span_eq(again.text, item->text));
    buf_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct span rest = text;
    struct chum_batch_head head;
    struct chum_batch_item item;
    bool found = chum_batch_read_head(&rest, &head, NULL) == STATUS_OK;
    while (found) {
        size_t before = rest.len;
        if (chum_batch_read(&rest, &item, &found, NULL) != STATUS_OK || !found)
            break;
        FUZZ_CHECK(rest.len < before);
        check_item(text, &item);
    }
    return 0;
}
