// Both files are read at the start, the older one first. A line torn off by a crash is left out; if nothing can be read
// the numbers begin anew.
#include "supervisor/eventlog.h"

#include <string.h>

#include "io/file.h"

enum { FILE_BYTES = 4 << 20, FILES = 2, READ_MAX = 2 * FILE_BYTES };

// The last ones of both files: more than the ring holds are not worth parsing.
static void restore(struct ipc_ring *ring, struct span text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        if (end == NULL)
            return; // torn off
        if (lines-- <= IPC_RING_SIZE)
            ipc_ring_restore(ring, (struct span){text.ptr, (size_t)(end - text.ptr)});
        text = span_from(text, (size_t)(end - text.ptr) + 1);
    }
}

static void add_file(const char *path, const char *ending, struct buf *to)
{
    struct buf name = {0};
    struct error ignored = {0}; // a file that is not there, or cannot be read: then the numbers begin anew
    buf_printf(&name, "%s%s", path, ending);
    (void)file_read(buf_cstr(&name), READ_MAX, to, &ignored);
    buf_free(&name);
}

struct logfile *eventlog_open(const char *path, struct ipc_ring *ring, struct error *e)
{
    struct buf text = {0};
    add_file(path, ".1", &text);
    add_file(path, "", &text);
    restore(ring, buf_span(&text));
    buf_free(&text);
    return logfile_open_limited(path, FILE_BYTES, FILES, e);
}

void eventlog_add(struct logfile *l, const struct ipc_ring *ring)
{
    struct buf line = {0};
    ipc_ring_write_last(ring, &line);
    logfile_write(l, buf_span(&line));
    buf_free(&line);
}
