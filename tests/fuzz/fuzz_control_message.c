// A request on the control socket: parsed, and its parameters checked against every method of the table. What passes
// can be written and read again.
#include <string.h>

#include "fuzz.h"
#include "ipc/errors.h"
#include "ipc/jsonrpc.h"
#include "ipc/methods.h"

static void check_all(const json_t *params)
{
    for (size_t i = 0; i < ipc_method_count(); i++) {
        struct error e = {0};
        if (ipc_method_check(ipc_method_at(i), params, NULL, &e) != STATUS_OK)
            FUZZ_CHECK(e.code[0] != '\0' && e.message[0] != '\0');
    }
}

static void check_again(const struct jsonrpc_message *m)
{
    struct jsonrpc_message again;
    struct error e = {0};
    char *text = json_dumps(m->root, JSON_COMPACT);
    FUZZ_CHECK(text != NULL);
    FUZZ_CHECK(jsonrpc_parse(span_of(text), &again, &e) == STATUS_OK);
    FUZZ_CHECK(again.kind == m->kind && json_equal(again.root, m->root));
    jsonrpc_release(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jsonrpc_message m;
    struct error e = {0};
    if (jsonrpc_parse((struct span){(const char *)data, size}, &m, &e) != STATUS_OK) {
        json_decref(jsonrpc_failure(m.id, &e));
    } else {
        check_again(&m);
        if (m.kind == JSONRPC_REQUEST)
            check_all(m.params);
        if (m.error != NULL)
            FUZZ_CHECK(ipc_error_from_json(m.error, &e) != STATUS_OK);
    }
    jsonrpc_release(&m);
    return 0;
}
