// Any text as an invitation; what is read is written in both forms and read again as the same.
#include <string.h>

#include "fuzz.h"
#include "ipc/invitation.h"

static void check(const struct invitation *i, struct span written)
{
    struct invitation again;
    FUZZ_CHECK(invitation_parse(written, &again, NULL) == STATUS_OK);
    FUZZ_CHECK(strcmp(i->token, again.token) == 0 && strcmp(i->url, again.url) == 0);
    FUZZ_CHECK(public_key_eq(&i->public_key, &again.public_key));
    invitation_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct invitation i;
    struct buf json = {0}, link = {0};
    if (invitation_parse((struct span){(const char *)data, size}, &i, NULL) != STATUS_OK)
        return 0;
    invitation_print(&i, &json);
    check(&i, buf_span(&json));
    invitation_link(&i, &link);
    check(&i, buf_span(&link));
    invitation_free(&i);
    buf_free(&json);
    buf_free(&link);
    return 0;
}
