// The rows of objects come in pages, each read by one statement, so that a long look keeps nobody from shortening the
// log of the database. What seems wrong is looked at again: while it was read, the store may have moved it.
#include "store/verify_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/sha256.h"
#include "io/file.h"
#include "io/folder.h"
#include "store/lost.h"
#include "store/place.h"
#include "store/rows.h"
#include "store/textlinks.h"

enum { PAGE_ROWS = 64, FILE_STEP = 256 << 10, NAME_BYTES = 300, LOOKS = 5, LOOK_NS = 20000000 };

struct row {
    int64_t seq;
    struct hash hash;
    struct hash id_hash;
    uint64_t size;
    enum state state;
    int kind; // -1: nothing is known of it
    char type[80];
    bool inside; // the database has its bytes
    struct buf body;
};

static char *path_in(const struct verifying *v, const char *folder, const struct hash *hash, bool sorted)
{
    struct buf b = {0};
    struct hash_text t = hash_text(hash);
    buf_printf(&b, "%s/%s/", v->dir, folder);
    if (sorted)
        buf_printf(&b, "%.2s/", t.s);
    buf_add_text(&b, t.s);
    buf_cstr(&b);
    return b.data;
}

// ---- Bytes ----------------------------------------------------------------------------------------------------------

// STATUS_NOT_FOUND, or the hash of a file and, if keep, its bytes.
static enum status hash_path(struct verifying *v, const char *path, bool keep, struct hash *out)
{
    struct sha256 *sha = sha256_create();
    enum status status = STATUS_OK;
    uint64_t at = 0;
    buf_clear(&v->bytes);
    for (size_t got = 1; got != 0 && status == STATUS_OK && !verify_is_stopped(v); at += got) {
        size_t before = v->bytes.len;
        status = file_read_at(path, at, FILE_STEP, &v->bytes, NULL);
        got = v->bytes.len - before;
        if (got != 0)
            sha256_update(sha, (struct span){v->bytes.data + before, got});
        if (!keep || v->bytes.len > STORE_BODY_LIMIT)
            buf_clear(&v->bytes);
    }
    *out = sha256_finish(sha);
    sha256_destroy(sha);
    return status;
}

static enum status hash_settled(struct verifying *v, const struct hash *hash, bool keep, struct hash *out)
{
    static const char *const folders[] = {"objects", "incoming", "objects"}; // it may be on its way to the first
    enum status status = STATUS_NOT_FOUND;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && status == STATUS_NOT_FOUND; i++) {
        char *path = path_in(v, folders[i], hash, strcmp(folders[i], "objects") == 0);
        status = hash_path(v, path, keep, out);
        free(path);
    }
    return status;
}

// What is wrong is looked at once more, as it is now: it may have been settled, evicted or stored anew meanwhile.
static bool is_still_wrong(struct verifying *v, const struct row *row)
{
    struct hash actual;
    sqlite3_reset(v->one);
    bind_hash(v->one, 1, &row->hash);
    if (!verify_next(v, v->one) || (enum state)sqlite3_column_int(v->one, 0) != STATE_PRESENT) {
        sqlite3_reset(v->one);
        return false;
    }
    bool inside = sqlite3_column_type(v->one, 1) != SQLITE_NULL;
    if (inside)
        actual = sha256(column_bytes(v->one, 1));
    sqlite3_reset(v->one);
    if (!inside && hash_settled(v, &row->hash, false, &actual) != STATUS_OK)
        return true;
    return !hash_eq(&actual, &row->hash);
}

static bool is_object(const struct row *row)
{
    return row->kind == STORE_OBJECT || row->kind == STORE_ID_OBJECT;
}

// The bytes of an object are in *text then.
static bool check_bytes(struct verifying *v, const struct row *row, struct span *text)
{
    struct hash actual;
    enum status status = STATUS_OK;
    *text = buf_span(&row->body);
    if (row->inside) {
        actual = sha256(*text);
    } else {
        status = hash_settled(v, &row->hash, is_object(row), &actual);
        *text = buf_span(&v->bytes);
    }
    bool right = status == STATUS_OK && hash_eq(&actual, &row->hash);
    if (!right && !verify_is_stopped(v) && is_still_wrong(v, row))
        verify_found(v, &row->hash, row->type, status == STATUS_OK ? STORE_FOUND_DAMAGED : STORE_FOUND_MISSING);
    return right;
}

// ---- The index ------------------------------------------------------------------------------------------------------

// Each target stands in the index once, in the order of the text.
static bool links_fit(struct verifying *v, const struct row *row, struct span text)
{
    struct hash_map *seen = hash_map_create();
    enum link_kind kind;
    struct hash target;
    bool fit = true;
    sqlite3_reset(v->links);
    sqlite3_bind_int64(v->links, 1, row->seq);
    while (fit && text_next_link(&text, &kind, &target)) {
        struct hash noted;
        if (hash_map_add(seen, &target))
            fit = verify_next(v, v->links) && column_hash(v->links, 0, &noted) && hash_eq(&noted, &target) &&
                  sqlite3_column_int(v->links, 1) == (int)kind;
    }
    fit = fit && !verify_next(v, v->links);
    sqlite3_reset(v->links);
    hash_map_destroy(seen);
    return fit;
}

static void check_index(struct verifying *v, const struct row *row, struct span text)
{
    struct span type;
    enum microdata_form form;
    if (!is_object(row))
        return;
    bool right = text.len == row->size && microdata_sniff(text, &type, &form) && span_eq_text(type, row->type) &&
                 (form == MICRODATA_ID_OBJECT) == (row->kind == STORE_ID_OBJECT) && links_fit(v, row, text);
    if (right && row->kind == STORE_ID_OBJECT)
        right = hash_eq(&row->id_hash, &row->hash);
    if (!right && !verify_is_stopped(v))
        verify_index_is_wrong(v, "the index does not fit the bytes of", &row->hash);
}

// ---- All objects ----------------------------------------------------------------------------------------------------

// What was never here, only named by somebody who could not deliver it, is not lost.
static void read_row(sqlite3_stmt *st, struct row *row)
{
    bool named = sqlite3_column_int(st, 8) != 0;
    const char *type = (const char *)sqlite3_column_text(st, 6);
    buf_clear(&row->body);
    row->seq = sqlite3_column_int64(st, 0);
    if (!column_hash(st, 1, &row->hash))
        row->hash = (struct hash){{0}};
    row->size = (uint64_t)sqlite3_column_int64(st, 2);
    if (!column_hash(st, 3, &row->id_hash))
        row->id_hash = (struct hash){{0}};
    row->state = (enum state)sqlite3_column_int(st, 4);
    row->kind = sqlite3_column_type(st, 5) == SQLITE_NULL ? -1 : sqlite3_column_int(st, 5);
    snprintf(row->type, sizeof row->type, "%s", type != NULL ? type : "");
    row->inside = sqlite3_column_type(st, 7) != SQLITE_NULL;
    if (row->inside)
        buf_add_span(&row->body, column_bytes(st, 7));
    if (row->state == STATE_WANTED && row->kind < 0 && named)
        row->state = STATE_REMOTE;
}

static void check_wanted(struct verifying *v, const struct row *row)
{
    struct hash actual;
    bool here = hash_settled(v, &row->hash, false, &actual) == STATUS_OK && hash_eq(&actual, &row->hash);
    verify_found(v, &row->hash, row->type, here ? STORE_FOUND_HERE : STORE_FOUND_MISSING);
}

static void check_row(struct verifying *v, const struct row *row)
{
    struct span text;
    if (row->state == STATE_WANTED)
        check_wanted(v, row);
    if (row->state != STATE_PRESENT)
        return;
    if (check_bytes(v, row, &text))
        check_index(v, row, text);
    v->out->objects++;
    atomic_fetch_add(&v->watch->done, 1);
}

static void check_objects(struct verifying *v)
{
    struct row rows[PAGE_ROWS] = {0};
    int64_t after = 0;
    size_t count = 1;
    while (count != 0 && !verify_is_stopped(v)) {
        sqlite3_reset(v->page);
        sqlite3_bind_int64(v->page, 1, after);
        sqlite3_bind_int(v->page, 2, PAGE_ROWS);
        for (count = 0; count < PAGE_ROWS && verify_next(v, v->page); count++) {
            read_row(v->page, &rows[count]);
            after = rows[count].seq;
        }
        sqlite3_reset(v->page);
        for (size_t i = 0; i < count && !verify_is_stopped(v); i++)
            check_row(v, &rows[i]);
    }
    for (size_t i = 0; i < PAGE_ROWS; i++)
        buf_free(&rows[i].body);
}

// ---- Heads ----------------------------------------------------------------------------------------------------------

struct head {
    struct hash id_hash;
    struct hash node;
    bool unsettled;
    bool right;
};

static void read_head(sqlite3_stmt *st, struct head *h)
{
    struct hash data, owner, linked;
    h->right = column_hash(st, 0, &h->id_hash) && column_hash(st, 1, &h->node);
    h->unsettled = sqlite3_column_int(st, 3) != 0;
    h->right = h->right && column_hash(st, 2, &data) && column_hash(st, 4, &owner) && column_hash(st, 5, &linked) &&
               hash_eq(&owner, &h->id_hash) && hash_eq(&linked, &data);
}

static bool is_settled_as(const struct verifying *v, const struct head *h)
{
    struct buf text = {0};
    struct hash node;
    char *path = path_in(v, "vheads", &h->id_hash, true);
    bool same = file_read(path, NAME_BYTES, &text, NULL) == STATUS_OK && hash_parse(buf_span(&text), &node) &&
                hash_eq(&node, &h->node);
    buf_free(&text);
    free(path);
    return same;
}

static size_t read_heads(struct verifying *v, const struct hash *after, size_t limit, struct head *heads)
{
    size_t count = 0;
    sqlite3_reset(v->heads);
    bind_hash(v->heads, 1, after);
    sqlite3_bind_int64(v->heads, 2, (int64_t)limit);
    while (count < limit && verify_next(v, v->heads))
        read_head(v->heads, &heads[count++]);
    sqlite3_reset(v->heads);
    return count;
}

static bool fits(const struct verifying *v, const struct head *h)
{
    return h->right && (v->kind != STORE_ARCHIVE || h->unsettled || is_settled_as(v, h));
}

// One that moves while it is looked at is unsettled for a moment, or is settled as something else.
static bool keeps_wrong(struct verifying *v, const struct hash *before, const struct head *h)
{
    struct head again = *h;
    for (int i = 0; i < LOOKS && !fits(v, &again); i++) {
        nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
        if (read_heads(v, before, 1, &again) != 1 || !hash_eq(&again.id_hash, &h->id_hash))
            return false;
    }
    return !fits(v, &again);
}

static void check_heads(struct verifying *v)
{
    struct head heads[PAGE_ROWS];
    struct hash after = {{0}};
    size_t count;
    do {
        count = read_heads(v, &after, PAGE_ROWS, heads);
        for (size_t i = 0; i < count && !verify_is_stopped(v); i++) {
            if (!fits(v, &heads[i]) && keeps_wrong(v, &after, &heads[i]) && !verify_is_stopped(v))
                verify_index_is_wrong(v, "not what is settled is current of", &heads[i].id_hash);
            after = heads[i].id_hash;
        }
    } while (count == PAGE_ROWS && !verify_is_stopped(v));
}

// ---- Files ----------------------------------------------------------------------------------------------------------

// Without an index the names are all there is to compare with.
static enum status check_file(const struct folder_file *file, void *arg, struct error *e)
{
    struct verifying *v = arg;
    struct hash name, actual;
    if (verify_is_stopped(v))
        return error_set(e, STATUS_CLOSED, "CLOSED", "it was stopped");
    if (!hash_parse(span_of(file->name), &name))
        return STATUS_OK;
    if (v->state != NULL && !v->out->is_damaged_database) {
        sqlite3_reset(v->state);
        bind_hash(v->state, 1, &name);
        v->out->unindexed += !verify_next(v, v->state);
        sqlite3_reset(v->state);
        return STATUS_OK;
    }
    v->out->objects++;
    atomic_fetch_add(&v->watch->done, 1);
    if (hash_path(v, file->path, false, &actual) != STATUS_OK || !hash_eq(&actual, &name))
        verify_found(v, &name, "", STORE_FOUND_DAMAGED);
    return STATUS_OK;
}

static enum status check_files(struct verifying *v, struct error *e)
{
    struct buf folder = {0};
    buf_printf(&folder, "%s/objects", v->dir);
    enum status status = folder_walk(buf_cstr(&folder), check_file, v, e);
    buf_free(&folder);
    return status;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

enum status store_verify(const char *dir, enum store_kind kind, struct store_watch *watch,
                         struct store_verification *out, struct error *e)
{
    struct verifying v = {.dir = dir, .kind = kind, .watch = watch, .out = out};
    *out = (struct store_verification){0};
    bool marked;
    bool damaged_format;
    if (store_check_format(dir, &marked, &damaged_format, e) != STATUS_OK)
        verify_say(&v, "the format", e->message);
    else if (!marked || damaged_format)
        verify_say(&v, "the format", "the file is missing or damaged");
    if (verify_open(&v))
        verify_database(&v);
    if (!out->is_damaged_database && !verify_is_stopped(&v))
        verify_prepare(&v);
    if (!out->is_damaged_database && !verify_is_stopped(&v)) {
        atomic_store(&watch->total, (uint64_t)verify_ask(&v, "SELECT objects FROM total"));
        check_objects(&v);
        check_heads(&v);
    }
    error_clear(e);
    enum status status = verify_is_stopped(&v) ? STATUS_OK : check_files(&v, e);
    if (verify_is_stopped(&v))
        status = error_set(e, STATUS_CLOSED, "CLOSED", "it was stopped");
    verify_close(&v);
    buf_free(&v.bytes);
    return status;
}

void store_verification_free(struct store_verification *v)
{
    free(v->items);
    *v = (struct store_verification){0};
}
