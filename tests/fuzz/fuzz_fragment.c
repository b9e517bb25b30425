// A sequence of messages, each a length byte (its top bit says text) and its bytes, through the fragmentation. What
// comes out is sent and received again, and arrives as it was.
#include "fuzz.h"
#include "wire/fragment.h"

enum { LIMIT = 4096 };

struct repeat {
    struct fragment_receiver receiver;
    const struct fragment_message *expected;
    unsigned arrived;
};

static void take(void *ctx, bool text, struct span message)
{
    struct repeat *r = ctx;
    struct fragment_message arrived;
    FUZZ_CHECK(fragment_receive(&r->receiver, text, message, &arrived, NULL) == STATUS_OK);
    if (!arrived.present)
        return;
    r->arrived++;
    FUZZ_CHECK(arrived.text == r->expected->text);
    FUZZ_CHECK(span_eq(arrived.bytes, r->expected->bytes));
}

static void check_again(const struct fragment_message *message)
{
    struct repeat r = {.receiver = {.limit = LIMIT}, .expected = message};
    fragment_send(message->text, message->bytes, take, &r);
    FUZZ_CHECK(r.arrived == 1);
    fragment_receiver_end(&r.receiver);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fragment_receiver receiver = {.limit = LIMIT};
    while (size != 0) {
        bool text = (data[0] & 0x80) != 0;
        size_t len = data[0] & 0x7f;
        data++, size--;
        len = len < size ? len : size;
        struct fragment_message message;
        if (fragment_receive(&receiver, text, (struct span){(const char *)data, len}, &message, NULL) != STATUS_OK)
            break;
        FUZZ_CHECK(receiver.bytes.len <= 3 * LIMIT);
        if (message.present)
            check_again(&message);
        data += len, size -= len;
    }
    fragment_receiver_end(&receiver);
    return 0;
}
