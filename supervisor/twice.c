// NAME is written before its copy and removed after it: so a copy that is left alone is always one that shall take its
// place.
#include "supervisor/twice.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"

static char *path_of(const char *path, const char *suffix)
{
    struct buf b = {0};
    buf_printf(&b, "%s.%s", path, suffix);
    buf_cstr(&b);
    return b.data;
}

static void write_copy(const char *path, struct span bytes)
{
    struct error e = {0};
    char *copy = path_of(path, "copy");
    if (file_write(copy, bytes, 0600, &e) != STATUS_OK)
        LOG(LOG_WARN, "file.not-copied", LOG_TEXT("file", path), LOG_TEXT("reason", e.message));
    free(copy);
}

enum status twice_write(const char *path, struct span bytes, struct error *e)
{
    enum status status = file_write(path, bytes, 0600, e);
    if (status == STATUS_OK)
        write_copy(path, bytes);
    return status;
}

static enum status read_good(const char *path, size_t limit, twice_good good, struct buf *out, struct error *e)
{
    buf_clear(out);
    enum status status = file_read(path, limit, out, e);
    if (status == STATUS_OK && !good(buf_span(out)))
        status = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "%s is damaged", path);
    return status;
}

static enum status put_back(const char *path, struct span bytes, struct error *e)
{
    char *damaged = path_of(path, "damaged");
    enum status status = file_exists(path) ? folder_remove_tree(damaged, e) : STATUS_OK;
    if (status == STATUS_OK && file_exists(path))
        status = file_rename(path, damaged, e);
    if (status == STATUS_OK)
        status = file_write(path, bytes, 0600, e);
    free(damaged);
    return status;
}

static bool has_good_copy(const char *path, size_t limit, twice_good good)
{
    struct buf text = {0};
    char *copy = path_of(path, "copy");
    bool has = read_good(copy, limit, good, &text, NULL) == STATUS_OK;
    buf_free(&text);
    free(copy);
    return has;
}

enum status twice_read(const char *path, size_t limit, twice_good good, struct buf *out, struct error *e)
{
    struct buf second = {0};
    struct error why = {0};
    enum status status = read_good(path, limit, good, out, &why);
    if (status == STATUS_OK && !has_good_copy(path, limit, good))
        write_copy(path, buf_span(out));
    char *copy = path_of(path, "copy");
    if (status != STATUS_OK && read_good(copy, limit, good, &second, NULL) == STATUS_OK &&
        put_back(path, buf_span(&second), &why) == STATUS_OK) {
        LOG(LOG_WARN, "file.restored", LOG_TEXT("file", path), LOG_TEXT("from", copy));
        buf_clear(out);
        buf_add_span(out, buf_span(&second));
        status = STATUS_OK;
    }
    buf_free(&second);
    free(copy);
    if (status == STATUS_CORRUPT) // whoever reads it says what is wrong
        return STATUS_OK;
    return status == STATUS_OK ? status : error_set(e, status, why.code, "%s", why.message);
}

void twice_confirm(const char *path, size_t limit)
{
    struct buf text = {0};
    struct buf second = {0};
    char *copy = path_of(path, "copy");
    bool same = file_read(copy, limit, &second, NULL) == STATUS_OK;
    if (file_read(path, limit, &text, NULL) == STATUS_OK && !(same && span_eq(buf_span(&text), buf_span(&second))))
        write_copy(path, buf_span(&text));
    buf_free(&text);
    buf_free(&second);
    free(copy);
}

enum status twice_remove(const char *path, struct error *e)
{
    char *copy = path_of(path, "copy");
    char *damaged = path_of(path, "damaged");
    enum status status = file_remove(copy, e); // first, or it would come back
    if (status == STATUS_OK)
        status = file_remove(path, e);
    if (status == STATUS_OK)
        status = folder_remove_tree(damaged, e);
    free(damaged);
    free(copy);
    return status;
}
