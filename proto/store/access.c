// Follows the heads of Access, IdAccess and Group objects into scope, member and group_member, and the heads of granted
// ids into scope_log (DATA-MODEL.md 10.1). What is granted to a group stays with the group: who is in it is joined when
// somebody asks, so that a change of its members touches only their rows.
#include <string.h>

#include "data/merge.h"
#include "store/access.h"
#include "store/database.h"
#include "store/fragment.h"
#include "store/heads.h"
#include "store/links.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/scope_events.h"
#include "store/state.h"
#include "store/statements.h"

static enum status find_number(struct store *s, sqlite3_stmt *st, bool *found, int64_t *number, struct error *e)
{
    enum status status = statement_step(s, st, found, e);
    if (*found) {
        *number = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return status;
}

static enum status scope_find(struct store *s, const struct hash *target, int kind, bool *found, int64_t *scope,
                              struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_SCOPE_FIND);
    bind_hash(st, 1, target);
    sqlite3_bind_int(st, 2, kind);
    return find_number(s, st, found, scope, e);
}

// ---- Version nodes of an id -----------------------------------------------------------------------------------------

static void bind_fragment(sqlite3_stmt *st, int index, const struct fragment *f)
{
    if (f->text.len != 0)
        bind_span(st, index, buf_span(&f->text));
    else
        sqlite3_bind_null(st, index);
    sqlite3_bind_int(st, index + 1, f->lacking);
}

static enum status log_add(struct store *s, int64_t scope, const struct hash *id_hash, const struct hash *node,
                           struct error *e)
{
    struct fragment fragment = {0};
    enum status status = fragment_of_node(s, node, id_hash, &fragment, e);
    sqlite3_stmt *st = statement(s, SQL_SCOPE_LOG_ADD);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int64(st, 2, s->next_seq++);
    bind_hash(st, 3, node);
    bind_fragment(st, 4, &fragment);
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    buf_free(&fragment.text);
    return status;
}

static enum status log_has(struct store *s, int64_t scope, const struct hash *node, bool *has, struct error *e)
{
    int64_t ignored;
    sqlite3_stmt *st = statement(s, SQL_SCOPE_LOG_HAS);
    sqlite3_bind_int64(st, 1, scope);
    bind_hash(st, 2, node);
    return find_number(s, st, has, &ignored, e);
}

// Of most types a merge is shown to our own other node, so that it need not come to the same by itself. Channels are
// merged all the time, and only in one way.
static bool shows_merges(struct store *s, const struct store_type *type)
{
    const struct recipe *recipe = recipes_find(s->recipes, (struct span){type->name, type->length});
    return recipe != NULL && merge_needs_history(recipe);
}

struct collecting {
    int64_t scope;
    bool merges; // too
    bool stop_at_known;
    const struct hash *old; // a head of before, behind which all is known; NULL: none
};

// Collects the nodes behind a head, newest first, as DATA-MODEL.md 8.9 lists them but each once. With stop_at_known,
// what the log already has is not looked behind.
static enum status collect(struct store *s, const struct collecting *c, const struct hash *head,
                           struct hash_list *nodes, struct error *e)
{
    struct hash_list waiting = {0};
    struct hash_map *seen = hash_map_create();
    enum status status = STATUS_OK;
    hash_list_add(&waiting, head);
    while (status == STATUS_OK && waiting.count != 0) {
        struct hash node = waiting.items[--waiting.count];
        struct node_links links;
        bool known = false;
        if (!hash_map_add(seen, &node) || (c->old != NULL && hash_eq(c->old, &node)))
            continue;
        if (c->stop_at_known)
            status = log_has(s, c->scope, &node, &known, e);
        if (status != STATUS_OK || known)
            continue;
        status = links_of_node(s, &node, &links, e);
        if (status == STATUS_OK && (!links.merge || c->merges))
            hash_list_add(nodes, &node);
        for (size_t i = links.before.count; i-- != 0;) // the first is visited first
            hash_list_add(&waiting, &links.before.items[i]);
        hash_list_free(&links.before);
    }
    hash_map_destroy(seen);
    hash_list_free(&waiting);
    return status;
}

static enum status append_new(struct store *s, int64_t scope, const struct store_type *type, const struct hash *id_hash,
                              const struct hash *old, const struct hash *head, struct error *e)
{
    const struct collecting c = {.scope = scope, .merges = shows_merges(s, type), .stop_at_known = true, .old = old};
    struct hash_list nodes = {0};
    enum status status = collect(s, &c, head, &nodes, e);
    while (status == STATUS_OK && nodes.count != 0)
        status = log_add(s, scope, id_hash, &nodes.items[--nodes.count], e);
    hash_list_free(&nodes);
    return status;
}

// The head went somewhere else than onwards: what no longer lies behind it leaves the scope.
static enum status remove_unreachable(struct store *s, int64_t scope, const struct hash *head, struct error *e)
{
    const struct collecting c = {.scope = scope, .merges = true};
    struct hash_list reachable = {0};
    struct hash_list logged = {0};
    struct hash_map *keep = hash_map_create();
    enum status status = collect(s, &c, head, &reachable, e);
    for (size_t i = 0; i < reachable.count; i++)
        hash_map_add(keep, &reachable.items[i]);
    sqlite3_stmt *list = statement(s, SQL_SCOPE_LOG_LIST);
    sqlite3_bind_int64(list, 1, scope);
    if (status == STATUS_OK)
        status = statement_hashes(s, list, &logged, e);
    for (size_t i = 0; i < logged.count && status == STATUS_OK; i++) {
        if (hash_map_has(keep, &logged.items[i]))
            continue;
        sqlite3_stmt *st = statement(s, SQL_SCOPE_LOG_REMOVE);
        sqlite3_bind_int64(st, 1, scope);
        bind_hash(st, 2, &logged.items[i]);
        status = statement_run(s, st, e);
    }
    hash_map_destroy(keep);
    hash_list_free(&logged);
    hash_list_free(&reachable);
    return status;
}

// A head usually follows its predecessor directly, or joins it with one other node.
static enum status goes_on(struct store *s, const struct hash *old, const struct hash *head, bool *onwards,
                           struct error *e)
{
    struct node_links links;
    enum status status = links_of_node(s, head, &links, e);
    *onwards = status == STATUS_OK && hash_list_has(&links.before, old);
    hash_list_free(&links.before);
    return status;
}

static enum status follow_versions(struct store *s, const struct store_type *type, const struct hash *id_hash,
                                   const struct hash *old, const struct hash *head, struct error *e)
{
    int64_t scope;
    bool found;
    bool onwards = false; // without a head before it whatever is known belongs to a history that was given up
    enum status status = scope_find(s, id_hash, SCOPE_ID, &found, &scope, e);
    if (status != STATUS_OK || !found)
        return status;
    if (old != NULL)
        status = goes_on(s, old, head, &onwards, e);
    if (status == STATUS_OK && !onwards)
        status = remove_unreachable(s, scope, head, e);
    if (status == STATUS_OK)
        status = append_new(s, scope, type, id_hash, onwards ? old : NULL, head, e);
    scope_events_note(s, scope);
    return status;
}

// ---- Who sees it ----------------------------------------------------------------------------------------------------

// What is found along the number line stands there again.
static enum status feed_again(struct store *s, int64_t scope, int64_t version, const struct fragment *f,
                              struct error *e)
{
    if (f->text.len == 0)
        return STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_FEED_AGAIN);
    sqlite3_bind_int64(st, 1, s->next_seq++);
    sqlite3_bind_int64(st, 2, scope);
    sqlite3_bind_int64(st, 3, version);
    return statement_run(s, st, e);
}

// Makes the entry of a scope anew.
static enum status scope_refresh(struct store *s, int64_t scope, const struct hash *target, int kind, bool again,
                                 struct error *e)
{
    struct fragment fragment = {0};
    enum status status = fragment_of_scope(s, kind, target, &fragment, e);
    sqlite3_stmt *st = statement(s, SQL_SCOPE_FRAGMENT);
    sqlite3_bind_int64(st, 1, scope);
    bind_fragment(st, 2, &fragment);
    if (hash_is_zero(&fragment.id_hash))
        sqlite3_bind_null(st, 4);
    else
        bind_hash(st, 4, &fragment.id_hash);
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    if (status == STATUS_OK && again)
        status = feed_again(s, scope, 0, &fragment, e);
    buf_free(&fragment.text);
    return status;
}

static enum status append_head(struct store *s, int64_t scope, const struct hash *id_hash, const struct head_row *head,
                               struct error *e)
{
    struct object_row data;
    enum status status = object_need(s, &head->data, &data, e);
    return status == STATUS_OK ? append_new(s, scope, data.type, id_hash, NULL, &head->node, e) : status;
}

static enum status scope_get(struct store *s, const struct hash *target, int kind, int64_t *scope, struct error *e)
{
    bool found;
    struct head_row head;
    enum status status = scope_find(s, target, kind, &found, scope, e);
    if (status != STATUS_OK || found)
        return status;
    sqlite3_stmt *st = statement(s, SQL_SCOPE_ADD);
    bind_hash(st, 1, target);
    sqlite3_bind_int(st, 2, kind);
    status = statement_run(s, st, e);
    *scope = sqlite3_last_insert_rowid(s->main.db);
    if (status == STATUS_OK)
        status = scope_refresh(s, *scope, target, kind, false, e);
    if (status != STATUS_OK || kind != SCOPE_ID)
        return status;
    status = heads_get(s, target, &head, e);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status == STATUS_OK ? append_head(s, *scope, target, &head, e) : status;
}

// The persons or groups an object lists, each once.
static void members_of(const struct value *object, const char *property, struct hash_map *out)
{
    const struct value *list = value_get(object, span_of(property));
    if (list == NULL || (list->kind != VALUE_LIST && list->kind != VALUE_SET))
        return;
    for (size_t i = 0; i < list->list.count; i++) {
        struct hash h;
        if (value_as_hash(list->list.items[i], &h))
            hash_map_add(out, &h);
    }
}

// On disk: column is_group of table member. Offered: a person to whom nothing was granted.
enum { MEMBER_PERSON = 0, MEMBER_GROUP = 1, MEMBER_OFFERED = 2 };

struct member_statements { // the same work for members of scopes and of groups; the first parameters are bound by ready
    enum statement_id list;
    enum statement_id set;
    enum statement_id end;
    int64_t scope; // 0: a group
    const struct hash *group;
    int is_group;
};

// Binds what names the list; returns the index of the next parameter.
static int bind_list(sqlite3_stmt *st, const struct member_statements *m)
{
    if (m->scope == 0) {
        bind_hash(st, 1, m->group);
        return 2;
    }
    sqlite3_bind_int64(st, 1, m->scope);
    sqlite3_bind_int(st, 2, m->is_group);
    return 3;
}

static enum status write_member(struct store *s, enum statement_id id, const struct member_statements *m,
                                const struct hash *person, struct error *e)
{
    sqlite3_stmt *st = statement(s, id);
    int next = bind_list(st, m);
    bind_hash(st, next, person);
    sqlite3_bind_int64(st, next + 1, s->next_seq++);
    return statement_run(s, st, e);
}

// Ends the members that are no longer listed; begins those that are new.
static enum status update_members(struct store *s, const struct member_statements *m, const struct object *o,
                                  const char *property, struct error *e)
{
    struct hash_list now = {0};
    struct hash_map *wanted = hash_map_create();
    struct hash person;
    size_t cursor = 0;
    members_of(o->value, property, wanted);
    sqlite3_stmt *st = statement(s, m->list);
    bind_list(st, m);
    enum status status = statement_hashes(s, st, &now, e);
    for (size_t i = 0; i < now.count && status == STATUS_OK; i++)
        if (!hash_map_remove(wanted, &now.items[i]))
            status = write_member(s, m->end, m, &now.items[i], e);
    while (status == STATUS_OK && hash_map_next(wanted, &cursor, &person, NULL))
        status = write_member(s, m->set, m, &person, e);
    hash_map_destroy(wanted);
    hash_list_free(&now);
    return status;
}

static enum status is_offered(struct store *s, int64_t scope, const struct hash *person, bool *yes, struct error *e)
{
    struct hash_list persons = {0};
    sqlite3_stmt *st = statement(s, SQL_MEMBER_LIST);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int(st, 2, MEMBER_OFFERED);
    enum status status = statement_hashes(s, st, &persons, e);
    *yes = hash_list_has(&persons, person);
    hash_list_free(&persons);
    return status;
}

enum status store_offer(struct store *s, const struct hash *person, bool is_id, const struct hash *target, bool offered,
                        struct error *e)
{
    int64_t scope = 0;
    bool is = false;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = scope_get(s, target, is_id ? SCOPE_ID : SCOPE_OBJECT, &scope, e);
    if (status == STATUS_OK)
        status = is_offered(s, scope, person, &is, e);
    if (status != STATUS_OK || is == offered)
        return status;
    const struct member_statements m = {.scope = scope, .is_group = MEMBER_OFFERED};
    scope_events_note(s, scope);
    return write_member(s, offered ? SQL_MEMBER_SET : SQL_MEMBER_END, &m, person, e);
}

static enum status follow_grant(struct store *s, const struct object *o, int kind, struct error *e)
{
    struct hash target;
    int64_t scope;
    if (!value_get_hash(o->value, kind == SCOPE_ID ? "id" : "object", &target))
        return STATUS_OK;
    enum status status = scope_get(s, &target, kind, &scope, e);
    if (status != STATUS_OK)
        return status;
    for (int is_group = MEMBER_PERSON; is_group <= MEMBER_GROUP && status == STATUS_OK; is_group++) {
        struct member_statements m = {.list = SQL_MEMBER_LIST,
                                      .set = SQL_MEMBER_SET,
                                      .end = SQL_MEMBER_END,
                                      .scope = scope,
                                      .is_group = is_group};
        status = update_members(s, &m, o, is_group == MEMBER_GROUP ? "group" : "person", e);
    }
    scope_events_note(s, scope);
    return status;
}

static enum status granted_to(struct store *s, int64_t scope, int is_group, struct arena *a, struct value *grant,
                              const char *property, struct error *e)
{
    struct hash_list names = {0};
    struct value *list = value_list(a);
    sqlite3_stmt *st = statement(s, SQL_MEMBER_LIST);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int(st, 2, is_group);
    enum status status = statement_hashes(s, st, &names, e);
    for (size_t i = 0; i < names.count; i++)
        value_add(a, list, value_hash(a, &names.items[i]));
    value_set_member(a, grant, span_of(property), list);
    hash_list_free(&names);
    return status;
}

enum status access_remake(struct store *s, const struct hash *target, bool is_id, struct arena *a, struct value **out,
                          struct error *e)
{
    bool found;
    int64_t scope;
    struct value *grant = value_object(a, is_id ? SPAN("IdAccess") : SPAN("Access"));
    value_set_member(a, grant, is_id ? SPAN("id") : SPAN("object"), value_hash(a, target));
    enum status status = scope_find(s, target, is_id ? SCOPE_ID : SCOPE_OBJECT, &found, &scope, e);
    *out = found ? grant : NULL;
    if (status == STATUS_OK && found)
        status = granted_to(s, scope, MEMBER_PERSON, a, grant, "person", e);
    if (status == STATUS_OK && found)
        status = granted_to(s, scope, MEMBER_GROUP, a, grant, "group", e);
    return status;
}

static enum status follow_group(struct store *s, const struct object *o, const struct hash *id_hash, struct error *e)
{
    struct member_statements m = {.list = SQL_GROUP_LIST, .set = SQL_GROUP_SET, .end = SQL_GROUP_END, .group = id_hash};
    enum status status = update_members(s, &m, o, "person", e);
    scope_events_note_group(s, id_hash);
    return status;
}

enum status access_follow(struct store *s, const struct store_type *type, const struct hash *id_hash,
                          const struct hash *old_node, const struct head_row *head, struct error *e)
{
    enum status status = follow_versions(s, type, id_hash, old_node, &head->node, e);
    if (status != STATUS_OK || !store_type_is_rights((struct span){type->name, type->length}))
        return status;
    struct arena *a = arena_create();
    struct object o;
    status = store_get_object(s, &head->data, a, &o, e);
    if (status == STATUS_OK && strcmp(type->name, "Group") == 0)
        status = follow_group(s, &o, id_hash, e);
    else if (status == STATUS_OK)
        status = follow_grant(s, &o, strcmp(type->name, "IdAccess") == 0 ? SCOPE_ID : SCOPE_OBJECT, e);
    arena_destroy(a);
    return status;
}

// The entry of a version node anew, if the node is in a scope. A node belongs to one id, so there is at most one.
static enum status node_refresh(struct store *s, const struct hash *node, struct error *e)
{
    bool found;
    struct hash id_hash;
    struct fragment fragment = {0};
    sqlite3_stmt *st = statement(s, SQL_SCOPE_LOG_FIND);
    bind_hash(st, 1, node);
    enum status status = statement_step(s, st, &found, e);
    if (!found)
        return status;
    int64_t scope = sqlite3_column_int64(st, 0);
    int64_t seq = sqlite3_column_int64(st, 1);
    found = column_hash(st, 2, &id_hash);
    sqlite3_reset(st);
    if (!found)
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "A granted root is damaged");
    status = fragment_of_node(s, node, &id_hash, &fragment, e);
    st = statement(s, SQL_SCOPE_LOG_FRAGMENT);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int64(st, 2, seq);
    bind_fragment(st, 3, &fragment);
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    if (status == STATUS_OK)
        status = feed_again(s, scope, seq, &fragment, e);
    buf_free(&fragment.text);
    scope_events_note(s, scope);
    return status;
}

enum status access_object_changed(struct store *s, const struct hash *hash, struct error *e)
{
    enum status status = STATUS_OK;
    for (int kind = SCOPE_OBJECT; kind <= SCOPE_ID && status == STATUS_OK; kind++) {
        int64_t scope;
        bool found;
        status = scope_find(s, hash, kind, &found, &scope, e);
        if (!found)
            continue;
        status = scope_refresh(s, scope, hash, kind, true, e);
        scope_events_note(s, scope);
    }
    return status == STATUS_OK ? node_refresh(s, hash, e) : status;
}
