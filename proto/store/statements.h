// Prepared statements of the store: each is named once in the table of statements.c, prepared at its first use on a
// connection and kept until the store closes. A statement serves one user at a time; its results are copied out before
// anything else runs.
#pragma once

#include <sqlite3.h>

#include "base/error.h"
#include "base/hash.h"

struct store;
struct connection;

enum statement_id {
    SQL_BEGIN,
    SQL_BEGIN_READING,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_RELEASE,
    SQL_UNDO,
    SQL_TYPE_ADD,
    SQL_OBJECT_FIND,
    SQL_OBJECT_ADD,
    SQL_OBJECT_FILL,
    SQL_OBJECT_STATE,
    SQL_OBJECT_TREE,
    SQL_OBJECT_ORIGIN,
    SQL_OBJECT_ADMIT_HISTORY,
    SQL_UNKNOWN_VERSIONS,
    SQL_BROUGHT_ADD,
    SQL_BROUGHT_BOTH,
    SQL_BROUGHT_HAS,
    SQL_GRANTED_TO,
    SQL_REFERRER_SOURCES,
    SQL_OBJECT_PREFIX,
    SQL_OBJECT_LOST,
    SQL_OBJECT_EACH,
    SQL_OBJECT_REMOVE,
    SQL_LINK_REMOVE,
    SQL_WANTED_FORGET,
    SQL_OBJECT_MEASURE,
    SQL_OBJECT_HELD,
    SQL_OBJECT_VERSIONS,
    SQL_OBJECT_GIVEN,
    SQL_HEAD_REMOVE,
    SQL_GONE_ADD,
    SQL_GONE_LIST,
    SQL_GONE_REMOVE,
    SQL_HIDDEN_ADD,
    SQL_HIDDEN_HAS,
    SQL_HIDDEN_KEPT,
    SQL_HIDDEN_KEEP,
    SQL_BROUGHT_REMOVE,
    SQL_WANTED_ADD,
    SQL_WANTED_REMOVE,
    SQL_WANTED_OF_OTHERS,
    SQL_BODY_ADD,
    SQL_BODY_GET,
    SQL_BODY_PART,
    SQL_BODY_REMOVE,
    SQL_BODY_NEXT,
    SQL_LINK_ADD,
    SQL_LINK_LIST,
    SQL_LINK_CHILDREN,
    SQL_LINK_ANY_REFERRER,
    SQL_LINK_PARENTS,
    SQL_REFERRERS,
    SQL_REFERRERS_TYPE,
    SQL_REFERRERS_CURRENT,
    SQL_REFERRERS_CURRENT_TYPE,
    SQL_HEAD_GET,
    SQL_HEAD_SET,
    SQL_HEAD_IDS,
    SQL_HEAD_UNSETTLED,
    SQL_HEAD_SETTLED,
    SQL_SCOPE_FIND,
    SQL_SCOPE_ADD,
    SQL_SCOPE_FRAGMENT,
    SQL_SCOPE_LOG_ADD,
    SQL_SCOPE_LOG_HAS,
    SQL_SCOPE_LOG_FIND,
    SQL_SCOPE_LOG_FRAGMENT,
    SQL_SCOPE_LOG_LIST,
    SQL_SCOPE_LOG_REMOVE,
    SQL_FEED_ROWS,
    SQL_FEED_FROM,
    SQL_FEED_ENTRY,
    SQL_FEED_VERSION,
    SQL_FEED_OF_SCOPE,
    SQL_FEED_OF_GROUP,
    SQL_FEED_AGAIN,
    SQL_FEED_SHOWN,
    SQL_WALK_SCOPES,
    SQL_WALK_VERSIONS,
    SQL_WALK_GROUP,
    SQL_WALK_BEFORE,
    SQL_SETTLED_PEER,
    SQL_SETTLED_PEER_ADD,
    SQL_SETTLED_PEER_USED,
    SQL_SETTLED_PEERS,
    SQL_SETTLED_PEER_REMOVE,
    SQL_SETTLED_LIST,
    SQL_SETTLED_ADD,
    SQL_SETTLED_FORGET,
    SQL_SCOPE_NODES,
    SQL_SCOPE_CURRENT_EDGE,
    SQL_SCOPE_WINNING_EDGE,
    SQL_SCOPE_EDGES,
    SQL_MEMBER_LIST,
    SQL_MEMBER_SET,
    SQL_MEMBER_END,
    SQL_MEMBER_TOUCHES,
    SQL_GROUP_LIST,
    SQL_GROUP_SET,
    SQL_GROUP_END,
    SQL_GROUP_TOUCHES,
    SQL_PERSON_SCOPES,
    SQL_OBJECTS_OF_TYPE,
    SQL_ABOVE,
    SQL_OP_GET,
    SQL_OP_LATEST,
    SQL_OP_PUT,
    SQL_OP_EXPIRE,
    SQL_SETTING_GET,
    SQL_SETTING_SET,
    SQL_TOTAL_SET,
    SQL_USED_ADD,
    SQL_USED_NOTE,
    SQL_USED_LEAST,
    SQL_USED_TOTAL,
    SQL_OUTBOX_ADD,
    SQL_OUTBOX_TOTAL,
    SQL_OUTBOX_WAITING,
    SQL_OUTBOX_OP,
    SQL_OUTBOX_MESSAGE,
    SQL_OUTBOX_TOPIC,
    SQL_OUTBOX_PLACES,
    SQL_OUTBOX_NEWS,
    SQL_OUTBOX_LAST,
    SQL_OUTBOX_SETTLE,
    SQL_OUTBOX_PRUNE,
    SQL_DELIVERY_SET,
    SQL_DELIVERY_GET,
    SQL_DELIVERY_OF,
    SQL_DELIVERY_SINCE,
    SQL_DELIVERY_WAITING,
    SQL_DELIVERY_PERSON,
    SQL_DELIVERY_LAST,
    SQL_EPOCH,
    SQL_TRACE_SET,
    SQL_TRACE_GET,
    SQL_TRACE_LATEST,
    SQL_TRACE_PRUNE,
    SQL_COUNT,
};

// That of the connection in use, ready for binding; never NULL in use: when preparing fails, stepping says why.
sqlite3_stmt *statement(struct store *s, enum statement_id id);
void statements_reset(struct store *s); // all of the connection in use: none holds on to what it was reading
void statements_close(struct connection *c);

void bind_hash(sqlite3_stmt *st, int index, const struct hash *h);
void bind_span(sqlite3_stmt *st, int index, struct span text); // as TEXT; must live until the statement has run
void bind_bytes(sqlite3_stmt *st, int index, struct span bytes);
bool column_hash(sqlite3_stmt *st, int index, struct hash *out); // false: not 32 bytes
struct span column_bytes(sqlite3_stmt *st, int index);           // valid until the next step

// One step. *row says whether there is one; when there is none the statement is reset.
enum status statement_step(struct store *s, sqlite3_stmt *st, bool *row, struct error *e);
enum status statement_run(struct store *s, sqlite3_stmt *st, struct error *e); // to the end, rows ignored
// Appends the hashes of the first column of all rows.
enum status statement_hashes(struct store *s, sqlite3_stmt *st, struct hash_list *out, struct error *e);
// Rows of a number and a hash; *last becomes the number of the last row, if there is one.
enum status statement_numbered_hashes(struct store *s, sqlite3_stmt *st, int64_t *last, struct hash_list *out,
                                      struct error *e);

// The last failure of the connection in our terms: DISK-FULL, DISK-READ-ONLY, NO-PERMISSION, STORE-LOCKED,
// STORE-CORRUPT (also leaves the mark that lets the next opening rebuild), STORE-FAILED.
enum status store_sql_error(struct store *s, struct error *e);
enum status store_sql(struct store *s, const char *sql, struct error *e); // unprepared, no results
