// Any text as an address: what is taken for one has a host and a port that cannot break out of a request's headers.
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "fuzz.h"

static void check_url(const char *text)
{
    struct ws_url u;
    if (ws_url_parse(text, &u, NULL) != STATUS_OK)
        return;
    FUZZ_CHECK(u.port != 0 && u.host[0] != '\0' && u.path[0] == '/');
    FUZZ_CHECK(strpbrk(u.host, " /?#@[]\r\n\t") == NULL);
    for (const char *c = u.path; *c != '\0'; c++)
        FUZZ_CHECK(*c > ' ' && *c <= '~' && *c != '#');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listen_address a;
    char *text = malloc(size + 1);
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_url(text);
    if (listen_address_parse(text, &a, NULL) == STATUS_OK)
        FUZZ_CHECK(a.host[0] != '\0');
    free(text);
    return 0;
}
