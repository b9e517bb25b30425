// What the files of verifying share.
#pragma once

#include "store/statements.h"
#include "store/verify.h"

struct verifying {
    const char *dir;
    enum store_kind kind;
    struct store_watch *watch;
    struct store_verification *out;
    sqlite3 *db;
    sqlite3_stmt *page, *links, *one, *state, *heads;
    struct buf bytes;
};

bool verify_is_stopped(const struct verifying *v);

// ---- Findings -------------------------------------------------------------------------------------------------------

void verify_found(struct verifying *v, const struct hash *hash, const char *type, int what);
void verify_index_is_wrong(struct verifying *v, const char *what, const struct hash *about);
void verify_say(struct verifying *v, const char *what, const char *detail); // the first thing said is shown

// ---- The database: damage is a finding ------------------------------------------------------------------------------

bool verify_open(struct verifying *v);
void verify_database(struct verifying *v); // as SQLite checks it
void verify_prepare(struct verifying *v);  // the statements
void verify_close(struct verifying *v);
int64_t verify_ask(struct verifying *v, const char *sql);
// One step of a statement of ours; false at the end, which damage is too.
bool verify_next(struct verifying *v, sqlite3_stmt *st);
