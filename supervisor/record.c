// installation.json: the record of who the nodes are.
#include "supervisor/core.h"
#include "supervisor/twice.h"

enum { RECORD_MAX = 64 * 1024 };

static bool is_record(struct span text)
{
    struct installation in;
    return installation_parse(text, &in, NULL) == STATUS_OK;
}

enum status record_load(struct supervisor *s, struct error *e)
{
    struct buf text = {0};
    struct error missing = {0};
    s->installation = INSTALLATION_NONE;
    enum status status = twice_read(statedir_file(s->dir, "installation.json"), RECORD_MAX, is_record, &text, &missing);
    if (status == STATUS_OK)
        status = installation_parse(buf_span(&text), &s->installation, e);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    else
        *e = missing;
    buf_free(&text);
    return status;
}

enum status record_save(struct supervisor *s, struct error *e)
{
    struct buf text = {0};
    installation_print(&s->installation, &text);
    enum status status = twice_write(statedir_file(s->dir, "installation.json"), buf_span(&text), e);
    buf_free(&text);
    return status;
}
