// The list of what a backup holds: what is accepted survives being written again, and leads nowhere else.
#include <string.h>

#include "crypto/stream.h"
#include "fuzz.h"
#include "supervisor/backup/manifest.h"

static void check_place(const struct backup_manifest *m, const struct backup_place *at, uint64_t size)
{
    FUZZ_CHECK(at->pack < m->pack_count && at->offset <= m->packs[at->pack].bytes);
    FUZZ_CHECK(stream_size(size) <= m->packs[at->pack].bytes - at->offset);
}

static void check(const struct backup_manifest *m)
{
    for (size_t i = 0; i < m->file_count; i++) {
        FUZZ_CHECK(m->files[i].path[0] != '/' && m->files[i].path[0] != '\0' && strstr(m->files[i].path, "..") == NULL);
        for (uint32_t k = 0; k < m->files[i].part_count; k++)
            check_place(m, &m->files[i].parts[k].at, m->files[i].parts[k].size);
    }
    for (size_t i = 0; i < m->object_count; i++) {
        check_place(m, &m->objects[i].at, m->objects[i].size);
        FUZZ_CHECK(manifest_object(m, &m->objects[i].hash) == &m->objects[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct backup_manifest m;
    struct buf again = {0};
    if (manifest_parse(text, &m, NULL) != STATUS_OK)
        return 0;
    check(&m);
    manifest_print(&m, &again);
    FUZZ_CHECK(span_eq(buf_span(&again), text));
    buf_free(&again);
    manifest_free(&m);
    return 0;
}
