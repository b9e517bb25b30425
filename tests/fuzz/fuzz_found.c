// Lines of tandem-discovery: whatever is taken, the list stays within its bounds and can be printed.
#include <jansson.h>
#include <string.h>

#include "fuzz.h"
#include "supervisor/discovery/found.h"

static void check(const struct found *f)
{
    size_t i;
    json_t *item;
    json_t *list = found_list(f, "one-a");
    FUZZ_CHECK(json_array_size(list) <= FOUND_MAX);
    json_array_foreach(list, i, item)
    {
        size_t addresses = json_array_size(json_object_get(item, "addresses"));
        FUZZ_CHECK(addresses > 0 && addresses <= FOUND_ADDRESSES_MAX);
        FUZZ_CHECK(json_object_size(json_object_get(item, "txt")) <= FOUND_TXT_MAX);
        FUZZ_CHECK(json_string_length(json_object_get(item, "name")) <= FOUND_NAME_MAX);
    }
    char *text = json_dumps(list, JSON_COMPACT);
    FUZZ_CHECK(text != NULL);
    free(text);
    json_decref(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct found *f = found_create();
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end != NULL ? (size_t)(end - data) : size;
        json_t *said = json_loadb((const char *)data, len, 0, NULL);
        found_take(f, said, 1);
        json_decref(said);
        data += len + (end != NULL ? 1 : 0);
        size -= len + (end != NULL ? 1 : 0);
    }
    check(f);
    found_destroy(f);
    return 0;
}
