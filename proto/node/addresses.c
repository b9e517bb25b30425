// A relay is told to contacts only once it was reached there (addresses_add_relay), and stays told over restarts while
// the configuration names it: contacts learn addresses from the profile, and each change of it goes to all of them.
#include "node/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "models/profile.h"

bool addresses_is_relay(const json_t *config, struct span url)
{
    size_t i;
    json_t *relay;
    json_array_foreach(json_object_get(config, "relay.urls"), i, relay)
    {
        if (span_eq_text(url, json_string_value(relay)))
            return true;
    }
    return false;
}

const char *addresses_public(const json_t *config)
{
    const char *url = json_string_value(json_object_get(config, "listen.public_url"));
    return url != NULL && url[0] != '\0' ? url : NULL;
}

// NULL unless host means every address.
static const char *loopback_of(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : NULL;
}

// name instead of the listener's host; the listener itself if there is none.
static void write_listener(const char *listener, const char *name, uint16_t port, struct buf *out)
{
    buf_add_text(out, name != NULL ? "ws://" : listener);
    if (name != NULL)
        address_write(name, port, out);
}

void addresses_of_listener(const json_t *config, const char *listener, struct buf *here, struct buf *elsewhere)
{
    struct ws_url url;
    if (ws_url_parse(listener, &url, NULL) != STATUS_OK) // it does not listen
        return;
    const char *public_url = addresses_public(config);
    const char *loopback = loopback_of(url.host);
    const char *name = json_string_value(json_array_get(json_object_get(config, "listen.hosts"), 0));
    if (here != NULL)
        write_listener(listener, loopback, url.port, here);
    if (elsewhere == NULL)
        return;
    if (public_url != NULL)
        buf_add_text(elsewhere, public_url);
    else
        write_listener(listener, loopback != NULL ? name : NULL, url.port, elsewhere);
}

enum status addresses_open(struct model *m, const char *listener, const json_t *config, struct error *e)
{
    struct profile_urls told;
    struct profile_urls urls = {0};
    enum status status = profile_urls(m, &told, e);
    if (listener[0] != '\0')
        urls.items[urls.count++] = span_of(listener);
    for (size_t i = 0; i < told.count && urls.count < PROFILE_URLS; i++)
        if (addresses_is_relay(config, told.items[i]))
            urls.items[urls.count++] = told.items[i];
    return status == STATUS_OK ? profile_set_urls(m, &urls, e) : status;
}

// ---- A relay that has been found -----------------------------------------------------------------------------------

struct telling {
    const struct identity *self;
    char *url;
};

static enum status tell_work(struct store *s, void *arg, struct error *e)
{
    const struct telling *t = arg;
    struct arena *arena = arena_create();
    struct model m = {.store = s, .self = t->self, .arena = arena, .now_ms = clock_wall_ms()};
    struct profile_urls urls;
    enum status status = profile_urls(&m, &urls, e);
    if (status == STATUS_OK && urls.count < PROFILE_URLS) {
        urls.items[urls.count++] = span_of(t->url);
        status = profile_set_urls(&m, &urls, e);
    }
    arena_destroy(arena);
    return status;
}

static void tell_done(void *arg, enum status status, const struct error *e)
{
    struct telling *t = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "relay.untold", LOG_TEXT("url", t->url), LOG_TEXT("code", e->code));
    free(t->url);
    free(t);
}

void addresses_add_relay(struct node *n, const struct identity *self, const char *url)
{
    struct telling *t = mem_alloc(sizeof *t);
    *t = (struct telling){.self = self, .url = mem_text(span_of(url))};
    store_submit(node_queue(n), tell_work, tell_done, t);
}
