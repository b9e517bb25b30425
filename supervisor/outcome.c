// What came of opening without anybody who types the secret (autostart.c), for whoever asks and whoever waits.
#include <stdio.h>

#include "base/log.h"
#include "ipc/errors.h"
#include "supervisor/core.h"

const char *autostart_source(const struct supervisor *s)
{
    return config_text(s->options->config, "autostart.secret");
}

void autostart_tell_failure(struct supervisor *s)
{
    json_t *data =
        json_pack("{s:s, s:s, s:s}", "kind", "autostart", "code", s->autostart.failure.code, "severity", "error");
    notify_event(s, "supervisor", "error.reported", data);
    json_decref(data);
}

void autostart_failed(struct supervisor *s, const struct error *error)
{
    struct autostart *a = &s->autostart;
    a->state = AUTOSTART_FAILED;
    a->failure = *error;
    LOG(LOG_WARN, "autostart.failed", LOG_TEXT("from", autostart_source(s)), LOG_TEXT("code", error->code),
        LOG_TEXT("reason", error->message));
    fprintf(stderr, "tandem-supervisor: %s (%s); 'tandem provision' asks for the secret\n", error->message,
            error->code);
    if (s->ring != NULL)
        autostart_tell_failure(s);
    readiness_update(s);
}

json_t *autostart_show(const struct supervisor *s)
{
    const struct error *e = &s->autostart.failure;
    if (s->autostart.state == AUTOSTART_OFF)
        return json_null();
    json_t *failure = s->autostart.state == AUTOSTART_FAILED
                          ? json_pack("{s:s, s:s, s:s}", "code", e->code, "message", e->message, "hint",
                                      ipc_code_find(e->code, e->status)->hint)
                          : json_null();
    return json_pack("{s:s, s:o}", "from", autostart_source(s), "failure", failure);
}
