// Nothing is kept from batch to batch: what is packed together was on its way to one person anyhow, and only once
// (docs/security.md). The magic number is looked at first, since the library knows formats of its own past, too.
#include "chum/pack.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { LEVEL = 3, MAGIC_BYTES = 4 };

static const char mark[] = "Z 1\n";

static const struct span magic = {"\x28\xb5\x2f\xfd", MAGIC_BYTES};

// ---- Packing
// ---------------------------------------------------------------------------------------------------------

bool chum_pack(struct span items, struct buf *out)
{
    if (items.len < CHUM_PACK_LEAST || items.len > CHUM_PACK_MOST)
        return false;
    const struct span words = chum_pack_words();
    size_t most = items.len - items.len / CHUM_PACK_PAYS - (sizeof mark - 1);
    char *to = buf_reserve(out, items.len);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL)
        abort();
    memcpy(to, mark, sizeof mark - 1);
    size_t len =
        ZSTD_compress_usingDict(context, to + sizeof mark - 1, most, items.ptr, items.len, words.ptr, words.len, LEVEL);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(len)) // it is more than most
        return false;
    out->len += sizeof mark - 1 + len;
    return true;
}

// ---- Unpacking
// -------------------------------------------------------------------------------------------------------

struct packed {
    size_t head; // bytes of the batch in front of the mark
    struct span frame;
};

// false: the batch is not packed.
static bool find(struct span batch, struct packed *out)
{
    const char *end = batch.len != 0 ? memchr(batch.ptr, '\n', batch.len) : NULL;
    if (end == NULL)
        return false;
    out->head = (size_t)(end - batch.ptr) + 1;
    struct span rest = span_from(batch, out->head);
    if (!span_starts_with(rest, SPAN("Z ")))
        return false;
    bool known = span_starts_with(rest, span_of(mark));
    out->frame = known ? span_from(rest, sizeof mark - 1) : (struct span){0};
    return true;
}

// 0: the frame is none, or not one that is taken.
static size_t size_of(struct span frame)
{
    if (!span_starts_with(frame, magic))
        return 0;
    unsigned long long size = ZSTD_getFrameContentSize(frame.ptr, frame.len);
    if (size > CHUM_PACK_MOST) // so are the codes for an error and for "not said"
        return 0;
    return ZSTD_findFrameCompressedSize(frame.ptr, frame.len) == frame.len ? (size_t)size : 0;
}

size_t chum_packed_items(struct span batch)
{
    struct packed p;
    return find(batch, &p) ? size_of(p.frame) : 0;
}

static bool unpack(struct span frame, char *to, size_t size)
{
    const struct span words = chum_pack_words();
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL)
        abort();
    size_t len = ZSTD_decompress_usingDict(context, to, size, frame.ptr, frame.len, words.ptr, words.len);
    ZSTD_freeDCtx(context);
    return len == size;
}

enum status chum_unpack(struct buf *batch, struct error *e)
{
    struct packed p;
    if (!find(buf_span(batch), &p))
        return STATUS_OK;
    struct buf plain = {0};
    size_t size = size_of(p.frame);
    bool good = size != 0;
    if (good) {
        memcpy(buf_reserve(&plain, p.head + size), batch->data, p.head);
        good = unpack(p.frame, plain.data + p.head, size);
    }
    if (!good) {
        buf_free(&plain);
        return error_set(e, STATUS_INVALID, "FEED-BROKEN", "the peer's batch of objects cannot be unpacked");
    }
    plain.len = p.head + size;
    buf_free(batch);
    *batch = plain;
    return STATUS_OK;
}
