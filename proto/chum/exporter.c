#include "chum/exporter.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "chum/lists.h"

enum { REQUESTS_MAX = 4096, QUEUED_MAX = 256 << 10 };

struct chum_exporter {
    struct chum_exporter_options o;
    struct chum_access_set *shown;
    struct stream *streams;
    size_t jobs; // on their way through the store thread
    bool ended;
    bool full;
};

struct answer { // a request that the store answers
    struct chum_exporter *exporter;
    int64_t id;
    enum chum_service service;
    struct hash hash;
    struct hash person;
    const struct chum_policy *policy;
    struct buf text;
    struct hash_list shown;
};

struct stream { // a file on its way out
    struct stream *next;
    struct chum_exporter *exporter;
    int64_t id;
    struct hash hash;
    uint64_t offset; // of the next piece in the file
    struct buf piece;
    bool as_text;
    bool first;
    bool reading; // a job is under way
    bool last;    // the piece read last was the end
};

// ---- On the store thread -------------------------------------------------------------------------------------------

struct listing {
    struct store *store;
    const struct chum_policy *policy;
    const struct hash *person;
    struct buf *text;
    struct hash_list *shown;
};

static bool serves(const struct listing *l, const struct hash *hash, const struct hash *id_hash)
{
    if (l->policy == NULL || l->policy->serves == NULL)
        return true;
    struct store_info info;
    const struct hash *named = id_hash != NULL ? id_hash : hash;
    if (store_info(l->store, named, &info, NULL) != STATUS_OK)
        return false;
    return l->policy->serves(l->policy->ctx, l->store, l->person, span_of(info.type), id_hash);
}

static enum status list_root(struct span fragment, const struct hash *hash, const struct hash *id_hash, void *arg)
{
    struct listing *l = arg;
    if (!serves(l, hash, id_hash))
        return STATUS_OK;
    if (l->text->len > 1)
        buf_add_char(l->text, ',');
    buf_add_span(l->text, fragment);
    bool is_version_node = span_starts_with(fragment, SPAN("{\"type\":\"version_node\""));
    if (hash != NULL)
        hash_list_add(l->shown, hash);
    if (id_hash != NULL && !is_version_node)
        hash_list_add(l->shown, id_hash);
    return STATUS_OK;
}

static enum status export_roots(struct store *s, const struct chum_policy *policy, const struct hash *person,
                                struct buf *text, struct hash_list *shown, struct error *e)
{
    struct listing l = {s, policy, person, text, shown};
    uint64_t skipped;
    buf_add_char(text, '[');
    enum status st = store_roots(s, person, list_root, &l, &skipped, e);
    buf_add_char(text, ']');
    return st;
}

static enum status check_form(const struct store_info *info, enum chum_service service, const struct hash *hash,
                              struct error *e)
{
    bool wants_id = service == CHUM_GET_ID_OBJECT || service == CHUM_GET_ID_OBJECT_CHILDREN;
    bool is_right = info->kind == (wants_id ? STORE_ID_OBJECT : STORE_OBJECT);
    if (is_right)
        return STATUS_OK;
    if (service == CHUM_GET_OBJECT)
        return error_set(e, STATUS_INVALID, "CES-GO2", "%s is not an object", hash_text(hash).s);
    if (service == CHUM_GET_ID_OBJECT)
        return error_set(e, STATUS_INVALID, "CES-GIDO2", "%s is not an id object", hash_text(hash).s);
    return error_set(e, STATUS_INVALID, "M2O-PH1", "%s is not %s", hash_text(hash).s,
                     wants_id ? "an id object" : "an object");
}

static enum status export_children(struct store *s, const struct hash *hash, struct buf *text, struct hash_list *shown,
                                   struct error *e)
{
    struct store_children children = {0};
    enum status st = store_children(s, hash, &children, e);
    if (st != STATUS_OK)
        return st;
    chum_children_write(&children, text);
    for (size_t i = 0; i < children.count; i++)
        hash_list_add(shown, &children.items[i].hash);
    free(children.items);
    return STATUS_OK;
}

static enum status export_text(struct store *s, const struct hash *hash, struct buf *text, struct error *e)
{
    struct arena *arena = arena_create();
    struct span microdata;
    enum status st = store_get(s, hash, arena, &microdata, e);
    if (st == STATUS_OK)
        buf_add_span(text, microdata);
    arena_destroy(arena);
    return st;
}

enum status chum_export(struct store *s, const struct chum_policy *policy, const struct hash *person,
                        enum chum_service service, const struct hash *hash, struct buf *text, struct hash_list *shown,
                        struct error *e)
{
    if (service == CHUM_GET_ACCESSIBLE_ROOTS)
        return export_roots(s, policy, person, text, shown, e);
    struct store_info info;
    enum status st = store_info(s, hash, &info, e);
    if (st == STATUS_OK)
        st = check_form(&info, service, hash, e);
    if (st == STATUS_NOT_FOUND)
        return error_set(e, st, "SB-READ2", "File not found: %s", hash_text(hash).s);
    if (st != STATUS_OK)
        return st;
    if (service == CHUM_GET_OBJECT || service == CHUM_GET_ID_OBJECT)
        return export_text(s, hash, text, e);
    return export_children(s, hash, text, shown, e);
}

static enum status answer_work(struct store *s, void *arg, struct error *e)
{
    struct answer *a = arg;
    return chum_export(s, a->policy, &a->person, a->service, &a->hash, &a->text, &a->shown, e);
}

static enum status read_work(struct store *s, void *arg, struct error *e)
{
    struct stream *t = arg;
    size_t before = t->piece.len;
    enum status st = store_read_chunk(s, &t->hash, t->offset, &t->piece, e);
    t->last = t->piece.len - before < STORE_CHUNK;
    t->offset += t->piece.len - before;
    return st;
}

// ---- Answers -------------------------------------------------------------------------------------------------------

static void release(struct chum_exporter *x)
{
    if (x->ended && x->jobs == 0)
        free(x);
}

static void one_less(struct chum_exporter *x)
{
    x->jobs--;
    if (x->full && !x->ended && x->jobs < REQUESTS_MAX / 2) {
        x->full = false;
        x->o.full(x->o.ctx, false);
    }
    release(x);
}

static void one_more(struct chum_exporter *x)
{
    x->jobs++;
    if (!x->full && x->jobs >= REQUESTS_MAX) {
        x->full = true;
        x->o.full(x->o.ctx, true);
    }
}

static void answer_error(struct chum_exporter *x, int64_t id, const struct error *e)
{
    char message[400];
    snprintf(message, sizeof message, "%s: %s", e->code, e->message);
    const char *name = strcmp(e->code, "SB-READ2") == 0 ? "FileNotFoundError" : "Error";
    rpc_answer_error(x->o.rpc, id, name, message, e->code);
}

static void answer_done(void *arg, enum status status, const struct error *e)
{
    struct answer *a = arg;
    struct chum_exporter *x = a->exporter;
    if (!x->ended && status == STATUS_OK) {
        for (size_t i = 0; i < a->shown.count; i++)
            chum_access_show(x->shown, &a->shown.items[i]);
        rpc_answer_string(x->o.rpc, a->id, buf_span(&a->text));
        if (a->service == CHUM_GET_OBJECT || a->service == CHUM_GET_ID_OBJECT) {
            x->o.counts->objects_sent++;
            x->o.counts->bytes_sent += a->text.len;
        }
        if (a->service == CHUM_GET_ACCESSIBLE_ROOTS)
            x->o.asked_for_roots(x->o.ctx);
    } else if (!x->ended) {
        answer_error(x, a->id, e);
    }
    buf_free(&a->text);
    hash_list_free(&a->shown);
    free(a);
    one_less(x);
}

static void ask_store(struct chum_exporter *x, int64_t id, enum chum_service service, const struct hash *hash)
{
    struct answer *a = mem_alloc(sizeof *a);
    *a = (struct answer){.exporter = x, .id = id, .service = service, .person = x->o.person, .policy = x->o.policy};
    if (hash != NULL)
        a->hash = *hash;
    one_more(x);
    store_submit_read(x->o.queue, answer_work, answer_done, a);
}

// ---- Streams -------------------------------------------------------------------------------------------------------

static void forget_stream(struct stream *t)
{
    struct stream **link = &t->exporter->streams;
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    buf_free(&t->piece);
    free(t);
}

// How much of a text ends at a character boundary; at the end of the file everything does.
static size_t whole_characters(const struct stream *t)
{
    size_t n = t->piece.len;
    if (t->last)
        return n;
    size_t back = 0;
    while (back < 3 && back < n && ((unsigned char)t->piece.data[n - 1 - back] & 0xC0) == 0x80)
        back++;
    bool lead = back < n && ((unsigned char)t->piece.data[n - 1 - back] & 0x80) != 0;
    return lead ? n - 1 - back : n;
}

static void send_piece(struct stream *t)
{
    struct chum_exporter *x = t->exporter;
    size_t n = t->as_text ? whole_characters(t) : t->piece.len;
    struct span piece = {t->piece.data, n};
    if (n != 0 && t->as_text)
        rpc_stream_text(x->o.rpc, t->id, piece, t->first);
    else if (n != 0)
        rpc_stream_binary(x->o.rpc, t->id, piece);
    t->first = t->first && n == 0;
    x->o.counts->bytes_sent += n;
    buf_drop_front(&t->piece, n);
}

static void read_done(void *arg, enum status status, const struct error *e);

static void read_on(struct stream *t)
{
    t->reading = true;
    one_more(t->exporter);
    store_submit_read(t->exporter->o.queue, read_work, read_done, t);
}

static void read_done(void *arg, enum status status, const struct error *e)
{
    struct stream *t = arg;
    struct chum_exporter *x = t->exporter;
    t->reading = false;
    if (x->ended) {
        forget_stream(t);
    } else if (status != STATUS_OK) {
        if (t->first)
            answer_error(x, t->id, e);
        else
            rpc_stream_error(x->o.rpc, t->id, e->message);
        forget_stream(t);
    } else {
        send_piece(t);
        if (t->last) {
            rpc_stream_end(x->o.rpc, t->id);
            x->o.counts->objects_sent++;
            forget_stream(t);
        } else if (conn_queued(x->o.conn) < QUEUED_MAX) {
            read_on(t);
        }
    }
    one_less(x);
}

void chum_exporter_drained(struct chum_exporter *x)
{
    for (struct stream *t = x->streams; t != NULL; t = t->next) {
        if (!t->reading)
            read_on(t);
    }
}

static void begin_stream(struct chum_exporter *x, int64_t id, const struct hash *hash, bool as_text)
{
    struct stream *t = mem_alloc(sizeof *t);
    *t = (struct stream){.next = x->streams, .exporter = x, .id = id, .hash = *hash, .as_text = as_text, .first = true};
    x->streams = t;
    read_on(t);
}

// ---- Requests ------------------------------------------------------------------------------------------------------

static const struct refusal { // of services 4 to 8 (WIRE.md 10.6)
    enum chum_service service;
    const char *code;
    const char *what;
    bool is_id;
} refusals[] = {
    {CHUM_GET_OBJECT_CHILDREN, "CES-GOC1", "obj", false}, {CHUM_GET_ID_OBJECT_CHILDREN, "CES-GIDOC1", "id obj", true},
    {CHUM_GET_OBJECT, "CES-GO1", "obj", false},           {CHUM_GET_ID_OBJECT, "CES-GIDO1", "id obj", true},
    {CHUM_GET_BLOB, "CES-GBL1", "file", false},
};

static bool read_hash(const json_t *args, size_t i, struct hash *out)
{
    const json_t *text = json_array_get(args, i);
    return json_is_string(text) && hash_parse((struct span){json_string_value(text), json_string_length(text)}, out);
}

static enum status check_request(struct chum_exporter *x, const struct rpc_request *r, const struct refusal *refusal,
                                 struct hash *hash, struct error *e)
{
    if (!read_hash(r->args, 0, hash))
        return error_set(e, STATUS_INVALID, refusal->is_id ? "UTC-EIDHASH" : "UTC-EHASH", "the argument is not a hash");
    if (!chum_access_allows(x->shown, hash))
        return error_set(e, STATUS_REFUSED, refusal->code, "Unauthorized, %s %s", refusal->what, hash_text(hash).s);
    return STATUS_OK;
}

static enum status check_encoding(const struct rpc_request *r, bool *as_text, struct error *e)
{
    const json_t *encoding = json_array_get(r->args, 1);
    *as_text = json_is_string(encoding) && strcmp(json_string_value(encoding), "utf8") == 0;
    if (*as_text || encoding == NULL || rpc_is_undefined(encoding))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "CES-GBL2", "only utf8 or no encoding is known");
}

static void serve_hash(struct chum_exporter *x, const struct rpc_request *r, const struct refusal *refusal)
{
    struct error e = {0};
    struct hash hash;
    bool as_text = false;
    enum status st = check_request(x, r, refusal, &hash, &e);
    if (st == STATUS_OK && refusal->service == CHUM_GET_BLOB)
        st = check_encoding(r, &as_text, &e);
    if (st != STATUS_OK)
        answer_error(x, r->id, &e);
    else if (refusal->service == CHUM_GET_BLOB)
        begin_stream(x, r->id, &hash, as_text);
    else
        ask_store(x, r->id, refusal->service, &hash);
}

void chum_exporter_serve(struct chum_exporter *x, const struct rpc_request *r)
{
    switch (r->service) {
    case CHUM_GET_PROTOCOL_VERSION:
        rpc_answer_json(x->o.rpc, r->id, SPAN("8"));
        return;
    case CHUM_GET_ACCESSIBLE_ROOTS:
        ask_store(x, r->id, CHUM_GET_ACCESSIBLE_ROOTS, NULL);
        return;
    case CHUM_NEW_ACCESSIBLE_ROOT_EVENT:
        rpc_answer_json(x->o.rpc, r->id, (struct span){0});
        x->o.told_of_news(x->o.ctx);
        return;
    case CHUM_FIN:
        rpc_answer_json(x->o.rpc, r->id, (struct span){0});
        return;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if ((int64_t)refusals[i].service == r->service) {
            serve_hash(x, r, &refusals[i]);
            return;
        }
    }
    rpc_answer_unknown_service(x->o.rpc, r->id, r->service);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct chum_exporter *chum_exporter_create(const struct chum_exporter_options *options)
{
    struct chum_exporter *x = mem_alloc(sizeof *x);
    x->o = *options;
    x->shown = chum_access_use(options->access, &options->person);
    return x;
}

bool chum_exporter_is_busy(const struct chum_exporter *x)
{
    return x->jobs != 0 || x->streams != NULL;
}

void chum_exporter_end(struct chum_exporter *x)
{
    x->ended = true;
    chum_access_leave(x->shown);
    for (struct stream *t = x->streams; t != NULL;) {
        struct stream *next = t->next;
        if (!t->reading)
            forget_stream(t);
        t = next;
    }
    release(x);
}
