// object, recipe, blob. A recipe is given to both nodes, because each needs it to take an object of that type over from
// the other; an archive that is away gets it from the sparse node later, and is not waited for long.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/blob.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

enum { ARCHIVE_MS = 5000 };

static enum status show_object(const struct ctl *c, json_t *result, const struct error *e)
{
    static const struct output_column facts[] = {{"Hash", "hash", OUTPUT_TEXT},
                                                 {"Id hash", "idHash", OUTPUT_TEXT},
                                                 {"Type", "type", OUTPUT_TEXT},
                                                 {"It is", "presence", OUTPUT_STATE}};
    if (result == NULL || c->json)
        return output_result(result, e);
    json_t *object = json_incref(json_object_get(result, "object"));
    enum status s = output_object(c, result, facts, sizeof facts / sizeof *facts, e);
    json_object_del(object, "$type$");
    putchar('\n');
    output_tree(object);
    json_decref(object);
    return s;
}

enum status run_object_get(struct ctl *c, struct error *e)
{
    return show_object(c, ctl_call(c, "object.get", json_pack("{s:s}", "hash", c->arguments[0]), e), e);
}

enum status run_object_current(struct ctl *c, struct error *e)
{
    return show_object(c, ctl_call(c, "object.current", json_pack("{s:s}", "idHash", c->arguments[0]), e), e);
}

enum status run_object_versions(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"CREATED", "createdAt", OUTPUT_TIME},
                                                   {"DEPTH", "depth", OUTPUT_NUMBER},
                                                   {"KIND", "nodeType", OUTPUT_TEXT},
                                                   {"NODE", "node", OUTPUT_ID},
                                                   {"HASH", "hash", OUTPUT_ID}};
    json_t *items = ctl_list(c, "object.versions", json_pack("{s:s}", "idHash", c->arguments[0]), e);
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "No versions.", e);
}

enum status run_object_put(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {
        {"Hash", "hash", OUTPUT_TEXT}, {"Id hash", "idHash", OUTPUT_TEXT}, {"It is", "status", OUTPUT_TEXT}};
    json_t *object = NULL;
    if (ctl_read_json("-", &object, e) != STATUS_OK) {
        json_decref(object);
        return e->status;
    }
    return output_object(c, ctl_call(c, "object.put", json_pack("{s:o}", "object", object), e), facts,
                         sizeof facts / sizeof *facts, e);
}

static json_t *add_recipe(struct ctl *c, const char *node, json_t *recipe, int64_t within_ms, struct error *e)
{
    return ctl_call_within(c, "recipe.add", json_pack("{s:O, s:s}", "recipe", recipe, "node", node), within_ms, e);
}

// Both nodes need a recipe to take an object of it over from each other. An archive that is away takes it from the
// sparse node later.
static json_t *add_to_both(struct ctl *c, json_t *recipe, int64_t within_ms, struct error *e)
{
    json_t *result = add_recipe(c, "sparse", recipe, within_ms, e);
    json_t *second = result != NULL ? add_recipe(c, "archive", recipe, ARCHIVE_MS, e) : NULL;
    bool away = second == NULL && (strcmp(e->code, "NODE-DOWN") == 0 || e->status == STATUS_TIMEOUT);
    if (away) {
        error_clear(e);
        json_object_set_new(result, "state", json_string("pending"));
    } else if (second == NULL) {
        json_decref(result);
        result = NULL;
    }
    json_decref(second);
    return result;
}

enum status run_recipe_add(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {
        {"Name", "name", OUTPUT_TEXT}, {"Hash", "hash", OUTPUT_TEXT}, {"It is", "status", OUTPUT_TEXT}};
    json_t *recipe = NULL;
    int64_t within_ms = (int64_t)c->timeout_s * 1000;
    if (ctl_read_json(c->arguments[0], &recipe, e) != STATUS_OK) {
        json_decref(recipe);
        return e->status;
    }
    json_t *result =
        c->node != NULL ? add_recipe(c, c->node, recipe, within_ms, e) : add_to_both(c, recipe, within_ms, e);
    json_decref(recipe);
    return output_object(c, result, facts, sizeof facts / sizeof *facts, e);
}

enum status run_recipe_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"NAME", "name", OUTPUT_TEXT}, {"HASH", "hash", OUTPUT_ID}};
    return output_list(c, ctl_list(c, "recipe.list", NULL, e), columns, 2, "No recipes.", e);
}

static const struct output_column file_facts[] = {{"Hash", "hash", OUTPUT_TEXT}, {"Size", "size", OUTPUT_BYTES}};

enum status run_blob_put(struct ctl *c, struct error *e)
{
    return output_object(c, ctl_upload(c, c->arguments[0], e), file_facts, sizeof file_facts / sizeof *file_facts, e);
}

// With --json the bytes need a file of their own, because stdout carries the document.
enum status run_blob_get(struct ctl *c, struct error *e)
{
    const char *file = ctl_value(c, "output");
    int64_t size = 0;
    if (file == NULL && c->json)
        return ctl_usage(e, "blob get --json wants -o FILE");
    json_t *stat = ctl_call(c, "blob.stat", json_pack("{s:s}", "hash", c->arguments[0]), e);
    if (stat == NULL)
        return e->status;
    const char *hash = json_string_value(json_object_get(stat, "hash"));
    if (blob_download(c, hash, file, &size, e) != STATUS_OK || file == NULL) {
        json_decref(stat);
        return e->status;
    }
    return output_object(c, stat, file_facts, sizeof file_facts / sizeof *file_facts, e);
}
