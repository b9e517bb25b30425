// Where the archive is to listen.
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/file.h"
#include "supervisor/core.h"

enum { SMALL_FILE = 64 };

int port_kept(struct supervisor *s)
{
    struct buf text = {0};
    struct error e = {0};
    bool kept = file_read(statedir_file(s->dir, "port"), SMALL_FILE, &text, &e) == STATUS_OK;
    long port = kept ? strtol(buf_cstr(&text), NULL, 10) : 0;
    buf_free(&text);
    return port > 0 && port < 65536 ? (int)port : 0;
}

void port_keep(struct supervisor *s, int port)
{
    char text[16];
    struct error e = {0};
    snprintf(text, sizeof text, "%d", port);
    if (file_write(statedir_file(s->dir, "port"), span_of(text), 0600, &e) != STATUS_OK)
        LOG(LOG_WARN, "port.forgotten", LOG_TEXT("reason", e.message));
}

bool port_is_asked_for(const struct supervisor *s)
{
    return config_find(s->options->config, "listen.address").origin != CONFIG_DEFAULT;
}

void port_address(const struct supervisor *s, struct listen_address *out)
{
    *out = (struct listen_address){0};
    config_listen(s->options->config, out, NULL);
    if (s->found_port != 0 && !port_is_asked_for(s))
        out->port = (uint16_t)s->found_port;
}
