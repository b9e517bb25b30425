// What an open store holds in memory. Only the files of this folder include it.
#pragma once

#include <sqlite3.h>
#include <stdatomic.h>

#include "crypto/sha256.h"
#include "io/lock.h"
#include "store/schema.h"
#include "store/statements.h"

struct mark { // where a savepoint began
    uint64_t scope_events;
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

struct scope_events;

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
    struct row_memory *rows; // rows.c
    uint64_t rows_changed;   // counts what makes it untrue; begins at 1
    int64_t next_seq;        // the one number line of objects and scope entries
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
    struct hash_list damaged; // found unreadable, not yet marked wanted
    struct hash_list missed;  // asked for, and remote
    struct hash_map *uses;    // files read since it was written down (room.c)
    struct note *notes;       // settings that wait for the next commit (op.c)
    size_t note_count;
    struct hash_list arrivals;            // files that wait in incoming/ for the commit
    struct store_totals transaction_load; // objects and bytes written in the open transaction
    struct store_totals body_load;        // of these, bodies in the database

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

    struct scope_events *events;
    struct hash_map *withheld; // by person
    struct verify_slot slots[VERIFY_SLOTS];
    uint64_t slot_clock;
};
