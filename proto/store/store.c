// Opening and closing, and the store as versions see it (data/version.h): what they read and write goes through the
// functions at the beginning. The order of opening matters: nobody gets a store whose last crash was not cleaned up.
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/folder.h"
#include "store/changes.h"
#include "store/current.h"
#include "store/database.h"
#include "store/dir.h"
#include "store/links.h"
#include "store/lost.h"
#include "store/op.h"
#include "store/place.h"
#include "store/recipes.h"
#include "store/recover.h"
#include "store/rows.h"
#include "store/scope_events.h"
#include "store/snapshot.h"
#include "store/state.h"
#include "store/withheld.h"

static enum status versions_read(void *ctx, const struct hash *hash, struct arena *a, struct span *text,
                                 struct error *e)
{
    return store_get(ctx, hash, a, text, e);
}

static enum status versions_write(void *ctx, const struct object *o, struct error *e)
{
    struct store *s = ctx;
    s->making = true;
    enum status status = store_put(s, o, NULL, e);
    s->making = false;
    return status;
}

static enum status versions_head(void *ctx, const struct hash *id_hash, struct hash *node, struct error *e)
{
    return store_head(ctx, id_hash, node, e);
}

static enum status versions_set_head(void *ctx, const struct hash *id_hash, const struct hash *node, struct error *e)
{
    return current_set(ctx, id_hash, node, e);
}

static void versions_lost(void *ctx, const struct version_loss *loss)
{
    changes_add_loss(ctx, loss);
}

static bool versions_links(void *ctx, const struct hash *hash, struct hash_list *targets, struct hash *same_type)
{
    struct store *s = ctx;
    struct object_row row;
    struct child_rows links = {0};
    bool found;
    *same_type = (struct hash){{0}};
    bool known = object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.type != NULL &&
                 links_load(s, row.seq, &links, NULL) == STATUS_OK;
    for (size_t i = 0; known && i < links.count; i++) {
        hash_list_add(targets, &links.items[i].target);
        if (links.items[i].row.type == row.type)
            *same_type = links.items[i].target;
    }
    free(links.items);
    return known;
}

static struct store *create(const struct store_options *options)
{
    struct store *s = mem_alloc(sizeof *s);
    s->in_use = &s->main;
    s->dir = mem_text(span_of(options->dir));
    s->kind = options->kind;
    s->op_age = -1;
    s->recipes = options->recipes;
    s->versions = (struct version_source){.ctx = s,
                                          .recipes = s->recipes,
                                          .marks = list_marks_create(),
                                          .read = versions_read,
                                          .write = versions_write,
                                          .head = versions_head,
                                          .set_head = versions_set_head,
                                          .lost = versions_lost,
                                          .links = versions_links};
    rows_create(s);
    s->rows_changed = 1;
    scope_events_create(s);
    s->withheld = hash_map_create();
    s->needed = hash_map_create();
    s->uses = hash_map_create();
    return s;
}

static enum status take_lock(struct store *s, struct error *e)
{
    char *path = store_path(s, "lock");
    struct error why = {0};
    enum status status = lock_acquire(path, &s->lock, &why);
    free(path);
    if (status == STATUS_CONFLICT)
        return error_set(e, status, "STORE-LOCKED", "The store in %s is in use: %.200s", s->dir, why.message);
    return status == STATUS_OK ? status : error_set(e, status, why.code, "%s", why.message);
}

static enum status stop_at_first(const struct folder_file *file, void *arg, struct error *e)
{
    (void)file;
    (void)arg;
    (void)e;
    return STATUS_EXISTS;
}

// A folder that holds objects had a database once, whatever became of it.
static bool has_objects(const struct store *s)
{
    char *path = store_path(s, "objects");
    bool any = folder_walk(path, stop_at_first, NULL, NULL) == STATUS_EXISTS;
    free(path);
    return any;
}

// Opens the database, or makes it anew from the files when it is damaged, empty or gone.
static enum status open_or_recover(struct store *s, struct store_report *report, struct error *e)
{
    bool marked;
    bool damaged;
    enum status status = store_check_format(s->dir, &marked, &damaged, e);
    if (status != STATUS_OK)
        return status;
    char *path = database_path(s);
    bool there = file_exists(path);
    bool known = marked || has_objects(s);
    status = STATUS_CORRUPT;
    if ((there || !known) && !dir_needs_rebuild(s))
        status = database_open(s, !known, e);
    bool foreign = status == STATUS_OK && place_is_foreign(s);
    if (status == STATUS_CORRUPT || foreign) {
        status = recover_database(s, foreign, report, e);
        report->rebuilt = true;
    }
    report->created = !known && !report->rebuilt;
    if (status == STATUS_OK && (!marked || damaged))
        status = store_write_format(s->dir, e);
    if (s->stays_long && report->note[0] == '\0')
        snprintf(report->note, sizeof report->note,
                 "There was no room to write the database anew, so that it cannot "
                 "get shorter when something is deleted; the next start tries again");
    if (damaged && report->note[0] == '\0')
        snprintf(report->note, sizeof report->note, "The file 'format' of the store was damaged and was written anew");
    free(path);
    return status;
}

enum status store_open(const struct store_options *options, struct store **out, struct store_report *report,
                       struct error *e)
{
    struct store_report ignored;
    if (report == NULL)
        report = &ignored;
    memset(report, 0, sizeof *report);
    *out = NULL;
    struct store *s = create(options);
    enum status status = folder_create(s->dir, 0700, e);
    if (status == STATUS_OK)
        status = place_clear(s, report, e);
    if (status == STATUS_OK)
        status = take_lock(s, e);
    if (status == STATUS_OK)
        status = place_folders(s, e);
    if (status == STATUS_OK && options->rebuild)
        dir_mark_rebuild(s);
    if (status == STATUS_OK)
        status = open_or_recover(s, report, e);
    if (status == STATUS_OK)
        status = snapshot_begin_epoch(s, report, e);
    if (status == STATUS_OK)
        status = place_recover(s, &report->repaired, e);
    if (status == STATUS_OK)
        status = recover_recipes(s, e);
    if (status != STATUS_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    if (s->in_transaction)
        store_rollback(s);
    database_close(s);
    for (size_t i = 0; i < VERIFY_SLOTS; i++)
        sha256_destroy(s->slots[i].sha);
    rows_destroy(s);
    scope_events_destroy(s);
    withheld_destroy(s);
    list_marks_destroy(s->versions.marks);
    hash_list_free(&s->arrivals);
    hash_map_destroy(s->needed);
    hash_list_free(&s->damaged);
    hash_list_free(&s->missed);
    hash_map_destroy(s->uses);
    free(s->notes);
    changes_free(s->changes, s->change_count);
    free(s->marks);
    lock_release(s->lock);
    free(s->dir);
    free(s);
}

enum store_kind store_kind(const struct store *s)
{
    return s->kind;
}

const struct recipes *store_recipes(const struct store *s)
{
    return s->recipes;
}

enum status store_add_recipe(struct store *s, const struct value *recipe, struct error *e)
{
    return recipes_add(s->recipes, recipe, e);
}

const struct version_source *store_versions(struct store *s)
{
    return &s->versions;
}

void store_set_hook(struct store *s, store_hook hook, void *ctx)
{
    s->hook = hook;
    s->hook_ctx = ctx;
}
