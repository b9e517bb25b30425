// The folder of a store: where things lie in it, and the mark there that has the next opening make the database anew.
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"
#include "store/dir.h"
#include "store/state.h"

char *store_path(const struct store *s, const char *format, ...)
{
    struct buf b = {0};
    buf_printf(&b, "%s/", s->dir);
    va_list ap;
    va_start(ap, format);
    char name[200];
    int n = vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    buf_add(&b, name, n > 0 && (size_t)n < sizeof name ? (size_t)n : 0);
    buf_cstr(&b);
    return b.data;
}

bool dir_needs_rebuild(const struct store *s)
{
    char *path = store_path(s, "rebuild");
    bool needed = file_exists(path);
    free(path);
    return needed;
}

void dir_mark_rebuild(const struct store *s)
{
    char *path = store_path(s, "rebuild");
    (void)file_write(path, SPAN("the database is damaged\n"), 0600, NULL);
    free(path);
}
