// keys.json and installation.json: what is accepted survives being written again.
#include <string.h>

#include "fuzz.h"
#include "supervisor/installation.h"
#include "supervisor/keyfile.h"

static void try_keys(struct span text)
{
    struct keyfile one;
    struct keyfile two;
    struct error e = {0};
    struct buf b = {0};
    if (keyfile_parse(text, &one, &e) != STATUS_OK)
        return;
    keyfile_print(&one, &b);
    FUZZ_CHECK(keyfile_parse(buf_span(&b), &two, &e) == STATUS_OK);
    FUZZ_CHECK(memcmp(one.check, two.check, sizeof one.check) == 0 && one.limits.ops == two.limits.ops);
    buf_free(&b);
}

static void try_installation(struct span text)
{
    struct installation one;
    struct installation two;
    struct error e = {0};
    struct buf b = {0};
    if (installation_parse(text, &one, &e) != STATUS_OK)
        return;
    installation_print(&one, &b);
    FUZZ_CHECK(installation_parse(buf_span(&b), &two, &e) == STATUS_OK);
    FUZZ_CHECK(strcmp(one.user, two.user) == 0 && one.recreating == two.recreating);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    try_keys(text);
    try_installation(text);
    return 0;
}
