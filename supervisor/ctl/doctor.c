// The list of findings, and no more: each check adds to it and knows nothing of the others, so the order of the checks
// is the order in which people read them.
#include "supervisor/ctl/doctor.h"

#include <stdio.h>

#include "ipc/errors.h"

void doctor_add(struct doctor *d, const char *check, bool ok, const char *message, const char *advice)
{
    json_array_append_new(d->checks, json_pack("{s:s, s:b, s:s, s:s?}", "check", check, "ok", ok, "message", message,
                                               "advice", ok ? NULL : advice));
    d->healthy = d->healthy && ok;
}

void doctor_add_error(struct doctor *d, const char *check, const struct error *e, const char *good, const char *advice)
{
    bool ok = e->status == STATUS_OK;
    if (!ok && advice == NULL)
        advice = ipc_code_find(e->code, e->status)->hint;
    doctor_add(d, check, ok, ok ? good : e->message, advice);
}

void doctor_add_unknown(struct doctor *d, const char *check, const char *node, const struct error *e)
{
    char text[400];
    snprintf(text, sizeof text, "%s: could not be asked: %s (%s)", node, e->message, e->code);
    doctor_add(d, check, false, text, ipc_code_find(e->code, e->status)->hint);
}
