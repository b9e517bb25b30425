#include "stage.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "io/folder.h"
#include "script.h"
#include "tests/support/fixture.h"

enum { STEP_MS = 10, NAP_MS = 50, DEADLINE_MS = 60000 };

static void must(enum status status, const struct error *e, const char *what)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s %s\n", what, e->code, e->message);
    abort();
}

// ---- Sessions ------------------------------------------------------------------------------------------------------

static void told_importing(void *ctx, struct chum_session *session)
{
    (void)session;
    ((struct side *)ctx)->importing++;
}

static void told_exporting(void *ctx, struct chum_session *session)
{
    (void)session;
    ((struct side *)ctx)->exporting++;
}

static void told_passed(void *ctx, struct chum_session *session, uint64_t objects, uint64_t bytes, uint64_t ms)
{
    (void)session, (void)objects, (void)bytes, (void)ms;
    ((struct side *)ctx)->passed++;
}

static void told_stored(void *ctx, struct chum_session *session, bool all)
{
    struct side *side = ctx;
    (void)session;
    side->said_all += all;
    side->said_left += !all;
}

static void told_stuck(void *ctx, struct chum_session *session, const struct hash *id_hash, const struct error *why)
{
    (void)session, (void)id_hash, (void)why;
    ((struct side *)ctx)->stuck++;
}

static void told_failed(void *ctx, struct chum_session *session, const struct hash *root, const struct error *why)
{
    struct side *side = ctx;
    (void)session, (void)root;
    buf_printf(&side->failures, "%s ", why->code);
    side->last_failure = *why;
}

static void told_closed(void *ctx, struct chum_session *session, const struct error *why)
{
    struct side *side = ctx;
    side->counts = chum_session_counts(session);
    side->closed++;
    side->closed_why = *why;
    if (side->session == session)
        side->session = NULL;
}

static const char *ready(void *ctx, struct conn *c, enum conn_group group)
{
    struct side *side = ctx;
    const struct chum_events events = {.ctx = side,
                                       .importing = told_importing,
                                       .exporting = told_exporting,
                                       .passed = told_passed,
                                       .stored = told_stored,
                                       .failed = told_failed,
                                       .stuck = told_stuck,
                                       .elsewhere = side->elsewhere,
                                       .closed = told_closed};
    (void)group;
    if (side->script != NULL)
        script_play(side->script, c);
    else
        side->session = chum_session_create(c, side->queue, side->access, &side->policy, &side->options, &events);
    return NULL;
}

// ---- Sides ---------------------------------------------------------------------------------------------------------

static struct recipes *usual_recipes(void *ctx)
{
    (void)ctx;
    return fixture_recipes();
}

struct recipes *stage_recorded_recipes(void *ctx)
{
    static const char type[] =
        "{'$type$':'Recipe','name':'WireTestDoc','rule':[{'itemprop':'id','isId':true},{'itemprop':'note'},"
        "{'itemprop':'text','optional':true,'itemtype':{'type':'referenceToClob'}}]}";
    struct error e = {0};
    struct recipes *r = usual_recipes(ctx);
    struct arena *a = arena_create();
    must(recipes_add(r, fixture_read(a, type), &e), &e, "recipes_add");
    arena_destroy(a);
    return r;
}

static void open_store(struct side *side)
{
    struct error e = {0};
    struct store *store;
    struct store_report report;
    struct store_options options = {.dir = side->dir, .kind = STORE_SPARSE, .recipes = side->store_recipes};
    strcpy(side->dir, "/tmp/tandem-chum-XXXXXX");
    if (mkdtemp(side->dir) == NULL)
        abort();
    must(store_open(&options, &store, &report, &e), &e, "store_open");
    side->answers = mailbox_create();
    side->queue = store_queue_create(store, side->answers);
}

static void side_open(struct side *side, struct pipe_world *w, const char *name, stage_recipes recipes, void *ctx)
{
    char email[40];
    snprintf(email, sizeof email, "%s@example.com", name);
    side->recipes = recipes(ctx);
    side->store_recipes = recipes(ctx);
    side->arena = arena_create();
    node_begin(&side->node, w, side->recipes, email, name);
    side->node.host.ready = ready;
    side->access = chum_access_create();
    open_store(side);
}

static void side_close(struct side *side)
{
    store_queue_destroy(side->queue);
    mailbox_drain(side->answers);
    mailbox_destroy(side->answers);
    chum_access_destroy(side->access);
    node_end(&side->node);
    recipes_destroy(side->recipes);
    recipes_destroy(side->store_recipes);
    arena_destroy(side->arena);
    buf_free(&side->failures);
    folder_remove_tree(side->dir, NULL);
}

// ---- The stage -----------------------------------------------------------------------------------------------------

void stage_begin(struct stage *s, size_t sides, stage_recipes recipes, void *ctx)
{
    static const char *const names[STAGE_SIDES] = {"alice", "bob", "carol"};
    memset(s, 0, sizeof *s);
    s->world = pipe_world_create();
    s->count = sides;
    for (size_t i = 0; i < sides && i < STAGE_SIDES; i++)
        side_open(&s->sides[i], s->world, names[i], recipes != NULL ? recipes : usual_recipes, ctx);
    for (size_t i = 0; i < sides; i++) {
        for (size_t k = 0; k < sides; k++) {
            if (i != k)
                node_learn(&s->sides[i].node, &s->sides[k].node);
        }
    }
}

void stage_end(struct stage *s)
{
    pipe_world_destroy(s->world);
    for (size_t i = 0; i < s->count; i++)
        side_close(&s->sides[i]);
}

void stage_connect(struct stage *s, struct side *a, struct side *b, const struct pipe_line *line)
{
    nodes_connect(&a->node, &b->node, CONN_CHUM, line, s->ends);
}

struct job {
    store_run_fn run;
    void *arg;
    bool done;
    enum status status;
    struct error error;
};

static enum status job_run(struct store *store, void *arg, struct error *e)
{
    struct job *j = arg;
    return j->run(store, j->arg, e);
}

static void job_done(void *arg, enum status status, const struct error *e)
{
    struct job *j = arg;
    j->done = true;
    j->status = status;
    if (status != STATUS_OK)
        j->error = *e;
}

static size_t drain(struct stage *s)
{
    size_t moved = 0;
    for (size_t i = 0; i < s->count; i++)
        moved += mailbox_drain(s->sides[i].answers);
    return moved;
}

static enum status run_nothing(struct store *store, void *arg, struct error *e)
{
    (void)store, (void)arg, (void)e;
    return STATUS_OK;
}

// Waits until every store has done what it was given before, so that no virtual time passes meanwhile. Returns how much
// that brought.
static size_t wait_for_stores(struct stage *s)
{
    size_t moved = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct job barrier = {.run = run_nothing};
        struct pollfd fd = {.fd = mailbox_fd(s->sides[i].answers), .events = POLLIN};
        store_submit(s->sides[i].queue, job_run, job_done, &barrier);
        while (!barrier.done) {
            poll(&fd, 1, -1);
            moved += mailbox_drain(s->sides[i].answers);
        }
        moved--; // the barrier itself
    }
    return moved;
}

void stage_step(struct stage *s)
{
    size_t moved = drain(s);
    pipe_settle(s->world);
    if (moved == 0 && wait_for_stores(s) == 0)
        pipe_sleep(s->world, STEP_MS);
}

void stage_sleep(struct stage *s, uint64_t ms)
{
    uint64_t until = pipe_world_now(s->world) + ms;
    for (uint64_t now; (now = pipe_world_now(s->world)) < until;) {
        while (drain(s) + wait_for_stores(s) != 0)
            pipe_settle(s->world);
        pipe_sleep(s->world, until - now < NAP_MS ? until - now : NAP_MS);
    }
}

void stage_wait(struct stage *s, bool (*holds)(void *ctx), void *ctx, const char *what)
{
    uint64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (!holds(ctx)) {
        if (clock_monotonic_ms() > deadline) {
            fprintf(stderr, "waited in vain: %s\n", what);
            abort();
        }
        stage_step(s);
    }
}

struct awaited {
    const struct side *side;
    uint64_t passes;
};

static bool has_passed(void *ctx)
{
    const struct awaited *a = ctx;
    return a->side->session != NULL && chum_session_counts(a->side->session).passes >= a->passes;
}

void stage_wait_passes(struct stage *s, struct side *side, uint64_t passes)
{
    struct awaited a = {side, passes};
    stage_wait(s, has_passed, &a, "complete passes");
}

static bool is_closed(void *ctx)
{
    const struct side *side = ctx;
    return side->session == NULL && side->closed != 0;
}

void stage_wait_closed(struct stage *s, struct side *side)
{
    stage_wait(s, is_closed, side, "the end of a session");
}

void stage_disconnect(struct stage *s, struct side *side)
{
    conn_close(chum_session_conn(side->session), NULL);
    stage_wait_closed(s, side);
    for (size_t i = 0; i < s->count; i++) {
        if (s->sides[i].session != NULL)
            stage_wait_closed(s, &s->sides[i]);
    }
}

// ---- Jobs ----------------------------------------------------------------------------------------------------------

enum status side_do(struct side *side, store_run_fn run, void *arg, struct error *e)
{
    struct job j = {.run = run, .arg = arg};
    store_submit(side->queue, job_run, job_done, &j);
    while (!j.done) {
        struct pollfd fd = {.fd = mailbox_fd(side->answers), .events = POLLIN};
        poll(&fd, 1, -1);
        mailbox_drain(side->answers);
    }
    if (e != NULL)
        *e = j.error;
    return j.status;
}

void side_must(struct side *side, store_run_fn run, void *arg)
{
    struct error e = {0};
    must(side_do(side, run, arg, &e), &e, "a job of the test");
}

// ---- Objects -------------------------------------------------------------------------------------------------------

enum { JSON_MAX = 4096 };

static enum status run_put(struct store *store, void *arg, struct error *e)
{
    return store_put(store, arg, NULL, e);
}

struct hash side_put_value(struct side *side, const struct value *object)
{
    struct error e = {0};
    struct object o;
    must(object_make(side->recipes, side->arena, object, MICRODATA_OBJECT, &o, &e), &e, "object_make");
    side_must(side, run_put, &o);
    return o.hash;
}

struct hash side_put(struct side *side, const char *format, ...)
{
    char json[JSON_MAX];
    va_list ap;
    va_start(ap, format);
    vsnprintf(json, sizeof json, format, ap);
    va_end(ap);
    return side_put_value(side, fixture_read(side->arena, json));
}

struct change {
    const struct value *value;
    struct version_result result;
};

static enum status run_change(struct store *store, void *arg, struct error *e)
{
    static double now = 1700000000000;
    struct change *c = arg;
    return version_store(store_versions(store), c->value, VERSION_CHANGE, now++, &c->result, e);
}

struct hash side_change(struct side *side, const char *format, ...)
{
    char json[JSON_MAX];
    va_list ap;
    va_start(ap, format);
    vsnprintf(json, sizeof json, format, ap);
    va_end(ap);
    struct change c = {.value = fixture_read(side->arena, json)};
    side_must(side, run_change, &c);
    return c.result.id_hash;
}

struct file {
    struct span bytes;
    struct hash hash;
};

static enum status run_file(struct store *store, void *arg, struct error *e)
{
    struct file *f = arg;
    struct store_writer *w;
    enum status st = store_writer_create(store, false, &w, e);
    if (st != STATUS_OK)
        return st;
    st = store_writer_add(w, f->bytes, e);
    if (st == STATUS_OK)
        st = store_writer_finish(w, NULL, &f->hash, NULL, e);
    store_writer_destroy(w);
    return st;
}

struct hash side_file(struct side *side, struct span bytes)
{
    struct file f = {.bytes = bytes};
    side_must(side, run_file, &f);
    return f.hash;
}

void side_grant(struct side *side, const struct hash *object, const struct side *to)
{
    side_change(side, "{'$type$':'Access','object':'%s','person':['%s'],'group':[]}", hash_text(object).s,
                hash_text(&to->node.identity.person_id).s);
}

void side_grant_id(struct side *side, const struct hash *id_hash, const struct side *to)
{
    side_change(side, "{'$type$':'IdAccess','id':'%s','person':['%s'],'group':[]}", hash_text(id_hash).s,
                hash_text(&to->node.identity.person_id).s);
}

struct bulk {
    struct object *objects;
    struct value **grants;
    size_t count;
};

static enum status run_bulk(struct store *store, void *arg, struct error *e)
{
    const struct bulk *b = arg;
    struct version_result ignored;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < b->count; i++) {
        st = store_put(store, &b->objects[i], NULL, e);
        if (st == STATUS_OK)
            st = version_store(store_versions(store), b->grants[i], VERSION_CHANGE, 1600000000000, &ignored, e);
    }
    return st;
}

static struct value *make_small(struct side *side, size_t number)
{
    char text[24];
    struct value *v = value_object(side->arena, SPAN("Child"));
    snprintf(text, sizeof text, "%zu", number);
    value_set_member(side->arena, v, SPAN("x"), value_text(side->arena, text));
    value_set_member(side->arena, v, SPAN("y"), value_text(side->arena, side->node.identity.email));
    return v;
}

static struct value *make_grant(struct side *side, const struct hash *object, const struct side *to)
{
    struct value *v = value_object(side->arena, SPAN("Access"));
    struct value *persons = value_list(side->arena);
    value_add(side->arena, persons, value_hash(side->arena, &to->node.identity.person_id));
    value_set_member(side->arena, v, SPAN("object"), value_hash(side->arena, object));
    value_set_member(side->arena, v, SPAN("person"), persons);
    value_set_member(side->arena, v, SPAN("group"), value_list(side->arena));
    return v;
}

void side_put_many(struct side *side, const struct side *to, size_t count, struct hash *hashes)
{
    struct error e = {0};
    struct bulk b = {arena_alloc(side->arena, count * sizeof *b.objects),
                     arena_alloc(side->arena, count * sizeof(struct value *)), count};
    for (size_t i = 0; i < count; i++) {
        must(object_make(side->recipes, side->arena, make_small(side, i), MICRODATA_OBJECT, &b.objects[i], &e), &e,
             "object_make");
        hashes[i] = b.objects[i].hash;
        b.grants[i] = make_grant(side, &hashes[i], to);
    }
    side_must(side, run_bulk, &b);
}

// ---- Questions to the store ----------------------------------------------------------------------------------------

struct question {
    const struct hash *hash;
    struct arena *arena;
    enum store_presence presence;
    struct hash node;
    struct span text;
    struct store_totals totals;
};

static enum status run_presence(struct store *store, void *arg, struct error *e)
{
    struct question *q = arg;
    (void)e;
    q->presence = store_presence(store, q->hash);
    return STATUS_OK;
}

enum store_presence side_presence(struct side *side, const struct hash *hash)
{
    struct question q = {.hash = hash};
    side_must(side, run_presence, &q);
    return q.presence;
}

static enum status run_head(struct store *store, void *arg, struct error *e)
{
    struct question *q = arg;
    return store_head(store, q->hash, &q->node, e);
}

bool side_head(struct side *side, const struct hash *id_hash, struct hash *node)
{
    struct question q = {.hash = id_hash};
    enum status st = side_do(side, run_head, &q, NULL);
    *node = q.node;
    return st == STATUS_OK;
}

static enum status run_current(struct store *store, void *arg, struct error *e)
{
    struct question *q = arg;
    struct object o;
    enum status st = store_current(store, q->hash, q->arena, &o, e);
    if (st == STATUS_OK)
        q->node = o.hash;
    return st;
}

struct hash side_current(struct side *side, const struct hash *id_hash)
{
    struct question q = {.hash = id_hash, .arena = side->arena};
    side_do(side, run_current, &q, NULL);
    return q.node;
}

static enum status run_text(struct store *store, void *arg, struct error *e)
{
    struct question *q = arg;
    return store_get(store, q->hash, q->arena, &q->text, e);
}

struct span side_text(struct side *side, const struct hash *hash)
{
    struct question q = {.hash = hash, .arena = side->arena};
    side_must(side, run_text, &q);
    return q.text;
}

static enum status run_totals(struct store *store, void *arg, struct error *e)
{
    struct question *q = arg;
    return store_totals(store, &q->totals, e);
}

uint64_t side_objects(struct side *side)
{
    struct question q = {0};
    side_must(side, run_totals, &q);
    return q.totals.objects;
}
