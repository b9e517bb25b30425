// Any text as the JSON form of a value.
#include "data/jsonform.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct value *v;
    struct value *again;
    struct arena *a = arena_create();
    json_t *json = json_loadb((const char *)data, size, JSONFORM_FLAGS, NULL);
    json_t *written = NULL;
    if (json == NULL || jsonform_read(a, json, &v, NULL) != STATUS_OK)
        goto done;
    written = jsonform_write(v);
    FUZZ_CHECK(written != NULL);
    FUZZ_CHECK(jsonform_read(a, written, &again, NULL) == STATUS_OK);
    FUZZ_CHECK(again->kind == v->kind);
done:
    json_decref(written);
    json_decref(json);
    arena_destroy(a);
    return 0;
}
