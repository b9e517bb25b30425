// Any bytes as the plaintext of a frame; what is stripped lies within it.
#include "fuzz.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span plaintext = {(const char *)data, size}, message;
    bool text;
    if (frame_strip(plaintext, &text, &message, NULL) != STATUS_OK)
        return 0;
    FUZZ_CHECK(message.len < size);
    FUZZ_CHECK(message.ptr + message.len == plaintext.ptr + size);
    struct buf repaired = {0};
    buf_add_span(&repaired, plaintext);
    frame_repair_text(&repaired, size - message.len);
    FUZZ_CHECK(repaired.len <= 3 * message.len);
    buf_free(&repaired);
    return 0;
}
