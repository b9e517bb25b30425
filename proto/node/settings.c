// Values were checked by the supervisor (supervisor/config.c), so what is missing or of another type is taken for the
// default here and never reported: a node does not refuse to start for it.
#include "node/settings.h"

#include <string.h>

#include "conn/tokens.h"

static bool is_off(const json_t *config, const char *key)
{
    return json_is_false(json_object_get(config, key));
}

static bool names(const json_t *config, const char *key, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(config, key), i, item)
    {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

static int64_t number(const json_t *config, const char *key)
{
    return json_integer_value(json_object_get(config, key));
}

void peer_settings_read(const json_t *config, const char *name, struct peer_settings *out)
{
    const json_t *validity = json_object_get(config, "peers.invitation_s");
    *out = (struct peer_settings){
        .pairs = !is_off(config, "peers.pairing"),
        .debugs = !is_off(config, "peers.debug"),
        .dials = !names(config, "peers.no_dial", name),
        .imports = !names(config, "sync.no_import", name),
        .exports = !names(config, "sync.no_export", name),
        .invitation_ms = validity != NULL ? json_integer_value(validity) * 1000 : TOKEN_TTL_MS,
        .store_bytes = (uint64_t)number(config, "peers.store_mb") << 20,
        .poll_ms = (uint64_t)number(config, "sync.interval_ms"),
        .alerts = {
            {[ALERT_NO_SYNC] = number(config, "alert.no_sync_s"), [ALERT_ERRORS] = number(config, "alert.errors")}}};
}
