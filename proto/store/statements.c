// All SQL that is used again and again. A statement is prepared when it is first wanted, once for each connection. Who
// takes a row and does not read to the end resets it: otherwise its transaction stays open. Numbers in the texts are
// values that tests/house/values.py holds.
//
// At the end errors of SQLite become ours. One that means damage also has the database made anew at the next opening.
#include "store/statements.h"

#include <errno.h>
#include <string.h>

#include "store/dir.h"
#include "store/state.h"

#define OUTBOX_COLUMNS "seq, op, method, params, created_at, state, result, code, why, topic, message, time"

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READING] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT nested",
    [SQL_RELEASE] = "RELEASE nested",
    [SQL_UNDO] = "ROLLBACK TO nested",

    [SQL_TYPE_ADD] = "INSERT INTO type(id, name, kind) VALUES(?1, ?2, ?3)",

    [SQL_OBJECT_FIND] = "SELECT seq, type, size, id_hash, state, tree, source, part FROM object WHERE hash = ?1",
    [SQL_OBJECT_ADD] =
        "INSERT INTO object(seq, hash, type, size, id_hash, state, tree, source, part) VALUES(?1, ?2, ?3, "
        "?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_OBJECT_FILL] =
        "UPDATE object SET type = ?2, size = ?3, id_hash = ?4, state = ?5, tree = ?6, source = ?7, part = "
        "?8 WHERE seq = ?1",
    [SQL_OBJECT_ORIGIN] = "UPDATE object SET source = ?2, part = ?3 WHERE hash = ?1",
    // A version that counts brings those before it: they are its history.
    [SQL_OBJECT_ADMIT_HISTORY] =
        "WITH RECURSIVE back(hash) AS (SELECT ?1 UNION SELECT t.hash FROM back b JOIN object o ON o.hash = b.hash JOIN "
        "link l ON l.src = o.seq JOIN object t ON t.hash = l.target JOIN type y ON y.id = t.type WHERE t.part = 1 AND "
        "y.name IN ('VersionNodeEdge', 'VersionNodeChange', 'VersionNodeMerge')) UPDATE object SET part = 0 WHERE hash "
        "IN (SELECT hash FROM back)",
    [SQL_UNKNOWN_VERSIONS] =
        "SELECT COUNT(*) FROM type t JOIN object o ON o.type = t.id WHERE o.part = 1 AND t.name IN ('VersionNodeEdge', "
        "'VersionNodeChange', 'VersionNodeMerge')",
    [SQL_BROUGHT_ADD] = "INSERT OR IGNORE INTO brought(seq, source) VALUES(?1, ?2)",
    [SQL_BROUGHT_BOTH] =
        "SELECT 1 FROM brought p WHERE p.seq = ?1 AND (p.source = ?3 OR EXISTS(SELECT 1 FROM brought b "
        "WHERE b.seq = ?2 AND b.source = p.source)) LIMIT 1",
    [SQL_BROUGHT_HAS] = "SELECT 1 FROM brought WHERE seq = ?1 AND source = ?2",
    [SQL_GRANTED_TO] =
        "SELECT 1 FROM (SELECT id AS scope FROM scope WHERE target = ?1 UNION ALL SELECT scope FROM scope_log WHERE "
        "hash = ?1) x JOIN member m ON m.scope = x.scope AND m.until_seq IS NULL WHERE (m.is_group IN (0, 2) AND "
        "m.person "
        "= ?2) OR (m.is_group = 1 AND EXISTS(SELECT 1 FROM group_member g WHERE g.grp = m.person AND g.person = ?2 AND "
        "g.until_seq IS NULL)) LIMIT 1",
    [SQL_REFERRER_SOURCES] = "SELECT o.hash, o.source FROM link l JOIN object o ON o.seq = l.src WHERE l.target = ?1 "
                             "LIMIT ?2",
    [SQL_OBJECT_STATE] = "UPDATE object SET state = ?2 WHERE seq = ?1",
    [SQL_OBJECT_TREE] = "UPDATE object SET tree = ?2 WHERE seq = ?1",
    [SQL_OBJECT_PREFIX] = "SELECT hash FROM object WHERE hash BETWEEN ?1 AND ?2 AND state < 2 ORDER BY hash LIMIT ?3",
    [SQL_OBJECT_LOST] = "SELECT 1 FROM object WHERE state = 2 AND type IS NOT NULL LIMIT 1",
    [SQL_OBJECT_EACH] = "SELECT seq, hash, type FROM object WHERE seq > ?1 AND state < 2 ORDER BY seq LIMIT ?2",
    [SQL_OBJECT_MEASURE] =
        "SELECT type, state, COUNT(*), SUM(size) FROM object WHERE state < 3 GROUP BY type, state ORDER BY 4 DESC",

    // By something that refers to it, as a version, or by a grant to others than the two persons.
    [SQL_OBJECT_HELD] =
        "SELECT 1 FROM link l JOIN type t ON t.id = l.type WHERE l.target = ?1 AND t.name NOT IN ('Access', "
        "'IdAccess') "
        "UNION ALL SELECT 1 FROM object o JOIN head h ON h.id_hash = o.id_hash "
        "WHERE o.hash = ?1 UNION ALL SELECT 1 FROM scope s JOIN member m ON m.scope = s.id AND m.until_seq IS NULL "
        "WHERE s.target = ?1 AND m.person NOT IN (?2, ?3) LIMIT 1",
    // Versions with the nodes that say so, then the id.
    [SQL_OBJECT_VERSIONS] =
        "SELECT o.hash FROM object d JOIN link l ON l.target = d.hash JOIN object o ON o.seq = l.src JOIN type t ON "
        "t.id = "
        "o.type WHERE d.id_hash = ?1 AND t.name IN ('VersionNodeEdge', 'VersionNodeChange', 'VersionNodeMerge') UNION "
        "SELECT hash FROM object WHERE id_hash = ?1 UNION SELECT ?1",
    [SQL_OBJECT_GIVEN] =
        "SELECT seq, hash FROM object WHERE source = ?1 AND state = 0 AND seq > ?2 ORDER BY seq LIMIT ?3",
    [SQL_HEAD_REMOVE] = "DELETE FROM head WHERE id_hash = ?1",
    [SQL_GONE_ADD] = "INSERT INTO gone(hash) VALUES(?1)",
    [SQL_GONE_LIST] = "SELECT id, hash FROM gone WHERE id > ?1 ORDER BY id LIMIT ?2",
    [SQL_GONE_REMOVE] = "DELETE FROM gone WHERE id <= ?1",
    [SQL_HIDDEN_ADD] = "INSERT OR IGNORE INTO hidden(hash, kept) VALUES(?1, ?2)",
    [SQL_HIDDEN_HAS] = "SELECT 1 FROM hidden WHERE hash = ?1",
    [SQL_HIDDEN_KEPT] = "SELECT hash FROM hidden WHERE kept = 1 AND hash > ?1 ORDER BY hash LIMIT ?2",
    [SQL_HIDDEN_KEEP] = "UPDATE hidden SET kept = ?2 WHERE hash = ?1",
    [SQL_BROUGHT_REMOVE] = "DELETE FROM brought WHERE seq = ?1",
    [SQL_WANTED_FORGET] = "DELETE FROM wanted WHERE hash = ?1",
    [SQL_LINK_REMOVE] = "DELETE FROM link WHERE src = ?1",
    [SQL_OBJECT_REMOVE] = "DELETE FROM object WHERE seq = ?1",

    [SQL_WANTED_ADD] = "INSERT OR IGNORE INTO wanted(hash, person) VALUES(?1, ?2)",
    [SQL_WANTED_REMOVE] = "DELETE FROM wanted WHERE hash = ?1 AND person = ?2",
    [SQL_WANTED_OF_OTHERS] = "SELECT o.hash FROM object o WHERE o.state = 2 AND o.type IS NULL AND NOT EXISTS(SELECT 1 "
                             "FROM wanted w WHERE w.hash = o.hash AND w.person = ?1) UNION SELECT w.hash FROM wanted w "
                             "JOIN object o ON o.hash = w.hash WHERE o.state <> 2 AND w.person <> ?1",

    [SQL_BODY_ADD] = "INSERT OR REPLACE INTO body(seq, bytes) VALUES(?1, ?2)",
    [SQL_BODY_GET] = "SELECT bytes FROM body WHERE seq = ?1",
    [SQL_BODY_PART] = "SELECT substr(bytes, ?2, ?3) FROM body WHERE seq = ?1",
    [SQL_BODY_REMOVE] = "DELETE FROM body WHERE seq = ?1",
    [SQL_BODY_NEXT] = "SELECT b.seq, o.hash, b.bytes FROM body b JOIN object o ON o.seq = b.seq ORDER BY b.seq "
                      "LIMIT ?1",

    [SQL_LINK_ADD] = "INSERT INTO link(src, ordinal, target, kind, type) VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_LINK_LIST] = "SELECT target, kind FROM link WHERE src = ?1 ORDER BY ordinal",
    [SQL_LINK_CHILDREN] = "SELECT l.target, l.kind, o.seq, o.type, o.state, o.tree, o.source, l.ordinal FROM link l "
                          "LEFT JOIN object o ON "
                          "o.hash = l.target WHERE l.src = ?1 ORDER BY l.ordinal",
    [SQL_LINK_ANY_REFERRER] = "SELECT 1 FROM link WHERE target = ?1 LIMIT 1",
    [SQL_LINK_PARENTS] = "SELECT DISTINCT o.hash FROM link l JOIN object o ON o.seq = l.src WHERE l.target = ?1 AND "
                         "o.tree IN (?2, ?3)",
    [SQL_REFERRERS] = "SELECT DISTINCT o.hash FROM link l JOIN object o ON o.seq = l.src JOIN type t ON t.id = l.type "
                      "WHERE l.target = ?1 AND t.kind = ?2 ORDER BY o.seq",
    [SQL_REFERRERS_TYPE] = "SELECT DISTINCT o.hash FROM link l JOIN object o ON o.seq = l.src WHERE l.target = ?1 AND "
                           "l.type = ?2 ORDER BY o.seq",
    [SQL_REFERRERS_CURRENT] = "SELECT DISTINCT o.hash FROM link l JOIN object o ON o.seq = l.src JOIN head h ON "
                              "h.id_hash = o.id_hash AND h.data = o.hash WHERE l.target = ?1 AND ?2 = 0 ORDER BY o.seq",
    [SQL_REFERRERS_CURRENT_TYPE] =
        "SELECT DISTINCT o.hash FROM link l JOIN object o ON o.seq = l.src JOIN head h ON h.id_hash = o.id_hash AND "
        "h.data = o.hash WHERE l.target = ?1 AND l.type = ?2 ORDER BY o.seq",

    [SQL_HEAD_GET] = "SELECT node, data FROM head WHERE id_hash = ?1",
    [SQL_HEAD_SET] = "INSERT INTO head(id_hash, node, data, type, born, unsettled) VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON "
                     "CONFLICT(id_hash) DO UPDATE SET node = ?2, data = ?3, unsettled = ?6",
    [SQL_HEAD_IDS] = "SELECT id_hash FROM head WHERE type = ?1 ORDER BY born",
    [SQL_HEAD_UNSETTLED] = "SELECT id_hash, node FROM head WHERE unsettled = 1 LIMIT ?1",
    [SQL_HEAD_SETTLED] = "UPDATE head SET unsettled = 0 WHERE id_hash = ?1 AND node = ?2",

    [SQL_SCOPE_FIND] = "SELECT id FROM scope WHERE target = ?1 AND kind = ?2",
    [SQL_SCOPE_ADD] = "INSERT INTO scope(target, kind) VALUES(?1, ?2)",
    [SQL_SCOPE_FRAGMENT] = "UPDATE scope SET fragment = ?2, lacking = ?3, id_hash = ?4 WHERE id = ?1",
    [SQL_SCOPE_LOG_ADD] = "INSERT INTO scope_log(scope, seq, hash, fragment, lacking) VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_SCOPE_LOG_HAS] = "SELECT 1 FROM scope_log WHERE hash = ?2 AND scope = ?1",
    [SQL_SCOPE_LOG_FIND] = "SELECT l.scope, l.seq, s.target FROM scope_log l JOIN scope s ON s.id = l.scope WHERE "
                           "l.hash = ?1",
    [SQL_SCOPE_LOG_FRAGMENT] = "UPDATE scope_log SET fragment = ?3, lacking = ?4 WHERE scope = ?1 AND seq = ?2",
    [SQL_SCOPE_LOG_LIST] = "SELECT hash FROM scope_log WHERE scope = ?1 ORDER BY seq",
    [SQL_SCOPE_LOG_REMOVE] = "DELETE FROM scope_log WHERE scope = ?1 AND hash = ?2",
    // Each part in the order of its index, so that only what is taken is read.
    [SQL_FEED_ROWS] =
        "SELECT seq, 0, scope, NULL, seq FROM scope_log WHERE seq > ?1 UNION ALL SELECT from_seq, 1, scope, NULL, 0 "
        "FROM member WHERE person = ?2 AND is_group = 0 AND from_seq > ?1 AND until_seq IS NULL UNION ALL SELECT "
        "from_seq, 1, scope, NULL, 0 FROM member WHERE person = ?2 AND is_group = 2 AND from_seq > ?1 AND until_seq IS "
        "NULL UNION ALL SELECT m.from_seq, 1, m.scope, NULL, 0 FROM group_member g CROSS JOIN member m ON m.person = "
        "g.grp AND m.is_group = 1 AND m.from_seq > ?1 AND m.until_seq IS NULL WHERE g.person = ?2 AND g.until_seq IS "
        "NULL UNION ALL SELECT from_seq, 2, 0, grp, 0 FROM group_member WHERE person = ?2 AND from_seq > ?1 AND "
        "until_seq IS NULL UNION ALL SELECT seq, 3, scope, NULL, version FROM again WHERE seq > ?1 ORDER BY 1 LIMIT ?3",
    [SQL_FEED_FROM] =
        "SELECT MIN(f) FROM (SELECT from_seq AS f FROM member WHERE scope = ?1 AND is_group IN (0, 2) AND person = ?2 "
        "AND until_seq IS NULL UNION ALL SELECT MAX(m.from_seq, g.from_seq) FROM member m JOIN group_member g ON g.grp "
        "= m.person AND g.person = ?2 AND g.until_seq IS NULL WHERE m.scope = ?1 AND m.is_group = 1 AND m.until_seq IS "
        "NULL)",
    [SQL_FEED_ENTRY] = "SELECT kind, target, id_hash, fragment FROM scope WHERE id = ?1",
    [SQL_FEED_VERSION] = "SELECT l.hash, l.fragment, s.target FROM scope_log l JOIN scope s ON s.id = l.scope WHERE "
                         "l.scope = ?1 AND l.seq = ?2",
    [SQL_FEED_OF_SCOPE] = "SELECT seq FROM scope_log WHERE scope = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4",
    [SQL_FEED_OF_GROUP] = "SELECT scope FROM member WHERE is_group = 1 AND person = ?1 AND until_seq IS NULL",
    [SQL_FEED_AGAIN] = "INSERT OR REPLACE INTO again(seq, scope, version) VALUES(?1, ?2, ?3)",
    [SQL_FEED_SHOWN] = "SELECT s.target, s.fragment, s.lacking, l.hash, l.fragment, l.lacking FROM scope s LEFT JOIN "
                       "scope_log l ON l.scope = s.id AND l.seq = ?2 WHERE s.id = ?1",
    [SQL_WALK_SCOPES] =
        "SELECT s.id, s.kind, s.target, s.id_hash, s.fragment, s.lacking FROM member m CROSS JOIN scope s ON s.id = "
        "m.scope WHERE m.person = ?1 AND m.is_group = ?2 AND m.until_seq IS NULL AND m.scope >= ?3 ORDER BY m.scope",
    [SQL_WALK_VERSIONS] =
        "SELECT seq, hash, fragment, lacking FROM scope_log WHERE scope = ?1 AND seq > ?2 ORDER BY seq",
    [SQL_WALK_GROUP] =
        "SELECT grp FROM group_member WHERE person = ?1 AND until_seq IS NULL AND grp > ?2 ORDER BY grp LIMIT 1",
    // Granted to the person itself, offered if ?3 says so, or granted to a group of it that comes before ?4.
    [SQL_WALK_BEFORE] =
        "SELECT 1 FROM member WHERE scope = ?1 AND is_group IN (0, ?3) AND person = ?2 AND until_seq IS NULL UNION ALL "
        "SELECT 1 FROM member m JOIN group_member g ON g.grp = m.person AND g.person = ?2 AND g.until_seq IS NULL "
        "WHERE m.scope = ?1 AND m.is_group = 1 AND m.until_seq IS NULL AND m.person < ?4 LIMIT 1",
    [SQL_SETTLED_PEER] = "SELECT id, key FROM settled_peer WHERE peer = ?1 AND self = ?2",
    [SQL_SETTLED_PEER_ADD] =
        "INSERT INTO settled_peer(peer, self, key, used) SELECT ?1, ?2, ?3, coalesce(max(used), 0) "
        "+ 1 FROM settled_peer",
    [SQL_SETTLED_PEER_USED] = "UPDATE settled_peer SET used = (SELECT max(used) FROM settled_peer) + 1 WHERE id = ?1 "
                              "AND used <= (SELECT max(used) FROM settled_peer) - ?2",
    [SQL_SETTLED_PEERS] = "SELECT id, (SELECT count(*) FROM settled_peer) FROM settled_peer ORDER BY used, id LIMIT 1",
    [SQL_SETTLED_PEER_REMOVE] = "DELETE FROM settled_peer WHERE id = ?1",
    [SQL_SETTLED_LIST] = "SELECT leaf, count, low, high FROM settled WHERE peer = ?1 AND leaf BETWEEN ?2 AND ?3",
    // Added up modulo 2^62.
    [SQL_SETTLED_ADD] = "INSERT INTO settled(peer, leaf, count, low, high) SELECT id, ?2, ?3, ?4, ?5 FROM settled_peer "
                        "WHERE id = ?1 ON "
                        "CONFLICT(peer, leaf) DO UPDATE SET count = count + ?3, low = (low + ?4) & "
                        "4611686018427387903, high = (high + ?5) & "
                        "4611686018427387903",
    [SQL_SETTLED_FORGET] = "DELETE FROM settled WHERE peer = ?1 AND leaf BETWEEN ?2 AND ?3",
    [SQL_SCOPE_NODES] = "SELECT hash, fragment, lacking FROM scope_log WHERE scope = ?1 ORDER BY seq",
    [SQL_SCOPE_CURRENT_EDGE] =
        "SELECT l.hash, l.fragment, l.lacking FROM head h JOIN link k ON k.target = h.data JOIN object o ON o.seq = "
        "k.src "
        "JOIN type t ON t.id = o.type AND t.name = 'VersionNodeEdge' JOIN scope_log l ON l.hash = o.hash AND l.scope = "
        "?1 WHERE h.id_hash = ?2 LIMIT 1",
    [SQL_SCOPE_WINNING_EDGE] =
        "SELECT l.hash, l.fragment, l.lacking FROM head h JOIN object m ON m.hash = h.node JOIN type mt ON mt.id = "
        "m.type AND mt.name = 'VersionNodeMerge' JOIN link k ON k.src = m.seq JOIN object o ON o.hash = k.target JOIN "
        "type t ON t.id = o.type AND t.name = 'VersionNodeEdge' JOIN link d ON d.src = o.seq AND d.target = h.data "
        "JOIN scope_log l ON l.hash = o.hash AND l.scope = ?1 WHERE h.id_hash = ?2 LIMIT 1",
    [SQL_SCOPE_EDGES] = "SELECT l.hash, l.fragment, l.lacking FROM scope_log l JOIN object o ON o.hash = l.hash JOIN "
                        "type t ON t.id = o.type AND t.name = 'VersionNodeEdge' WHERE l.scope = ?1 ORDER BY l.seq",
    [SQL_MEMBER_LIST] = "SELECT person FROM member WHERE scope = ?1 AND is_group = ?2 AND until_seq IS NULL",
    [SQL_MEMBER_SET] = "INSERT INTO member(scope, is_group, person, from_seq) VALUES(?1, ?2, ?3, ?4) ON "
                       "CONFLICT(scope, is_group, person) DO UPDATE SET from_seq = ?4, until_seq = NULL",
    [SQL_MEMBER_END] = "UPDATE member SET until_seq = ?4 WHERE scope = ?1 AND is_group = ?2 AND person = ?3",
    [SQL_MEMBER_TOUCHES] =
        "SELECT 1 FROM member WHERE scope = ?1 AND is_group IN (0, 2) AND person = ?2 UNION ALL SELECT 1 FROM "
        "group_member g JOIN member m ON m.scope = ?1 AND m.is_group = 1 AND m.person = g.grp WHERE g.person = ?2 "
        "LIMIT 1",
    [SQL_GROUP_LIST] = "SELECT person FROM group_member WHERE grp = ?1 AND until_seq IS NULL",
    [SQL_GROUP_SET] = "INSERT INTO group_member(grp, person, from_seq) VALUES(?1, ?2, ?3) ON CONFLICT(grp, person) DO "
                      "UPDATE SET from_seq = ?3, until_seq = NULL",
    [SQL_GROUP_END] = "UPDATE group_member SET until_seq = ?3 WHERE grp = ?1 AND person = ?2",
    [SQL_GROUP_TOUCHES] = "SELECT 1 FROM group_member WHERE grp = ?1 AND person = ?2",
    [SQL_PERSON_SCOPES] =
        "SELECT s.id, s.kind, s.target, s.id_hash, s.fragment, s.lacking FROM (SELECT scope FROM member WHERE is_group "
        "IN (0, 2) AND person = ?1 AND until_seq IS NULL UNION SELECT m.scope FROM group_member g JOIN member m ON "
        "m.is_group = 1 "
        "AND "
        "m.person = g.grp AND m.until_seq IS NULL WHERE g.person = ?1 AND g.until_seq IS NULL) f CROSS JOIN scope s ON "
        "s.id = f.scope",
    [SQL_OBJECTS_OF_TYPE] =
        "SELECT o.hash FROM object o WHERE o.seq > ?2 AND o.seq <= ?3 AND o.type IN (SELECT id FROM "
        "type WHERE name = ?1)",
    [SQL_ABOVE] = "SELECT o.hash FROM link l JOIN object o ON o.seq = l.src WHERE l.target = ?1",

    [SQL_OP_GET] = "SELECT result FROM op WHERE op_id = ?1",
    [SQL_OP_LATEST] = "SELECT max(time) FROM op",
    [SQL_OP_PUT] = "INSERT OR REPLACE INTO op(op_id, result, time) VALUES(?1, ?2, ?3)",
    // What came by way of another node's outbox may be asked for again long after.
    [SQL_OP_EXPIRE] = "DELETE FROM op WHERE time < ?1 AND (time < ?2 OR op_id NOT LIKE '% intent:%')",
    [SQL_SETTING_GET] = "SELECT value FROM setting WHERE name = ?1",
    [SQL_SETTING_SET] = "INSERT OR REPLACE INTO setting(name, value) VALUES(?1, ?2)",
    [SQL_TOTAL_SET] = "UPDATE total SET objects = ?1, bytes = ?2, next_seq = ?3",

    [SQL_USED_ADD] = "INSERT INTO used(seq, size, at) VALUES(?1, ?2, ?3) ON CONFLICT(seq) DO UPDATE SET at = "
                     "excluded.at",
    [SQL_USED_NOTE] = "UPDATE used SET at = ?2 WHERE seq = (SELECT seq FROM object WHERE hash = ?1)",
    [SQL_USED_LEAST] = "SELECT o.hash, u.size, u.at FROM used u JOIN object o ON o.seq = u.seq ORDER BY u.at, "
                       "u.seq LIMIT ?1 OFFSET ?2",
    [SQL_USED_TOTAL] = "SELECT count, bytes FROM used_total",

    [SQL_OUTBOX_ADD] = "INSERT INTO outbox(op, method, params, created_at, topic, message, time) VALUES(?1, ?2, ?3, "
                       "?4, ?5, ?6, ?7)",
    [SQL_OUTBOX_TOTAL] = "SELECT count, bytes FROM outbox_total",
    [SQL_OUTBOX_WAITING] = "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE state = 0 AND seq > ?1 ORDER BY seq LIMIT ?2",
    [SQL_OUTBOX_OP] = "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE op = ?1",
    [SQL_OUTBOX_MESSAGE] = "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE message = ?1",
    [SQL_OUTBOX_TOPIC] = "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE topic = ?1 AND time <= ?2 ORDER BY time DESC, "
                         "seq DESC LIMIT ?3",
    [SQL_OUTBOX_PLACES] = "SELECT message, time, state FROM outbox WHERE topic = ?1 AND time <= ?2",
    [SQL_OUTBOX_NEWS] = "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE topic = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    [SQL_OUTBOX_LAST] = "SELECT COALESCE(MAX(time), 0), COALESCE(MAX(seq), 0) FROM outbox WHERE topic = ?1",
    [SQL_OUTBOX_SETTLE] =
        "UPDATE outbox SET state = ?2, result = ?3, code = ?4, why = ?5, params = '' WHERE seq = ?1 AND state = 0",
    [SQL_OUTBOX_PRUNE] = "DELETE FROM outbox WHERE seq <= ?1 AND (state = 1 OR (state = 2 AND seq <= (SELECT seq FROM "
                         "outbox WHERE state = 2 ORDER BY seq DESC LIMIT 1 OFFSET ?2)))",
    [SQL_DELIVERY_SET] = "INSERT OR REPLACE INTO delivery(message, person, state, at, why, change) VALUES(?1, ?2, ?3, "
                         "?4, ?5, (SELECT COALESCE(MAX(change), 0) + 1 FROM delivery))",
    [SQL_DELIVERY_GET] = "SELECT state FROM delivery WHERE message = ?1 AND person = ?2",
    [SQL_DELIVERY_OF] =
        "SELECT message, person, state, at, why, change FROM delivery WHERE message = ?1 ORDER BY at, person",
    [SQL_DELIVERY_SINCE] = "SELECT message, person, state, at, why, change FROM delivery WHERE change > ?1 ORDER BY "
                           "change LIMIT ?2",
    [SQL_DELIVERY_WAITING] = "SELECT DISTINCT message FROM delivery WHERE state = 0 LIMIT ?1",
    [SQL_DELIVERY_PERSON] = "SELECT message, person, state, at, why, change FROM delivery WHERE person = ?1 AND state "
                            "= 0 LIMIT ?2",
    [SQL_DELIVERY_LAST] = "SELECT COALESCE(MAX(change), 0) FROM delivery",
    [SQL_EPOCH] = "SELECT value FROM epoch",
    [SQL_TRACE_SET] = "INSERT INTO trace(message, incoming, channel, recipient, times) VALUES(?1, ?2, ?3, ?4, ?5) ON "
                      "CONFLICT(message) DO UPDATE SET incoming = ?2, channel = ?3, recipient = ?4, times = ?5",
    [SQL_TRACE_GET] = "SELECT message, incoming, channel, recipient, times FROM trace WHERE message = ?1",
    [SQL_TRACE_LATEST] = "SELECT message, incoming, channel, recipient, times FROM trace WHERE incoming = ?1 ORDER BY "
                         "number DESC LIMIT ?2",
    [SQL_TRACE_PRUNE] = "DELETE FROM trace WHERE number <= (SELECT MAX(number) FROM trace) - ?1",
};

static bool changes_rows(enum statement_id id)
{
    return id == SQL_OBJECT_FILL || id == SQL_OBJECT_STATE || id == SQL_OBJECT_TREE || id == SQL_OBJECT_ORIGIN ||
           id == SQL_OBJECT_ADMIT_HISTORY || id == SQL_OBJECT_REMOVE;
}

sqlite3_stmt *statement(struct store *s, enum statement_id id)
{
    if (changes_rows(id))
        s->rows_changed++;
    sqlite3_stmt **st = &s->in_use->statements[id];
    if (*st == NULL)
        sqlite3_prepare_v3(s->in_use->db, texts[id], -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
    else
        sqlite3_reset(*st);
    return *st;
}

void statements_reset(struct store *s)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_reset(s->in_use->statements[i]);
}

void statements_close(struct connection *c)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(c->statements[i]);
    memset(c->statements, 0, sizeof c->statements);
}

void bind_hash(sqlite3_stmt *st, int index, const struct hash *h)
{
    sqlite3_bind_blob(st, index, h->b, HASH_SIZE, SQLITE_TRANSIENT);
}

void bind_span(sqlite3_stmt *st, int index, struct span text)
{
    sqlite3_bind_text(st, index, text.len != 0 ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

void bind_bytes(sqlite3_stmt *st, int index, struct span bytes)
{
    sqlite3_bind_blob(st, index, bytes.len != 0 ? bytes.ptr : "", (int)bytes.len, SQLITE_STATIC);
}

bool column_hash(sqlite3_stmt *st, int index, struct hash *out)
{
    if (sqlite3_column_bytes(st, index) != HASH_SIZE)
        return false;
    memcpy(out->b, sqlite3_column_blob(st, index), HASH_SIZE);
    return true;
}

struct span column_bytes(sqlite3_stmt *st, int index)
{
    const void *p = sqlite3_column_blob(st, index);
    return (struct span){p != NULL ? p : "", (size_t)sqlite3_column_bytes(st, index)};
}

enum status statement_step(struct store *s, sqlite3_stmt *st, bool *row, struct error *e)
{
    *row = false;
    int rc = st != NULL ? sqlite3_step(st) : SQLITE_ERROR;
    if (rc == SQLITE_ROW) {
        *row = true;
        return STATUS_OK;
    }
    enum status status = rc == SQLITE_DONE ? STATUS_OK : store_sql_error(s, e);
    sqlite3_reset(st);
    return status;
}

enum status statement_run(struct store *s, sqlite3_stmt *st, struct error *e)
{
    bool row = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && row)
        status = statement_step(s, st, &row, e);
    return status;
}

enum status statement_hashes(struct store *s, sqlite3_stmt *st, struct hash_list *out, struct error *e)
{
    for (;;) {
        bool row;
        struct hash h;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        if (column_hash(st, 0, &h))
            hash_list_add(out, &h);
    }
}

enum status statement_numbered_hashes(struct store *s, sqlite3_stmt *st, int64_t *last, struct hash_list *out,
                                      struct error *e)
{
    for (;;) {
        bool row;
        struct hash h;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        *last = sqlite3_column_int64(st, 0);
        if (column_hash(st, 1, &h))
            hash_list_add(out, &h);
    }
}

enum status store_sql(struct store *s, const char *sql, struct error *e)
{
    s->rows_changed++;
    return sqlite3_exec(s->in_use->db, sql, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK : store_sql_error(s, e);
}

static enum status io_error(struct store *s, int extended, struct error *e)
{
    if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC)
        s->failed = true;
    errno = sqlite3_system_errno(s->in_use->db);
    if (errno == 0)
        return error_set(e, STATUS_IO, "IO", "The database of %s cannot be used: %s", s->dir,
                         sqlite3_errmsg(s->in_use->db));
    return error_errno(e, "The database of %s cannot be used", s->dir);
}

static enum status describe(struct store *s, struct error *e)
{
    int extended = sqlite3_extended_errcode(s->in_use->db);
    switch (extended & 0xff) {
    case SQLITE_FULL:
        return error_set(e, STATUS_FULL, "DISK-FULL", "There is no room left for the store in %s", s->dir);
    case SQLITE_READONLY:
        return error_set(e, STATUS_IO, "DISK-READ-ONLY", "The store in %s cannot be written", s->dir);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "The store in %s may not be opened", s->dir);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(e, STATUS_CONFLICT, "STORE-LOCKED", "Another process uses the store in %s", s->dir);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        dir_mark_rebuild(s);
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "The database of %s is damaged", s->dir);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return io_error(s, extended, e);
    default:
        return error_set(e, STATUS_INTERNAL, "STORE-FAILED", "The database of %s: %s", s->dir,
                         sqlite3_errmsg(s->in_use->db));
    }
}

enum status store_sql_error(struct store *s, struct error *e)
{
    enum status status = describe(s, &s->in_use->last_error);
    if (e != NULL)
        *e = s->in_use->last_error;
    return status;
}
