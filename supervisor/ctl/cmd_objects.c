// object, recipe, blob.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/blob.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

enum status run_object_get(struct ctl *c, struct error *e)
{
    return output_result(c, ctl_call(c, "object.get", json_pack("{s:s}", "hash", c->arguments[0]), e), e);
}

enum status run_object_current(struct ctl *c, struct error *e)
{
    return output_result(c, ctl_call(c, "object.current", json_pack("{s:s}", "idHash", c->arguments[0]), e), e);
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
    json_t *object = NULL;
    if (ctl_read_json("-", &object, e) != STATUS_OK) {
        json_decref(object);
        return e->status;
    }
    return output_result(c, ctl_call(c, "object.put", json_pack("{s:o}", "object", object), e), e);
}

// Both nodes need a recipe to take an object of it over from each other; the archive's answer is as good as the other.
enum status run_recipe_add(struct ctl *c, struct error *e)
{
    static const char *const nodes[] = {"archive", "sparse"};
    json_t *recipe = NULL;
    json_t *result = NULL;
    enum status s = ctl_read_json(c->arguments[0], &recipe, e);
    for (size_t i = 0; s == STATUS_OK && i < sizeof nodes / sizeof *nodes; i++) {
        if (c->node != NULL && strcmp(c->node, nodes[i]) != 0)
            continue;
        json_decref(result);
        result = ctl_call(c, "recipe.add", json_pack("{s:O, s:s}", "recipe", recipe, "node", nodes[i]), e);
        s = result != NULL ? STATUS_OK : e->status;
    }
    json_decref(recipe);
    return s == STATUS_OK ? output_result(c, result, e) : s;
}

enum status run_recipe_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"NAME", "name", OUTPUT_TEXT}, {"HASH", "hash", OUTPUT_ID}};
    return output_list(c, ctl_list(c, "recipe.list", NULL, e), columns, 2, "No recipes.", e);
}

enum status run_blob_put(struct ctl *c, struct error *e)
{
    return output_result(c, ctl_upload(c, c->arguments[0], e), e);
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
    return output_result(c, stat, e);
}
