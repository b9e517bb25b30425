// How far a backup is: told to its user and, so that they keep their copies, to the nodes.
#include "base/clock.h"
#include "supervisor/ctl/backing.h"
#include "supervisor/ctl/interrupt.h"

enum { TELL_MS = 5000 }; // each is an event, and events are kept

enum status backing_tell(struct backing *b, struct error *e)
{
    json_t *params =
        json_pack("{s:s, s:I, s:I}", "backup", b->id, "done", (json_int_t)b->done, "total", (json_int_t)b->total);
    json_t *result = ctl_call(b->c, "backup.progress", params, e);
    b->told_at = clock_monotonic_ms();
    json_decref(result);
    if (result == NULL && e->status == STATUS_NOT_FOUND)
        error_set(e, STATUS_CLOSED, "CLOSED", "the nodes have dropped their copies meanwhile");
    return result != NULL ? STATUS_OK : e->status;
}

enum status backing_went_on(struct backing *b, uint64_t bytes, struct error *e)
{
    b->done += bytes;
    progress_at(b->progress, b->done, b->total);
    if (interrupt_check(e) != STATUS_OK)
        return e->status;
    return clock_monotonic_ms() - b->told_at >= TELL_MS ? backing_tell(b, e) : STATUS_OK;
}
