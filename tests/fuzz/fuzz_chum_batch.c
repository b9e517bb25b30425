// Any text as a batch of a feed: what is read lies within it, and survives writing and reading. One that is packed is
// unpacked before, into as many bytes as it says and no more than are taken.
#include <string.h>

#include "chum/batch.h"
#include "chum/pack.h"
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

static void check_batch(struct span text)
{
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
}

static void check_packing(struct span text)
{
    struct buf b = {0};
    buf_add_text(&b, "7 1 end\n");
    size_t head = b.len;
    if (chum_pack(text, &b)) {
        FUZZ_CHECK(chum_packed_items(buf_span(&b)) == text.len);
        FUZZ_CHECK(chum_unpack(&b, NULL) == STATUS_OK && span_eq(span_from(buf_span(&b), head), text));
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct buf batch = {0};
    buf_add_span(&batch, text);
    size_t says = chum_packed_items(text);
    FUZZ_CHECK(says <= CHUM_PACK_MOST);
    if (chum_unpack(&batch, NULL) == STATUS_OK)
        FUZZ_CHECK(says != 0 ? batch.len <= size + says : span_eq(buf_span(&batch), text));
    else
        FUZZ_CHECK(span_eq(buf_span(&batch), text));
    check_batch(buf_span(&batch));
    check_packing(text);
    buf_free(&batch);
    return 0;
}
