// The rows of objects come in pages, each read by one statement, so that a long look keeps nobody from shortening the
// log of the database. What seems wrong is looked at again: while it was read, the store may have moved it.
#include "store/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/invariant.h"
#include "crypto/sha256.h"
#include "io/file.h"
#include "io/folder.h"
#include "store/lost.h"
#include "store/place.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/statements.h"
#include "store/textlinks.h"

enum { PAGE_ROWS = 64, FILE_STEP = 256 << 10, PROGRESS_STEPS = 10000, NAME_BYTES = 300, LOOKS = 5, LOOK_NS = 20000000 };

struct verifying {
    const char *dir;
    enum store_kind kind;
    struct store_watch *watch;
    struct store_verification *out;
    sqlite3 *db;
    sqlite3_stmt *page, *links, *one, *state, *heads;
    struct buf bytes;
};

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

static bool is_stopped(const struct verifying *v)
{
    return atomic_load(&v->watch->stop);
}

// ---- Findings -------------------------------------------------------------------------------------------------------

static void add_finding(struct verifying *v, const struct hash *hash, const char *type, int what)
{
    struct store_verification *out = v->out;
    if (out->count == out->cap) {
        out->cap = out->cap != 0 ? 2 * out->cap : 64;
        out->items = mem_resize(out->items, out->cap * sizeof *out->items);
    }
    struct store_finding *f = &out->items[out->count++];
    *f = (struct store_finding){.hash = *hash};
    f->what = (__typeof__(f->what))what;
    snprintf(f->type, sizeof f->type, "%s", type);
}

static void say(struct verifying *v, const char *what, const char *detail)
{
    if (v->out->why[0] == '\0')
        snprintf(v->out->why, sizeof v->out->why, "%.40s: %.150s", what, detail);
}

static void database_is_damaged(struct verifying *v, const char *detail)
{
    v->out->is_damaged_database = true;
    say(v, "the database", detail);
}

static void index_is_wrong(struct verifying *v, const char *what, const struct hash *about)
{
    v->out->index_faults++;
    say(v, what, hash_text(about).s);
}

// ---- The database ---------------------------------------------------------------------------------------------------

static int keep_on(void *arg)
{
    return is_stopped(arg);
}

static sqlite3_stmt *prepare(struct verifying *v, const char *sql)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(v->db, sql, -1, &st, NULL) != SQLITE_OK)
        database_is_damaged(v, sqlite3_errmsg(v->db));
    return st;
}

static void prepare_all(struct verifying *v)
{
    v->page = prepare(v, "SELECT o.seq, o.hash, o.size, o.id_hash, o.state, t.kind, t.name, b.bytes, EXISTS(SELECT 1 "
                         "FROM wanted w WHERE w.hash = o.hash) FROM object o LEFT JOIN type t ON t.id = o.type LEFT "
                         "JOIN body b ON b.seq = o.seq WHERE o.seq > ?1 ORDER BY o.seq LIMIT ?2");
    v->links = prepare(v, "SELECT target, kind FROM link WHERE src = ?1 ORDER BY ordinal");
    v->one = prepare(v, "SELECT o.state, b.bytes FROM object o LEFT JOIN body b ON b.seq = o.seq WHERE o.hash = ?1");
    v->state = prepare(v, "SELECT state FROM object WHERE hash = ?1");
    v->heads =
        prepare(v, "SELECT h.id_hash, h.node, h.data, h.unsettled, d.id_hash, (SELECT l.target FROM link l WHERE "
                   "l.src = n.seq ORDER BY l.ordinal DESC LIMIT 1) FROM head h LEFT JOIN object n ON n.hash = "
                   "h.node LEFT JOIN object d ON d.hash = h.data WHERE h.id_hash > ?1 ORDER BY h.id_hash LIMIT "
                   "?2");
}

// What the store itself is about to write may be in the log: who opens it only for reading might not find it.
static bool open_database(struct verifying *v)
{
    struct buf path = {0};
    buf_printf(&path, "%s/store.db", v->dir);
    int rc = sqlite3_open_v2(buf_cstr(&path), &v->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    buf_free(&path);
    if (rc != SQLITE_OK) {
        database_is_damaged(v, sqlite3_errstr(rc));
        return false;
    }
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(v->db, 1000);
    sqlite3_progress_handler(v->db, PROGRESS_STEPS, keep_on, v);
    rc = sqlite3_exec(v->db, "PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA mmap_size = 0", NULL, NULL,
                      NULL);
    if (rc != SQLITE_OK)
        database_is_damaged(v, sqlite3_errmsg(v->db));
    return rc == SQLITE_OK;
}

static int64_t ask(struct verifying *v, const char *sql)
{
    int64_t answer = -1;
    sqlite3_stmt *st = prepare(v, sql);
    if (sqlite3_step(st) == SQLITE_ROW)
        answer = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return answer;
}

static void check_database(struct verifying *v)
{
    sqlite3_stmt *st = prepare(v, "PRAGMA integrity_check(1)");
    int rc = sqlite3_step(st);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : sqlite3_errmsg(v->db);
    if (!is_stopped(v) && (said == NULL || strcmp(said, "ok") != 0))
        database_is_damaged(v, said != NULL ? said : "no answer");
    sqlite3_finalize(st);
    if (!is_stopped(v) && ask(v, "PRAGMA application_id") != STORE_APPLICATION)
        database_is_damaged(v, "it is not one of a store");
}

// One step of a statement of ours; false at the end, which damage is too.
static bool next(struct verifying *v, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE && !is_stopped(v))
        database_is_damaged(v, sqlite3_errmsg(v->db));
    if (rc != SQLITE_ROW)
        sqlite3_reset(st);
    return rc == SQLITE_ROW;
}

// ---- Bytes ----------------------------------------------------------------------------------------------------------

// STATUS_NOT_FOUND, or the hash of a file and, if keep, its bytes.
static enum status hash_path(struct verifying *v, const char *path, bool keep, struct hash *out)
{
    struct sha256 *sha = sha256_create();
    enum status status = STATUS_OK;
    uint64_t at = 0;
    buf_clear(&v->bytes);
    for (size_t got = 1; got != 0 && status == STATUS_OK && !is_stopped(v); at += got) {
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
    if (!next(v, v->one) || (enum state)sqlite3_column_int(v->one, 0) != STATE_PRESENT) {
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
    if (!right && !is_stopped(v) && is_still_wrong(v, row))
        add_finding(v, &row->hash, row->type, status == STATUS_OK ? STORE_FOUND_DAMAGED : STORE_FOUND_MISSING);
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
            fit = next(v, v->links) && column_hash(v->links, 0, &noted) && hash_eq(&noted, &target) &&
                  sqlite3_column_int(v->links, 1) == (int)kind;
    }
    fit = fit && !next(v, v->links);
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
    if (!right && !is_stopped(v))
        index_is_wrong(v, "the index does not fit the bytes of", &row->hash);
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
    add_finding(v, &row->hash, row->type, here ? STORE_FOUND_HERE : STORE_FOUND_MISSING);
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
    while (count != 0 && !is_stopped(v)) {
        sqlite3_reset(v->page);
        sqlite3_bind_int64(v->page, 1, after);
        sqlite3_bind_int(v->page, 2, PAGE_ROWS);
        for (count = 0; count < PAGE_ROWS && next(v, v->page); count++) {
            read_row(v->page, &rows[count]);
            after = rows[count].seq;
        }
        sqlite3_reset(v->page);
        for (size_t i = 0; i < count && !is_stopped(v); i++)
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
    while (count < limit && next(v, v->heads))
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
        for (size_t i = 0; i < count && !is_stopped(v); i++) {
            if (!fits(v, &heads[i]) && keeps_wrong(v, &after, &heads[i]) && !is_stopped(v))
                index_is_wrong(v, "not what is settled is current of", &heads[i].id_hash);
            after = heads[i].id_hash;
        }
    } while (count == PAGE_ROWS && !is_stopped(v));
}

// ---- Files ----------------------------------------------------------------------------------------------------------

// Without an index the names are all there is to compare with.
static enum status check_file(const struct folder_file *file, void *arg, struct error *e)
{
    struct verifying *v = arg;
    struct hash name, actual;
    if (is_stopped(v))
        return error_set(e, STATUS_CLOSED, "CLOSED", "it was stopped");
    if (!hash_parse(span_of(file->name), &name))
        return STATUS_OK;
    if (v->state != NULL && !v->out->is_damaged_database) {
        sqlite3_reset(v->state);
        bind_hash(v->state, 1, &name);
        v->out->unindexed += !next(v, v->state);
        sqlite3_reset(v->state);
        return STATUS_OK;
    }
    v->out->objects++;
    atomic_fetch_add(&v->watch->done, 1);
    if (hash_path(v, file->path, false, &actual) != STATUS_OK || !hash_eq(&actual, &name))
        add_finding(v, &name, "", STORE_FOUND_DAMAGED);
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

static void close_database(struct verifying *v)
{
    sqlite3_stmt *const all[] = {v->page, v->links, v->one, v->state, v->heads};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    sqlite3_close_v2(v->db);
}

enum status store_verify(const char *dir, enum store_kind kind, struct store_watch *watch,
                         struct store_verification *out, struct error *e)
{
    struct verifying v = {.dir = dir, .kind = kind, .watch = watch, .out = out};
    *out = (struct store_verification){0};
    bool marked;
    bool damaged_format;
    if (store_check_format(dir, &marked, &damaged_format, e) != STATUS_OK)
        say(&v, "the format", e->message);
    else if (!marked || damaged_format)
        say(&v, "the format", "the file is missing or damaged");
    if (open_database(&v))
        check_database(&v);
    if (!out->is_damaged_database && !is_stopped(&v))
        prepare_all(&v);
    if (!out->is_damaged_database && !is_stopped(&v)) {
        atomic_store(&watch->total, (uint64_t)ask(&v, "SELECT objects FROM total"));
        check_objects(&v);
        check_heads(&v);
    }
    error_clear(e);
    enum status status = is_stopped(&v) ? STATUS_OK : check_files(&v, e);
    if (is_stopped(&v))
        status = error_set(e, STATUS_CLOSED, "CLOSED", "it was stopped");
    close_database(&v);
    buf_free(&v.bytes);
    return status;
}

void store_verification_free(struct store_verification *v)
{
    free(v->items);
    *v = (struct store_verification){0};
}
