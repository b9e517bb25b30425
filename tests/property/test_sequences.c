// A whole node, in one process and without sockets (world.h), meets its other own node, contacts, strangers and an
// impostor (actor.h) who say right and slightly wrong things of every group in random order, as those who dial and
// those who are dialled, while the store's jobs and answers come when chance wants it and connections end at any point.
// What must hold is in actor.c, world.c and check(): at most one answer to a question, nothing behind a close, no
// effect and no answer without authentication, everything released in the end, nothing queued without limit.
//
//   test_sequences [SEED [COUNT [FIRST [STEPS]]]]
//
// A node lives for a block of BLOCK sequences. Sequence n depends on the seed, n and the sequences of its block before
// it: SEED 1 FIRST repeats one alone, where FIRST is rounded down to its block. STEPS cuts the last sequence short.
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "chum/access_set.h"
#include "harness.h"
#include "models/contact.h"
#include "models/sharing.h"
#include "node/peers_internal.h"
#include "property.h"
#include "world.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

enum {
    BLOCK = 50,
    STEPS_MAX = 60,
    TALKS_MAX = 6,
    QUEUED_MAX = 4 << 20, // to one peer
    JOBS_MAX = 600,
};

struct question {           // a control request under way
    struct ipc_asker asker; // first
    bool is_invitation;
};

static struct {
    struct harness *h;
    struct recipes *recipes;
    uint64_t seed;
    long sequence, step;
    unsigned questions; // not answered
    size_t contacts_before;
} run;

// ---- Chance that can be repeated -----------------------------------------------------------------------------------

static uint64_t noise_state = 1;

static uint32_t noise(void)
{
    uint64_t old = __atomic_fetch_add(&noise_state, 0x9E3779B97F4A7C15u, __ATOMIC_RELAXED);
    old = (old ^ (old >> 30)) * 0xBF58476D1CE4E5B9u;
    old = (old ^ (old >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(old >> 32);
}

static void noise_fill(void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)noise();
}

static const char *noise_name(void)
{
    return "repeatable";
}

static void print_place(void)
{
    fprintf(stderr, "at sequence %ld, step %ld; repeat with: test_sequences %llu 1 %ld\n", run.sequence, run.step,
            (unsigned long long)run.seed, run.sequence);
}

static void on_abort(int signal_number)
{
    print_place();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

// ---- Contacts ------------------------------------------------------------------------------------------------------

struct befriending {
    const struct actor *actor;
    bool done;
};

static enum status befriend_work(struct store *s, void *arg, struct error *e)
{
    const struct actor *a = ((struct befriending *)arg)->actor;
    struct arena *arena = arena_create();
    struct model m = {.store = s, .self = run.h->node->self, .arena = arena, .now_ms = 1700000000000};
    struct contact_paired paired;
    struct contact_identity identity = {
        .email = span_of(a->identity.email),
        .instance_name = span_of(a->identity.instance_name),
        .url = a == &actors[2] ? span_of(a->url) : (struct span){0},
        .person_public = a->identity.person_public,
        .instance_public = a->identity.instance_public,
        .person_sign_public = a->identity.person_sign_public,
        .instance_sign_public = a->identity.instance_sign_public,
    };
    enum status st = contact_pair(&m, &identity, &paired, e);
    if (st == STATUS_OK)
        st = sharing_apply(&m, &paired.person, e);
    arena_destroy(arena);
    return st;
}

static void befriend_done(void *arg, enum status status, const struct error *e)
{
    if (status != STATUS_OK)
        world_fail("a contact cannot be stored: %s", e->message);
    ((struct befriending *)arg)->done = true;
    loop_stop(run.h->node->loop);
}

static void befriend(const struct actor *a)
{
    struct befriending b = {.actor = a};
    store_submit(run.h->node->queue, befriend_work, befriend_done, &b);
    while (!b.done)
        loop_run(run.h->node->loop);
}

// ---- The node's user -----------------------------------------------------------------------------------------------

static void answered(struct ipc_asker *asker, json_t *result, const struct error *error)
{
    struct question *q = (struct question *)asker;
    (void)error;
    const char *token = json_string_value(json_object_get(result, "token"));
    if (token != NULL)
        sayings_add_token(token);
    json_decref(result);
    run.questions--;
    free(q);
}

static void ask(const char *method, json_t *params)
{
    struct question *q = mem_alloc(sizeof *q);
    q->asker.respond = answered;
    run.questions++;
    ipc_service_dispatch(run.h->node->service, method, params, &q->asker);
}

static void user_acts(void)
{
    const struct actor *a = &actors[property_below(ACTORS)];
    char person[65], key[65];
    snprintf(person, sizeof person, "%s", hash_text(&a->identity.person_id).s);
    hex_encode(a->identity.instance_public.b, BOX_KEY, key);
    switch (property_below(6)) {
    case 0:
    case 1:
        ask("pairing.invite", json_pack("{s:b}", "keep", (int)property_chance(3)));
        return;
    case 2:
        ask("pairing.accept", json_pack("{s:{s:s, s:s, s:s}}", "invitation", "token", "shown by an actor", "publicKey",
                                        key, "url", a->url));
        return;
    case 3:
        ask("chat.send", json_pack("{s:s, s:s}", "to", person, "text", "hello"));
        return;
    case 4:
        ask("contact.disable", json_pack("{s:s}", "id", person));
        return;
    default:
        ask("contact.enable", json_pack("{s:s}", "id", person));
        return;
    }
}

// ---- Steps ---------------------------------------------------------------------------------------------------------

static struct peers *node_side(void)
{
    return run.h->node->peers;
}

static void accept_dial(const struct dialled *d)
{
    struct actor *a = &actors[2];
    for (size_t i = 0; i < ACTORS; i++)
        if (strncmp(actors[i].url, d->url, strlen(actors[i].url)) == 0)
            a = &actors[i];
    talk_accept(a, d->end);
}

static void deliver_some(unsigned count, bool tamper)
{
    while (count-- > 0 && world_deliver(tamper && property_chance(4)))
        ;
}

static void begin_talk(void)
{
    static const enum conn_group groups[] = {CONN_PAIRING, CONN_CHUM, CONN_CHUM, CONN_DEBUG};
    struct transport *end;
    if (talk_count >= TALKS_MAX)
        return;
    struct actor *a = &actors[property_below(property_chance(2) ? 3 : ACTORS)];
    talk_open(a, groups[property_below(4)], &node_side()->main.identity.instance_public, &end);
    peers_accept(node_side(), end, (struct span){0});
    if (!property_chance(4))
        deliver_some(40, property_chance(8));
}

static struct talk *some_talk(void)
{
    if (talk_count == 0)
        return NULL;
    uint32_t which = property_below(talk_count);
    struct talk *t = talks;
    while (which-- > 0)
        t = t->next;
    return t;
}

static void somebody_speaks(void)
{
    struct talk *t = some_talk();
    for (uint32_t i = 1 + property_below(4); t != NULL && t->ready && i > 0; i--)
        say_something(t);
    if (t != NULL && !t->ready)
        deliver_some(40, false);
    if (!property_chance(3))
        deliver_some(1 + property_below(12), false);
}

static void somebody_leaves(void)
{
    struct talk *t = some_talk();
    if (t == NULL)
        return;
    if (property_chance(2))
        talk_close(t);
    else
        world_break(t->end);
}

// Somebody asks a lot and does not read the answers, or reads again.
static void somebody_floods(void)
{
    struct talk *t = some_talk();
    if (t == NULL || !t->ready)
        return;
    t->deaf = !t->deaf;
    conn_pause(t->conn, t->deaf);
    for (int i = 0; i < 100 && t->deaf; i++)
        say_something(t);
    deliver_some(200, false);
}

static void store_works(void)
{
    for (uint32_t i = 1 + property_below(4); i > 0; i--) {
        if (property_chance(2))
            world_run_job();
        else
            world_tell_answer();
    }
}

static void time_passes(void)
{
    static const uint32_t most[] = {5, 100, 100, 100, 1000, 1000, 6000, 40000};
    world_sleep(property_below(most[property_below(8)]));
}

static void step(void)
{
    switch (property_below(20)) {
    case 0:
    case 1:
    case 2:
        begin_talk();
        return;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        somebody_speaks();
        return;
    case 9:
        somebody_leaves();
        return;
    case 10:
    case 11:
    case 12:
        store_works();
        return;
    case 13:
    case 14:
        time_passes();
        return;
    case 15:
        user_acts();
        return;
    case 16:
        somebody_floods();
        return;
    case 17:
        world_dial(!property_chance(4), accept_dial);
        return;
    default:
        deliver_some(1 + property_below(20), property_chance(30));
        return;
    }
}

// ---- What must hold ------------------------------------------------------------------------------------------------

static void check_load(void)
{
    struct world_load load = world_load();
    if (load.queued > QUEUED_MAX)
        world_fail("%zu bytes are queued to one peer", load.queued);
    if (world_jobs() > JOBS_MAX)
        world_fail("%zu jobs are under way", world_jobs());
}

static size_t may_be_known(void)
{
    size_t count = 0;
    for (size_t i = 0; i < ACTORS; i++)
        count += actors[i].known;
    return count;
}

static void let_everything_end(void)
{
    for (int round = 0; round < 200; round++) {
        while (talks != NULL && round < 50) {
            struct talk *t = talks;
            talk_close(t);
            if (talks == t)
                break;
        }
        deliver_some(10000, false);
        while (world_dial(false, NULL) || world_run_job() || world_tell_answer())
            ;
        if (round > 2 && node_side()->connections.open == NULL && run.questions == 0 && world_load().ends == 0)
            return;
        world_sleep(1000);
    }
}

static void check_end(void)
{
    struct peers *p = node_side();
    if (p->connections.open != NULL || world_load().ends != 0 || talk_count != 0)
        world_fail("%zu ends of connections are left over", world_load().ends);
    if (run.questions != 0)
        world_fail("%u requests of the user are not answered", run.questions);
    if (pairings_in_flight(p->pairings))
        world_fail("a pairing is in flight without a connection");
    if (!syncs_are_idle(p->syncs))
        world_fail("a session is left over");
    size_t strangers = may_be_known() - 3;
    if (hash_map_count(p->main.endpoints) > run.contacts_before + strangers)
        world_fail("%zu instances are known; there were %zu, and %zu strangers have paired",
                   hash_map_count(p->main.endpoints), run.contacts_before, strangers);
    tally.paired += hash_map_count(p->main.endpoints) - run.contacts_before;
    run.contacts_before = hash_map_count(p->main.endpoints);
}

// ---- Sequences -----------------------------------------------------------------------------------------------------

static void begin_node(void)
{
    noise_state = run.seed + (uint64_t)run.sequence;
    run.h = harness_create();
    world_use_mailbox(loop_mailbox(run.h->node->loop));
    harness_provision(run.h);
    sayings_begin();
    actors_begin(run.recipes);
    for (size_t i = 0; i < 3; i++)
        befriend(&actors[i]);
    const struct conn_identity *other = &actors[0].identity;
    const struct own_peer own = {.person = other->person_id, .instance_key = other->instance_public, .pinned = true};
    peers_set_own(node_side(), &own, &other->instance_id, NULL);
    for (int i = 0; i < 3; i++) // what was begun for the contacts is answered before
        harness_call(run.h, "node.status", NULL, NULL);
    world_let_store_wait(true);
    let_everything_end();
    run.contacts_before = hash_map_count(node_side()->main.endpoints);
}

// The node stops in the middle of things: whatever is under way has to end with it.
static void end_node(void)
{
    harness_destroy(run.h);
    world_let_store_wait(false);
    for (int i = 0; talks != NULL && i < 2 * TALKS_MAX; i++) {
        world_break(talks->end);
        deliver_some(10000, false);
    }
    deliver_some(10000, false);
    if (world_load().ends != 0 || world_load().dials != 0 || world_jobs() != 0 || run.questions != 0)
        world_fail("the node is gone, but %zu connections, %zu dials, %zu jobs and %u requests are not",
                   world_load().ends, world_load().dials, world_jobs(), run.questions);
    actors_end();
    sayings_end();
}

static void run_sequence(long number, long steps_max, bool to_its_end)
{
    run.sequence = number;
    property_seed(run.seed ^ ((uint64_t)number << 20));
    actors_renew_strangers(run.recipes, (unsigned)number);
    long steps = 10L + property_below(STEPS_MAX - 10);
    for (run.step = 0; run.step < steps && run.step < steps_max; run.step++) {
        step();
        check_load();
    }
    if (!to_its_end)
        return;
    let_everything_end();
    check_end();
}

static void run_block(long first, long count, long last_steps)
{
    run.sequence = first;
    run.step = -1;
    begin_node();
    for (long i = 0; i < count; i++)
        run_sequence(first + i, i + 1 == count ? last_steps : STEPS_MAX, i + 1 != count);
    end_node();
}

static long argument(char **argv, int argc, int i, long usual)
{
    return argc > i ? strtol(argv[i], NULL, 10) : usual;
}

static void print_tally(void)
{
    printf("authenticated: %lu for pairing, %lu for CHUM, %lu for debug; %lu were not\n", tally.ready[CONN_PAIRING],
           tally.ready[CONN_CHUM], tally.ready[CONN_DEBUG], tally.refused);
    printf("the node told %lu identities, %lu debug answers, %lu answers to requests; it asked %lu, and %lu paired\n",
           tally.identities, tally.debug_answers, tally.answers, tally.requests, tally.paired);
}

int main(int argc, char **argv)
{
    static struct randombytes_implementation repeatable = {
        .implementation_name = noise_name, .random = noise, .buf = noise_fill};
    randombytes_set_implementation(&repeatable);
    setvbuf(stdout, NULL, _IOLBF, 0);
    run.seed = (uint64_t)argument(argv, argc, 1, 20261130);
    long count = argument(argv, argc, 2, 2000), first = argument(argv, argc, 3, 0);
    long end = first + count, last_steps = argument(argv, argc, 4, STEPS_MAX);
    printf("seed %llu, sequences %ld to %ld\n", (unsigned long long)run.seed, first, end - 1);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_death_callback(print_place);
#endif
    signal(SIGABRT, on_abort);
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); // nothing here has to survive
    world_begin();
    run.recipes = recipes_create(false);
    for (long at = first - first % BLOCK; at < end; at += BLOCK)
        run_block(at, at + BLOCK < end ? BLOCK : end - at, at + BLOCK < end ? STEPS_MAX : last_steps);
    recipes_destroy(run.recipes);
    print_tally();
    printf("%ld sequences, nothing found\n", count);
    return EXIT_SUCCESS;
}
