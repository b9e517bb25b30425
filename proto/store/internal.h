// What the files of the store share. Nothing outside this folder includes it.
#pragma once

#include <sqlite3.h>
#include <stdatomic.h>

#include "io/lock.h"
#include "store/statements.h"
#include "store/store.h"

enum {
    STORE_VERSION = 5,              // user_version of the database
    STORE_APPLICATION = 0x544e444d, // application_id "TNDM"
    STORE_INLINE = 64 << 10,        // bodies above go to files before the transaction
    STORE_BODY_LIMIT = MICRODATA_MAX_SIZE,
    STORE_OP_AGE_MS = 24 * 60 * 60 * 1000,
    STORE_WAL_LIMIT = 16000, // pages; a busy store checkpoints here, an idle one much earlier
};

#define STORE_CARRIED_AGE_MS ((int64_t)90 * STORE_OP_AGE_MS)

// ---- Types ---------------------------------------------------------------------------------------------------------

struct store_type { // a row of the table type
    int64_t id;
    int kind;         // STORE_OBJECT …
    const char *name; // lives as long as the store
    size_t length;
};

struct store_types {
    struct store_type **items; // by id − 1; entries never move
    size_t count;
    size_t cap;
    size_t stored; // those the database has for certain; the rest were added by the open transaction
};

// ---- Objects -------------------------------------------------------------------------------------------------------

// Whether everything below an object can be delivered to another person (WIRE.md 10.8).
enum tree {
    TREE_INCOMPLETE,  // something is missing
    TREE_DELIVERABLE, // all present or remote
    TREE_REFUSED,     // contains Access, IdAccess or Group objects, which peers never accept
    TREE_LACKING,     // nothing is missing but BLOBs that nobody could deliver: for those who showed them to us
};

enum state { STATE_PRESENT, STATE_REMOTE, STATE_WANTED, STATE_DELETED };

struct object_row {
    int64_t seq;
    const struct store_type *type; // NULL for a wanted object nothing else is known of
    uint64_t size;
    struct hash id_hash;
    enum state state;
    enum tree tree;
    int64_t source; // provenance.c
    bool part;
};

// ---- The store -----------------------------------------------------------------------------------------------------

struct mark { // where a savepoint began
    uint64_t access_events;
    size_t changes;
    size_t announced;
    size_t arrivals;
    size_t types;
    int64_t next_seq;
    struct store_totals totals;
};

enum { VERIFY_SLOTS = 4 };

struct verify_slot { // a file being read from its beginning, hashed on the way
    struct hash hash;
    uint64_t offset;
    struct sha256 *sha;
    uint64_t used;
};

struct access_events;

struct connection { // a way into the database, with statements of its own
    sqlite3 *db;    // NULL: not open
    sqlite3_stmt *statements[SQL_COUNT];
    struct error last_error;
};

struct store {
    struct connection main;     // writes; reads too while no transaction is open
    struct connection snapshot; // cannot write; reads what is committed while a transaction is open
    struct connection *in_use;  // one of them
    struct lock *lock;
    char *dir;
    enum store_kind kind;
    struct recipes *recipes;
    struct version_source versions;

    struct store_types types;
    int64_t next_seq; // the one number line of objects and scope entries
    struct store_totals totals;
    bool in_transaction;
    bool failed; // a sync failed: what is on the disk is not known, so nothing is accepted any more

    struct mark *marks; // of the open transaction and its savepoints
    size_t mark_count;
    struct hash sender;           // of what is being stored; zero = nobody
    bool storing_parts;           // of something else
    bool making;                  // what is stored comes of merging what was sent
    bool recovering;              // nobody knows where what is stored came from
    struct store_change *changes; // of the open transaction
    size_t change_count;
    size_t change_cap;
    size_t announced;
    struct hash_list damaged;             // found unreadable, not yet marked wanted
    struct hash_list arrivals;            // files that wait in incoming/ for the commit
    struct store_totals transaction_load; // objects and bytes written in the open transaction

    struct hash_map *needed; // deleted ones that something new refers to
    int64_t cleared;         // of the table gone: up to here the files are removed
    atomic_bool files_kept;  // a copy of the database needs them; set by any thread
    struct error unremoved;  // why a file of these could not be removed
    bool stays_long;         // the database cannot get shorter
    int wal_pages;           // length of the write-ahead log
    int64_t expired_at;      // when old operations were dropped last
    int64_t op_age;          // by what they are dated (op.c); below zero: not yet read

    store_hook hook;
    void *hook_ctx;

    struct access_events *events;
    struct hash_map *withheld; // by person
    struct verify_slot slots[VERIFY_SLOTS];
    uint64_t slot_clock;
};

// ---- schema.c
enum status schema_check(struct store *s, bool may_create, struct error *e); // STATE-TOO-NEW, STORE-CORRUPT
enum status schema_load(struct store *s, struct error *e);                   // types, numbers, totals

const struct store_type *type_by_id(const struct store *s, int64_t id);                // NULL if unknown
const struct store_type *type_find(const struct store *s, struct span name, int kind); // NULL if nothing has it
const struct store_type *type_get(struct store *s, struct span name, int kind,
                                  struct error *e); // adds; NULL on failure
void types_free(struct store *s);

// ---- store.c
// What is read in between is one state of the database, the committed one: also while a transaction is open, of which
// it shows nothing, neither rows nor what the store keeps in memory. Nothing can be written. false: not now, while the
// transaction is open.
bool store_begin_reading(struct store *s);
void store_end_reading(struct store *s);
bool store_is_snapshot(const struct store *s); // reading beside an open transaction
bool store_gave_up(const struct store *s);     // the open transaction is gone; committing it will fail
enum status store_need_transaction(const struct store *s, struct error *e);
enum status database_open(struct store *s, bool may_create, struct error *e);
void database_close(struct store *s);
char *store_path(const struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3))); // caller frees

// ---- lost.c
// What the file "format" says: marked, there is one; damaged, it does not say which. STATE-TOO-NEW.
enum status store_check_format(const char *dir, bool *marked, bool *damaged, struct error *e);
enum status store_write_format(const char *dir, struct error *e);

// ---- textlinks.c
// The next link of an object's text at or after *rest, which then begins behind it. Its recipe is not needed: nothing
// else ends in "> and is followed by a hash.
bool text_next_link(struct span *rest, enum link_kind *kind, struct hash *target);

// ---- objects.c
// *found says whether there is a row, wanted ones included.
enum status object_row_find(struct store *s, const struct hash *hash, bool *found, struct object_row *row,
                            struct error *e);
// Writes the row: that of seq, or, not found, a new one.
enum status object_row_set(struct store *s, const struct hash *hash, bool found, struct object_row *row,
                           struct error *e);
enum status object_put_settled(struct store *s, const struct object *o, struct error *e); // its file is there already
// body NULL: the bytes wait in incoming/.
enum status object_put_file(struct store *s, const struct hash *hash, int kind, uint64_t size, const struct span *body,
                            bool *is_new, struct error *e);
// STATUS_NOT_FOUND "NOT-FOUND" for what is unknown or wanted.
enum status object_need(struct store *s, const struct hash *hash, struct object_row *row, struct error *e);
enum status object_is_damaged(struct store *s, const struct hash *hash, struct error *e); // notes it, STATUS_CORRUPT
enum status objects_want_damaged(struct store *s, struct error *e);
enum status object_put_id(struct store *s, const struct object *o, struct error *e); // the id object of a version
enum status object_want(struct store *s, const struct hash *hash, struct error *e);  // known by name, content not here
bool type_is_refused(struct span name);                                              // Access, IdAccess, Group
int file_kind(struct span first_bytes); // STORE_CLOB or STORE_BLOB (DATA-MODEL.md 13)

// ---- provenance.c
int64_t provenance_source(const struct hash *person);
// What is about to be stored in the row of an object that was known before (known) or not.
void provenance_begin(const struct store *s, bool known, const struct object_row *before, struct object_row *row);
// What is present already is stored again: by somebody else, or on its own account.
enum status provenance_again(struct store *s, const struct hash *hash, struct object_row *row, struct error *e);
bool provenance_has(struct store *s, const struct object_row *row, int64_t source); // it came from there
// May a file be shown below an object that came from this source? Not if it was only named there.
bool provenance_may_show(struct store *s, enum link_kind kind, const struct object_row *row, int64_t parent_source);
enum status provenance_set(struct store *s, const struct hash *hash, int64_t source, bool part, struct error *e);
enum status provenance_unknown_versions(struct store *s, uint64_t *count, struct error *e);

// ---- place.c: where the bytes of files lie
char *place_settled(const struct store *s, const struct hash *hash); // objects/ab/<hash>; caller frees
// The bytes, wherever they lie, and the settled head of an id that has none any more.
enum status place_remove(struct store *s, const struct hash *hash, struct error *e);
char *place_head(const struct store *s, const struct hash *id_hash); // vheads/ab/<hash>
enum status place_folders(struct store *s, struct error *e);
// Puts folders aside that stand where files belong; the report names the last one.
enum status place_clear(struct store *s, struct store_report *report, struct error *e);
// Makes the folder a file is to lie in. *made (may be NULL): it was new, and whoever needs its name durable syncs the
// folder above.
enum status place_prepare(const char *path, bool *made, struct error *e);
char *place_above(const char *path); // the folder above that of the file; caller frees
enum status place_read(struct store *s, const struct hash *hash, uint64_t offset, size_t len, struct buf *out,
                       struct error *e);
enum status place_write(struct store *s, const struct hash *hash, struct span bytes, struct error *e);
struct temp;
// Makes a written temporary file durable under its hash in incoming/, for the open transaction.
enum status place_arrive(struct store *s, struct temp *t, const struct hash *hash, struct error *e);
bool place_is_foreign(struct store *s);            // the database was made for other files
void place_commit(struct store *s);                // moves arrivals on
void place_rollback(struct store *s, size_t keep); // removes those after keep
enum status place_recover(struct store *s, uint64_t *repaired, struct error *e); // what a crash left behind

// ---- deletion.c
// What is deleted is not stored again: unless we do that ourselves, or something that is not deleted needs it.
bool deletion_stays(const struct store *s, const struct object_row *row, const struct hash *hash);
enum status deletion_note_gone(struct store *s, const struct hash *hash, struct error *e); // its bytes are to go
// Removes bytes that are gone from the disk, a little at a time. *more: there is something left to do.
enum status deletion_clear(struct store *s, bool *more, struct error *e);

// ---- tree.c
// Of an object of the parent's type and source with these links; what is below is asked, not the object itself.
enum status tree_of_links(struct store *s, const struct object_row *parent, const struct link *links, size_t count,
                          enum tree *out, struct error *e);
enum status tree_of_row(struct store *s, const struct object_row *row, enum tree *out, struct error *e);
enum status tree_arrived(struct store *s, const struct hash *hash, struct error *e); // an object others waited for
enum status tree_lost(struct store *s, const struct hash *hash, struct error *e);
enum status tree_made_here(struct store *s, const struct hash *hash, struct error *e); // what others had only named
bool tree_is_lacking(enum link_kind kind, bool found, const struct object_row *row);   // of what a link leads to
// The objects that lack a BLOB which was not shown by this person, or which others than this person merely named: not
// for its eyes.
enum status tree_lacking_for_others(struct store *s, const struct hash *person, struct hash_map *out, struct error *e);

// ---- links.c
struct child_row { // a link with what is known of its target
    enum link_kind kind;
    struct hash target;
    bool found;
    struct object_row row; // seq, type, state, tree and source only
};
struct child_rows {
    struct child_row *items;
    size_t count;
    size_t cap;
};
// Appends the direct links of the object numbered src; the caller frees items.
enum status links_load(struct store *s, int64_t src, struct child_rows *out, struct error *e);
struct node_links {          // the links of a version node, told apart by their place (DATA-MODEL.md 6)
    struct hash_list before; // prev of a change, nodes of a merge
    struct hash data;
    bool merge;
};
bool type_is_version_node(const struct store_type *type);
enum status links_of_node(struct store *s, const struct hash *node, struct node_links *out, struct error *e);
enum status links_add(struct store *s, int64_t src, const struct store_type *type, const struct link *links,
                      size_t count, struct error *e);

// ---- heads.c
enum status heads_set(struct store *s, const struct hash *id_hash, const struct hash *node, struct error *e);
struct head_row {
    struct hash node;
    struct hash data;
};
enum status heads_get(struct store *s, const struct hash *id_hash, struct head_row *out, struct error *e);

// ---- fragment.c
enum { SCOPE_OBJECT, SCOPE_ID }; // granted by Access, by IdAccess
enum {
    FRAGMENT_WHOLE,   // for everybody
    FRAGMENT_LACKING, // TREE_LACKING: for whoever is known to have the BLOBs, or needs them not
    FRAGMENT_OWN,     // TREE_REFUSED: for own nodes
    FRAGMENT_MERGE,   // likewise: others put together for themselves what came together here
};
struct fragment {
    struct buf text;     // empty: the root cannot be delivered now; the caller frees it
    int lacking;         // FRAGMENT_…
    struct hash id_hash; // of a versioned object or id
};
enum status fragment_of_scope(struct store *s, int kind, const struct hash *target, struct fragment *f,
                              struct error *e);
enum status fragment_of_node(struct store *s, const struct hash *node, const struct hash *id_hash, struct fragment *f,
                             struct error *e);

// ---- access.c
// old_node: the head before, NULL if there was none.
// The grant for a target as the index has it; NULL: there is none.
enum status access_remake(struct store *s, const struct hash *target, bool is_id, struct arena *a, struct value **out,
                          struct error *e);
enum status access_follow(struct store *s, const struct store_type *type, const struct hash *id_hash,
                          const struct hash *old_node, const struct head_row *head, struct error *e);
// Whether an object can be delivered has changed: scopes of which it is a root have other roots now.
enum status access_object_changed(struct store *s, const struct hash *hash, struct error *e);

// ---- roots.c
void access_events_create(struct store *s);
void access_events_destroy(struct store *s);
void access_note_scope(struct store *s, int64_t scope);
void access_note_group(struct store *s, const struct hash *group);
void access_note_all(struct store *s);
uint64_t access_events_count(const struct store *s);

// ---- withheld.c
// The objects withheld from the person, valid until something else is; *out is NULL if there are none.
enum status withheld_find(struct store *s, const struct hash *person, const struct hash_map **out, struct error *e);
void withheld_destroy(struct store *s);

// ---- op.c
enum status op_age(struct store *s, int64_t *age, struct error *e);
enum status op_expire(struct store *s, int64_t now_ms, struct error *e);

// ---- changes.c
void changes_add_object(struct store *s, const struct object_row *row, const struct hash *hash);
void changes_add_head(struct store *s, const struct store_type *type, const struct hash *id_hash,
                      const struct head_row *head);
void changes_add_loss(struct store *s, const struct version_loss *loss);
void changes_drop(struct store *s, size_t keep); // those after keep, which were taken back
// The changes of the transaction that was just committed; the caller frees. Without a taker they are dropped.
struct store_change *changes_take(struct store *s, size_t *count);
void changes_free(struct store_change *changes, size_t count);

// ---- settle.c: background work in three parts, so that the middle one can run beside the store thread
struct settle_batch;
// Copies what is to be settled next; *out is NULL if there is nothing.
enum status settle_collect(struct store *s, struct settle_batch **out, struct error *e);
enum status settle_write(struct settle_batch *b, struct error *e); // files only; any thread
// Notes in a transaction of its own what was written. Frees the batch; written is what settle_write returned.
enum status settle_finish(struct store *s, struct settle_batch *b, enum status written, struct error *e);
// Old operations, deleted bytes, the log of the database. *more: call again.
enum status settle_upkeep(struct store *s, int64_t now_ms, bool *more, struct error *e);

// ---- snapshot.c
// A copy that took the place of a lost store begins a new epoch.
enum status snapshot_begin_epoch(struct store *s, struct store_report *report, struct error *e);

// ---- recover.c, salvage.c
// foreign: the database there is is of another store, and nothing of it is taken.
enum status recover_database(struct store *s, bool foreign, struct store_report *report, struct error *e);
bool recover_is_needed(const struct store *s);
void recover_mark_needed(const struct store *s);
enum status recover_recipes(struct store *s, struct error *e); // registers those of the stored instances
struct salvage;                                                // an old, damaged database
struct salvage *salvage_open(const char *path);
void salvage_close(struct salvage *old);
typedef enum status (*salvage_body)(const struct hash *hash, struct span body, void *arg, struct error *e);
enum status salvage_bodies(struct salvage *old, salvage_body visit, void *arg, struct error *e);
typedef enum status (*salvage_pair)(const struct hash *first, const struct hash *second, void *arg, struct error *e);
enum status salvage_heads(struct salvage *old, salvage_pair visit, void *arg, struct error *e);
enum status salvage_names(struct salvage *old, salvage_pair visit, void *arg, struct error *e);   // second: NULL
enum status salvage_deleted(struct salvage *old, salvage_pair visit, void *arg, struct error *e); // second: NULL
enum status salvage_hidden(struct salvage *old, salvage_pair visit, void *arg, struct error *e);  // second: NULL
typedef enum status (*salvage_origin)(const struct hash *hash, int64_t source, bool part, void *arg, struct error *e);
enum status salvage_origins(struct salvage *old, salvage_origin visit, void *arg, struct error *e);
enum status salvage_settings(struct salvage *old, struct store *s, struct error *e);
enum status salvage_outbox(struct salvage *old, struct store *s, struct error *e);
enum status salvage_deliveries(struct salvage *old, struct store *s, struct error *e);
