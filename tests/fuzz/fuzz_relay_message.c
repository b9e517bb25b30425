// Any text as a message between a relay and its clients: what is read is written and read again to the same.
#include "fuzz.h"
#include "net/relay_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relay_message first, second;
    struct buf text = {0};
    if (relay_message_parse((struct span){(const char *)data, size}, &first, NULL) != STATUS_OK)
        return 0;
    relay_message_write(&first, &text);
    FUZZ_CHECK(relay_message_parse(buf_span(&text), &second, NULL) == STATUS_OK);
    FUZZ_CHECK(first.command == second.command && first.ping_interval == second.ping_interval);
    FUZZ_CHECK(span_eq(buf_span(&first.first), buf_span(&second.first)));
    FUZZ_CHECK(span_eq(buf_span(&first.second), buf_span(&second.second)));
    relay_message_free(&first);
    relay_message_free(&second);
    buf_free(&text);
    return 0;
}
