// The database of a store, version 8 (application_id "TNDM"). One number line, seq, numbers objects and scope entries
// in the order they came.
//
//   type          the recipe names (and the two kinds of files) objects refer to by a small number
//   object        everything known by its hash; tree: enum tree; state: present, remote, wanted, deleted; source: whose
//   node
//                 sent it first, as a number (provenance.c), 0 = it was made here; part: it lies here as part of
//                 something else only, and has no effect of its own
//   brought       who else proved to have it, by sending it or by making it after it had come from somebody
//   wanted        who showed us the BLOBs that are wanted and were never here, or named one that came otherwise
//   body          bytes not (archive: not yet) in a file of their own
//   link          direct links in text order, each target once (DATA-MODEL.md 10.2); type is that of src, so that
//                 referrers of one type are one range of the index (DATA-MODEL.md 9)
//   head          current versions (DATA-MODEL.md 8.2); data is the object of the node; born orders ids of a type;
//                 unsettled: vheads/ does not have it yet
//   scope         a granted root: kind 0 = object (Access), 1 = id with all its versions (IdAccess); fragment: its
//   entry
//                 in the root list, NULL while it cannot be delivered; lacking: enum FRAGMENT_…
//   scope_log     the version nodes of an id scope, as they became part of it, with their entries
//   again         scopes and versions of them (0: its own entry) whose entry changed after it was made: what was
//   missing
//                 below it came
//   member        who sees a scope: is_group 0 = a person, 1 = a group, 2 = a person without a grant (store_offer);
//                 until_seq = revoked
//   group_member  who is in a group
//   hidden        what is not shown any more; kept: its bytes have yet to go
//   gone          whose bytes are to be removed from the disk, files and pages of the database
//   epoch         random, anew with every database: a feed's cursor is (epoch, seq)
//   op, setting
//   used          of a sparse store: files that are here, and when each was used last, in ms since 1970 (room.h);
//                 used_total: how much that is, kept by triggers
//   settled       what is here of what others show us: of each of them, leaf by leaf, how many roots and what they
//                 come to (sums.h); kept right by triggers. settled_peer: who, and under which key; used: a number
//                 that is the bigger the later it was asked
//   outbox        what another node is to do for the user (outbox.h); outbox_total: what waits, kept by triggers
//   delivery      how far each own message got, by recipient (delivery.h); change numbers the changes
//   trace         the way of the last messages, step by step (trace.h)
//   total         sums kept with every commit, and the next seq
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

enum { STORE_VERSION = 9 }; // user_version of the database

// What is written and sent by way of another node. Before version 3 there was nothing of it.
#define FACE_TABLES                                                                                                    \
    "CREATE TABLE outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL UNIQUE, method TEXT NOT NULL, "       \
    " params TEXT NOT NULL, created_at INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, result TEXT, code TEXT, "   \
    " why TEXT, topic TEXT, message BLOB, time REAL) STRICT;"                                                          \
    "CREATE INDEX outbox_waiting ON outbox(seq) WHERE state = 0;"                                                      \
    "CREATE INDEX outbox_topic ON outbox(topic, time) WHERE topic IS NOT NULL;"                                        \
    "CREATE INDEX outbox_message ON outbox(message) WHERE message IS NOT NULL;"                                        \
    "CREATE TABLE outbox_total(count INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;"                                \
    "INSERT INTO outbox_total VALUES(0, 0);"                                                                           \
    "CREATE TRIGGER outbox_in AFTER INSERT ON outbox WHEN NEW.state = 0 BEGIN UPDATE outbox_total SET count = count "  \
    "+ 1, bytes = bytes + length(NEW.params); END;"                                                                    \
    "CREATE TRIGGER outbox_out AFTER UPDATE OF state ON outbox WHEN OLD.state = 0 AND NEW.state <> 0 BEGIN UPDATE "    \
    "outbox_total SET count = count - 1, bytes = bytes - length(OLD.params); END;"                                     \
    "CREATE TABLE delivery(message BLOB NOT NULL, person BLOB NOT NULL, state INTEGER NOT NULL, at INTEGER NOT NULL, " \
    " why TEXT NOT NULL, change INTEGER NOT NULL, PRIMARY KEY(message, person)) STRICT, WITHOUT ROWID;"                \
    "CREATE UNIQUE INDEX delivery_change ON delivery(change);"                                                         \
    "CREATE INDEX delivery_waiting ON delivery(person) WHERE state = 0;"

// Before version 4 it was not kept.
#define TRACE_TABLE                                                                                                    \
    "CREATE TABLE trace(number INTEGER PRIMARY KEY, message BLOB NOT NULL UNIQUE, incoming INTEGER NOT NULL, "         \
    " channel BLOB NOT NULL, recipient BLOB NOT NULL, times BLOB NOT NULL) STRICT;"

// What the user deleted. Before version 5 nothing could be.
#define DELETION_TABLES                                                                                                \
    "CREATE TABLE hidden(hash BLOB PRIMARY KEY, kept INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                         \
    "CREATE INDEX hidden_kept ON hidden(hash) WHERE kept = 1;"                                                         \
    "CREATE TABLE gone(id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL) STRICT;"

// What a walk along the number line needs (feed.c). Before version 6 nobody walked there.
#define FEED_TABLES                                                                                                    \
    "CREATE INDEX scope_log_seq ON scope_log(seq);"                                                                    \
    "CREATE INDEX member_from ON member(person, is_group, from_seq);"                                                  \
    "CREATE INDEX group_member_from ON group_member(person, from_seq);"                                                \
    "CREATE TABLE again(seq INTEGER PRIMARY KEY, scope INTEGER NOT NULL, version INTEGER NOT NULL, UNIQUE(scope, "     \
    "version)) STRICT;"

// Which files have to go first (room.h). Before version 7 all stayed.
#define ROOM_TABLES                                                                                                    \
    "CREATE TABLE used(seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;"                   \
    "CREATE INDEX used_at ON used(at);"                                                                                \
    "CREATE TABLE used_total(count INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;"                                  \
    "INSERT INTO used_total VALUES(0, 0);"                                                                             \
    "CREATE TRIGGER used_in AFTER INSERT ON used BEGIN UPDATE used_total SET count = count + 1, bytes = bytes + "      \
    "NEW.size; END;"                                                                                                   \
    "CREATE TRIGGER used_out AFTER DELETE ON used BEGIN UPDATE used_total SET count = count - 1, bytes = bytes - "     \
    "OLD.size; END;"                                                                                                   \
    "CREATE TRIGGER used_gone AFTER UPDATE OF state ON object WHEN OLD.state = 0 AND NEW.state <> 0 BEGIN DELETE "     \
    "FROM used WHERE seq = OLD.seq; END;"

// What is here of what others show us (settled.h). Before version 8 nobody added it up.
#define IS_ADMITTED(row) "(" row ".state = 3 OR (" row ".state < 2 AND " row ".tree IN (1, 2) AND " row ".part = 0))"
#define NOT_SETTLED                                                                                                    \
    " BEGIN DELETE FROM settled WHERE peer IN (SELECT id FROM settled_peer) AND leaf = substr(OLD.hash, 1, 2); END;"
#define SETTLED_TABLES                                                                                                 \
    "CREATE TABLE settled_peer(id INTEGER PRIMARY KEY AUTOINCREMENT, peer BLOB NOT NULL, self BLOB NOT NULL, key "     \
    "BLOB NOT NULL, used INTEGER NOT NULL DEFAULT 0, UNIQUE(peer, self)) STRICT;"                                      \
    "CREATE TABLE settled(peer INTEGER NOT NULL, leaf BLOB NOT NULL, count INTEGER NOT NULL, low INTEGER NOT NULL, "   \
    "high INTEGER NOT NULL, PRIMARY KEY(peer, leaf)) STRICT, WITHOUT ROWID;"                                           \
    "CREATE TRIGGER settled_lost AFTER UPDATE OF state, tree, part ON object WHEN " IS_ADMITTED(                       \
        "OLD") " AND NOT " IS_ADMITTED("NEW") NOT_SETTLED                                                              \
        "CREATE TRIGGER settled_gone AFTER DELETE ON object WHEN " IS_ADMITTED("OLD") NOT_SETTLED

static const char from_8[] = "ALTER TABLE settled_peer ADD COLUMN used INTEGER NOT NULL DEFAULT 0;";

// What was there when they were made.
static const char used_before[] =
    "INSERT INTO used SELECT o.seq, o.size, 0 FROM object o JOIN type t ON t.id = o.type WHERE o.state = 0 AND t.kind "
    "IN (2, 3);";

static const char tables[] =
    "CREATE TABLE type(id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind INTEGER NOT NULL, UNIQUE(name, kind)) STRICT;"
    "CREATE TABLE object(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, type INTEGER, size INTEGER NOT NULL, "
    " id_hash BLOB, state INTEGER NOT NULL, tree INTEGER NOT NULL, source INTEGER NOT NULL DEFAULT 0, "
    " part INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE brought(seq INTEGER NOT NULL, source INTEGER NOT NULL, PRIMARY KEY(seq, source)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE INDEX object_wanted ON object(state, seq) WHERE state = 2;"
    "CREATE TABLE wanted(hash BLOB NOT NULL, person BLOB NOT NULL, PRIMARY KEY(hash, person)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE body(seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE link(src INTEGER NOT NULL, ordinal INTEGER NOT NULL, target BLOB NOT NULL, kind INTEGER NOT NULL, "
    " type INTEGER NOT NULL, PRIMARY KEY(src, ordinal)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX link_target ON link(target, type, src);"
    "CREATE TABLE head(id_hash BLOB PRIMARY KEY, node BLOB NOT NULL, data BLOB NOT NULL, type INTEGER NOT NULL, "
    " born INTEGER NOT NULL, unsettled INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX head_type ON head(type, born);"
    "CREATE INDEX head_unsettled ON head(unsettled) WHERE unsettled = 1;"
    "CREATE TABLE scope(id INTEGER PRIMARY KEY, target BLOB NOT NULL, kind INTEGER NOT NULL, id_hash BLOB, "
    " fragment TEXT, lacking INTEGER NOT NULL DEFAULT 0, UNIQUE(target, kind)) STRICT;"
    "CREATE TABLE scope_log(scope INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, fragment TEXT, lacking "
    "INTEGER NOT NULL, "
    " PRIMARY KEY(scope, seq)) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX scope_log_hash ON scope_log(hash, scope);"
    "CREATE TABLE member(scope INTEGER NOT NULL, is_group INTEGER NOT NULL, person BLOB NOT NULL, from_seq INTEGER NOT "
    "NULL, until_seq INTEGER, PRIMARY KEY(scope, is_group, person)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX member_person ON member(person, is_group, until_seq);"
    "CREATE TABLE group_member(grp BLOB NOT NULL, person BLOB NOT NULL, from_seq INTEGER NOT NULL, until_seq INTEGER, "
    " PRIMARY KEY(grp, person)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX group_member_person ON group_member(person, until_seq);"
    "CREATE TABLE op(op_id TEXT PRIMARY KEY, result BLOB NOT NULL, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX op_time ON op(time);"
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE total(objects INTEGER NOT NULL, bytes INTEGER NOT NULL, next_seq INTEGER NOT NULL) STRICT;"
    "INSERT INTO total VALUES(0, 0, 1);"
    "CREATE TABLE epoch(value INTEGER NOT NULL) STRICT;"
    "INSERT INTO epoch VALUES(random());" FACE_TABLES TRACE_TABLE DELETION_TABLES FEED_TABLES ROOM_TABLES
        SETTLED_TABLES;

static enum status schema_create(struct store *s, struct error *e)
{
    struct buf sql = {0};
    buf_printf(&sql, "BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", tables,
               STORE_APPLICATION, STORE_VERSION);
    enum status status = store_sql(s, buf_cstr(&sql), e);
    buf_free(&sql);
    return status;
}

// What was stored before provenance was noted counts as made here: it has had its effects.
static const char from_1[] =
    "ALTER TABLE object ADD COLUMN source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE object ADD COLUMN part INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE brought(seq INTEGER NOT NULL, source INTEGER NOT NULL, PRIMARY KEY(seq, source)) STRICT, WITHOUT "
    "ROWID;";

static enum status schema_migrate(struct store *s, int64_t version, struct error *e)
{
    struct buf sql = {0};
    buf_printf(&sql, "BEGIN IMMEDIATE; %s %s %s %s %s %s %s %s %s PRAGMA user_version = %d; COMMIT",
               version < 2 ? from_1 : "", version < 3 ? FACE_TABLES : "", version < 4 ? TRACE_TABLE : "",
               version < 5 ? DELETION_TABLES : "", version < 6 ? FEED_TABLES : "", version < 7 ? ROOM_TABLES : "",
               version < 7 && s->kind == STORE_SPARSE ? used_before : "", version < 8 ? SETTLED_TABLES : "",
               version == 8 ? from_8 : "", STORE_VERSION);
    enum status status = store_sql(s, buf_cstr(&sql), e);
    if (status != STATUS_OK && !sqlite3_get_autocommit(s->main.db))
        (void)store_sql(s, "ROLLBACK", NULL);
    buf_free(&sql);
    return status;
}

static enum status ask_number(struct store *s, const char *sql, int64_t *out, struct error *e)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    *out = 0;
    sqlite3_prepare_v2(s->main.db, sql, -1, &st, NULL);
    enum status status = statement_step(s, st, &row, e);
    if (row)
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return status;
}

// Only a database that was once written anew as a whole can get shorter. Without room for that it stays as it is, and
// the next opening tries again.
static void make_shortenable(struct store *s)
{
    int64_t way = 0;
    struct error e = {0};
    enum { INCREMENTAL = 2 };
    if (ask_number(s, "PRAGMA auto_vacuum", &way, NULL) != STATUS_OK || way == INCREMENTAL)
        return;
    s->stays_long = store_sql(s, "VACUUM", &e) != STATUS_OK;
    if (s->stays_long)
        LOG(LOG_WARN, "store.staysLong", LOG_TEXT("code", e.code), LOG_TEXT("why", e.message));
}

enum status schema_check(struct store *s, bool may_create, struct error *e)
{
    int64_t version;
    int64_t application;
    enum status status = ask_number(s, "PRAGMA user_version", &version, e);
    if (status == STATUS_OK)
        status = ask_number(s, "PRAGMA application_id", &application, e);
    if (status != STATUS_OK)
        return status;
    if (version == 0 && application == 0 && may_create)
        return schema_create(s, e);
    if (application != STORE_APPLICATION || version < 1)
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "The database of %s is not one of a store", s->dir);
    if (version > STORE_VERSION)
        return error_set(e, STATUS_REFUSED, "STATE-TOO-NEW", "The store in %s was made by a newer version of tandem",
                         s->dir);
    if (version < STORE_VERSION)
        status = schema_migrate(s, version, e);
    if (status == STATUS_OK)
        make_shortenable(s);
    return status;
}

// ---- Types ----------------------------------------------------------------------------------------------------------

static struct store_type *types_append(struct store *s, int64_t id, struct span name, int kind)
{
    struct store_types *t = &s->types;
    if (t->count == t->cap) {
        t->cap = t->cap != 0 ? t->cap * 2 : 64;
        t->items = mem_resize(t->items, t->cap * sizeof(void *));
    }
    struct store_type *type = mem_alloc(sizeof *type);
    *type = (struct store_type){.id = id, .kind = kind, .name = mem_text(name), .length = name.len};
    t->items[t->count++] = type;
    return type;
}

const struct store_type *type_by_id(const struct store *s, int64_t id)
{
    return id >= 1 && (uint64_t)id <= s->types.count ? s->types.items[id - 1] : NULL;
}

const struct store_type *type_find(const struct store *s, struct span name, int kind)
{
    for (size_t i = 0; i < s->types.count; i++) {
        const struct store_type *type = s->types.items[i];
        if (type->kind == kind && span_eq((struct span){type->name, type->length}, name))
            return type;
    }
    return NULL;
}

// Names outlive a rolled back transaction, so that borrowed pointers stay good; the row is then written again.
const struct store_type *type_get(struct store *s, struct span name, int kind, struct error *e)
{
    const struct store_type *type = type_find(s, name, kind);
    if (type == NULL)
        type = types_append(s, (int64_t)s->types.count + 1, name, kind);
    while (s->types.stored < s->types.count) {
        const struct store_type *next = s->types.items[s->types.stored];
        sqlite3_stmt *st = statement(s, SQL_TYPE_ADD);
        sqlite3_bind_int64(st, 1, next->id);
        bind_span(st, 2, (struct span){next->name, next->length});
        sqlite3_bind_int(st, 3, next->kind);
        if (statement_run(s, st, e) != STATUS_OK)
            return NULL;
        s->types.stored++;
    }
    return type;
}

void types_free(struct store *s)
{
    for (size_t i = 0; i < s->types.count; i++) {
        free((char *)s->types.items[i]->name);
        free(s->types.items[i]);
    }
    free(s->types.items);
    memset(&s->types, 0, sizeof s->types);
}

static enum status load_types(struct store *s, struct error *e)
{
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v2(s->main.db, "SELECT id, name, kind FROM type ORDER BY id", -1, &st, NULL);
    enum status status;
    for (;;) {
        bool row;
        status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            break;
        if (sqlite3_column_int64(st, 0) != (int64_t)s->types.count + 1) {
            status = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "The types of %s are damaged", s->dir);
            break;
        }
        types_append(s, sqlite3_column_int64(st, 0), column_bytes(st, 1), sqlite3_column_int(st, 2));
    }
    sqlite3_finalize(st);
    s->types.stored = s->types.count;
    return status;
}

enum status schema_load(struct store *s, struct error *e)
{
    int64_t objects = 0;
    int64_t bytes = 0;
    enum status status = load_types(s, e);
    if (status == STATUS_OK)
        status = ask_number(s, "SELECT next_seq FROM total", &s->next_seq, e);
    if (status == STATUS_OK)
        status = ask_number(s, "SELECT objects FROM total", &objects, e);
    if (status == STATUS_OK)
        status = ask_number(s, "SELECT bytes FROM total", &bytes, e);
    if (status == STATUS_OK && s->next_seq < 1)
        status = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "The totals of %s are damaged", s->dir);
    s->totals = (struct store_totals){(uint64_t)objects, (uint64_t)bytes};
    return status;
}
