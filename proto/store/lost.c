// What can be said of a store's folder before it is opened: whether the store is lost, and of which format it is.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "store/lost.h"
#include "store/schema.h"

enum { FORMAT_VERSION = 1, FORMAT_BYTES = 100 };

#define FORMAT "tandem store "

// ---- Lost -----------------------------------------------------------------------------------------------------------

static uint64_t number_at(const unsigned char *b)
{
    return (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
}

// The header of a SQLite database says how long the file is. While there is a log, the file may still be on its way to
// that length; without a header SQLite would drop the log, too.
static bool is_whole_database(const char *path)
{
    enum { HEADER = 100, PAGE_SIZE = 16, CHANGES = 24, PAGES = 28, APPLICATION = 68, VALID_FOR = 92 };
    struct stat file;
    struct stat log;
    struct buf b = {0};
    struct buf log_path = {0};
    buf_printf(&log_path, "%s-wal", path);
    bool whole = stat(path, &file) == 0 && file_read_at(path, 0, HEADER, &b, NULL) == STATUS_OK && b.len == HEADER;
    const unsigned char *h = (const unsigned char *)b.data;
    bool logged = stat(buf_cstr(&log_path), &log) == 0 && log.st_size != 0;
    if (whole && !logged) // what is begun and has nothing in it has lost its log
        whole = number_at(h + APPLICATION) == STORE_APPLICATION;
    if (whole && !logged && memcmp(h + CHANGES, h + VALID_FOR, 4) == 0) {
        uint64_t page = (uint64_t)h[PAGE_SIZE] << 8 | h[PAGE_SIZE + 1];
        whole = (uint64_t)file.st_size >= number_at(h + PAGES) * (page == 1 ? 65536 : page);
    }
    buf_free(&b);
    buf_free(&log_path);
    return whole;
}

// A file that may not be looked at is no lost one: whoever opens it says why.
bool store_is_lost(const char *dir, enum store_kind kind)
{
    struct stat info;
    struct buf text = {0};
    buf_printf(&text, "%s/store.db", dir);
    const char *path = buf_cstr(&text);
    bool lost = stat(dir, &info) != 0 || (kind == STORE_SPARSE && stat(path, &info) != 0) ||
                (kind == STORE_SPARSE && access(path, R_OK) == 0 && !is_whole_database(path));
    buf_free(&text);
    return lost;
}

// ---- The format -----------------------------------------------------------------------------------------------------

// Of the file that says it. A store without one is new, or from before.
static enum status read_format(const char *path, long *version, struct error *e)
{
    struct buf text = {0};
    *version = 0;
    enum status status = file_read(path, FORMAT_BYTES, &text, e);
    struct span rest = buf_span(&text);
    if (status == STATUS_OK && span_starts_with(rest, SPAN(FORMAT)))
        *version = strtol(buf_cstr(&text) + sizeof FORMAT - 1, NULL, 10);
    buf_free(&text);
    return status == STATUS_TOO_BIG ? STATUS_OK : status;
}

enum status store_check_format(const char *dir, bool *marked, bool *damaged, struct error *e)
{
    long version;
    struct error why = {0};
    struct buf path = {0};
    buf_printf(&path, "%s/format", dir);
    enum status status = read_format(buf_cstr(&path), &version, &why);
    buf_free(&path);
    *marked = status == STATUS_OK;
    *damaged = *marked && version < 1;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return error_set(e, status, why.code, "%s", why.message);
    if (version <= FORMAT_VERSION)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "STATE-TOO-NEW", "The store in %s has format %ld, this tandem knows up to %d",
                     dir, version, FORMAT_VERSION);
}

enum status store_write_format(const char *dir, struct error *e)
{
    char line[sizeof FORMAT + 4];
    snprintf(line, sizeof line, FORMAT "%d\n", FORMAT_VERSION);
    struct buf path = {0};
    buf_printf(&path, "%s/format", dir);
    enum status status = file_write(buf_cstr(&path), span_of(line), 0600, e);
    buf_free(&path);
    return status;
}
