// config show: what the running supervisor goes by; without one, what the next would.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/file.h"
#include "supervisor/config.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

// NULL: of the state directory, which need not have one.
static enum status load(const struct ctl *c, struct config *config, const char *file, struct error *e)
{
    struct buf path = {0};
    buf_printf(&path, "%s/tandem.conf", c->state_dir);
    enum status s = config_load(config, file != NULL ? file : buf_cstr(&path), file != NULL, e);
    buf_free(&path);
    return s;
}

static json_t *from_files(const struct ctl *c, struct error *e)
{
    struct config *config = config_create();
    json_t *items = load(c, config, ctl_value(c, "config"), e) == STATUS_OK ? config_to_json(config) : NULL;
    size_t i;
    json_t *text;
    json_array_foreach(config_left_out(config), i, text) fprintf(stderr, "tandem: %s\n", json_string_value(text));
    config_destroy(config);
    return items;
}

json_t *config_in_force(struct ctl *c, bool *running, struct error *e)
{
    struct error why = {0};
    json_t *result = ctl_has(c, "config") ? NULL : ctl_call(c, "config.show", NULL, &why);
    *running = result != NULL;
    if (result == NULL && why.code[0] != '\0' && strcmp(why.code, "NOT-RUNNING") != 0) {
        *e = why;
        return NULL;
    }
    json_t *items = result != NULL ? json_incref(json_object_get(result, "items")) : from_files(c, e);
    json_decref(result);
    return items;
}

// Where it was started with it, rather than by its file.
static const char *given_at_start(const json_t *shown, const char *key)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(shown, "items"), i, item)
    {
        const char *origin = json_string_value(json_object_get(item, "origin"));
        if (strcmp(json_string_value(json_object_get(item, "key")), key) == 0 &&
            (strcmp(origin, "environment") == 0 || strcmp(origin, "flag") == 0))
            return json_string_value(json_object_get(item, "value"));
    }
    return NULL;
}

char *config_now(struct ctl *c, const char *key, struct error *e)
{
    json_t *shown = ctl_call(c, "config.show", NULL, e);
    if (shown == NULL)
        return NULL;
    const char *given = given_at_start(shown, key);
    const char *file = json_string_value(json_object_get(shown, "file"));
    struct config *config = config_create();
    char *value = NULL;
    if (given != NULL)
        value = mem_text(span_of(given));
    else if (load(c, config, file_exists(file) ? file : NULL, e) == STATUS_OK)
        value = mem_text(span_of(config_text(config, key)));
    config_destroy(config);
    json_decref(shown);
    return value;
}

static void print_item(const json_t *item, bool origin)
{
    printf("%-24s = ", json_string_value(json_object_get(item, "key")));
    output_string(json_object_get(item, "value"));
    const char *word = json_string_value(json_object_get(item, "origin"));
    const json_t *line = json_object_get(item, "line");
    if (origin && line != NULL)
        printf("    (%s, line %lld)", word, (long long)json_integer_value(line));
    else if (origin)
        printf("    (%s)", word);
    putchar('\n');
}

static void add_item(json_t *object, const json_t *item, bool origin)
{
    const char *key = json_string_value(json_object_get(item, "key"));
    json_t *value = json_copy((json_t *)item);
    json_object_del(value, "key");
    json_object_set(object, key, origin ? value : json_object_get(item, "value"));
    json_decref(value);
}

enum status run_config_show(struct ctl *c, struct error *e)
{
    bool running;
    bool origin = ctl_has(c, "origin");
    json_t *items = config_in_force(c, &running, e);
    json_t *object = c->json && items != NULL ? json_object() : NULL;
    size_t i;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
        if (object != NULL)
            add_item(object, item, origin);
        else
            print_item(item, origin);
    }
    if (items == NULL)
        return e->status;
    if (object != NULL)
        output_json(object);
    if (!running)
        fputs("No supervisor was asked: this is what 'tandem up' would take from file and environment.\n", stderr);
    json_decref(items);
    return STATUS_OK;
}
