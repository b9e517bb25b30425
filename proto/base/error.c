// Which errno gets a code of its own is decided here: those that a user can do something about. The rest is IO.
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status(error_set)(struct error *e, enum status status, const char *code, const char *format, ...)
{
    if (e == NULL)
        return status;
    va_list ap;
    va_start(ap, format);
    e->status = status;
    snprintf(e->code, sizeof e->code, "%s", code);
    vsnprintf(e->message, sizeof e->message, format, ap);
    va_end(ap);
    return status;
}

enum status error_errno(struct error *e, const char *format, ...)
{
    int saved = errno;
    char text[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    char reason[100];
    const char *why = strerror_r(saved, reason, sizeof reason);
    if (saved == ENOSPC || saved == EDQUOT)
        return error_set(e, STATUS_FULL, "DISK-FULL", "%s: %s", text, why);
    if (saved == EROFS)
        return error_set(e, STATUS_IO, "DISK-READ-ONLY", "%s: %s", text, why);
    if (saved == EACCES || saved == EPERM)
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "%s: %s", text, why);
    return error_set(e, STATUS_IO, "IO", "%s: %s", text, why);
}

void error_prefix(struct error *e, const char *format, ...)
{
    if (e == NULL)
        return;
    struct error old = *e;
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(e->message, sizeof e->message, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof e->message - 2)
        return;
    snprintf(e->message + n, sizeof e->message - (size_t)n, ": %.300s", old.message);
}

void error_clear(struct error *e)
{
    if (e != NULL)
        memset(e, 0, sizeof *e);
}
