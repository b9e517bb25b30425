// How fast two sessions in one process bring objects across: framing, encryption, remote calls, both stores and their
// threads; only the sockets are missing. bench_sync [--smoke | number of objects]
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "models/policy.h"
#include "tests/unit/chum/stage.h"

enum { OBJECTS = 10000, FILE_BYTES = 100 << 20, SMOKE_OBJECTS = 200, SMOKE_BYTES = 1 << 20 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Of all threads: tells more than the time it took when the machine has other work.
static double processor(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

// A line "name: number kB" of /proc/self/status, in MB.
static double status_mb(const char *name)
{
    char line[200];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtod(line + strlen(name) + 1, NULL);
    }
    if (f != NULL)
        fclose(f);
    return kb / 1024;
}

struct measure {
    double began;
    double processor;
    double resident;
};

// From here on the peak of memory counts anew.
static struct measure begin_measure(struct stage *s)
{
    for (size_t i = 0; i < s->count; i++)
        arena_reset(s->sides[i].arena);
    malloc_trim(0);
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f != NULL) {
        fputs("5", f);
        fclose(f);
    }
    return (struct measure){seconds(), processor(), status_mb("VmRSS")};
}

static void end_measure(const struct measure *m, const char *what, double amount, const char *unit)
{
    double took = seconds() - m->began;
    printf("%-36s %8.1f ms %8.1f ms of a core", what, took * 1e3, (processor() - m->processor) * 1e3);
    if (amount > 0)
        printf(" %9.0f %s/s", amount / took, unit);
    printf("   + %.1f MB\n", status_mb("VmHWM") - m->resident);
    fflush(stdout);
}

// What a node asks for each root it lists.
static bool serves(void *ctx, struct store *s, const struct hash *person, struct span type, const struct hash *id_hash)
{
    struct arena *a = arena_create();
    struct model m = {.store = s, .self = ctx, .arena = a, .now_ms = clock_wall_ms()};
    bool yes = policy_may_serve(&m, person, type, id_hash);
    arena_destroy(a);
    return yes;
}

static void begin_stage(struct stage *s)
{
    static struct identity nobody;
    stage_begin(s, 2, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        s->sides[i].options.peer_is_own = true;
        s->sides[i].policy = (struct chum_policy){.ctx = &nobody, .serves = serves};
    }
}

static void pass_again(struct stage *s, struct side *side)
{
    uint64_t passes = chum_session_counts(side->session).passes;
    chum_session_poke(side->session);
    stage_wait_passes(s, side, passes + 1);
}

static void bench_roots(size_t count)
{
    struct stage s;
    struct hash *hashes = mem_array(count, sizeof *hashes);
    begin_stage(&s);
    side_put_many(&s.sides[0], &s.sides[1], count, hashes);
    struct measure m = begin_measure(&s);
    stage_connect(&s, &s.sides[0], &s.sides[1], NULL);
    stage_wait_passes(&s, &s.sides[1], 1);
    end_measure(&m, "objects granted one by one", (double)count, "objects");
    stage_wait_passes(&s, &s.sides[0], 1);
    m = begin_measure(&s);
    pass_again(&s, &s.sides[1]);
    end_measure(&m, "  a pass with nothing new", 0, NULL);
    side_put_many(&s.sides[1], &s.sides[0], 1, hashes); // bob has his own; alice gets one more
    struct hash more = side_put(&s.sides[0], "{'$type$':'Child','x':'more'}");
    side_grant(&s.sides[0], &more, &s.sides[1]);
    m = begin_measure(&s);
    pass_again(&s, &s.sides[1]);
    end_measure(&m, "  a pass with one new object", 0, NULL);
    stage_end(&s);
    free(hashes);
}

static void bench_tree(size_t count)
{
    struct stage s;
    struct hash *hashes = mem_array(count, sizeof *hashes);
    begin_stage(&s);
    struct side *alice = &s.sides[0];
    side_put_many(alice, alice, count, hashes); // granted to herself only
    struct value *refs = value_set(alice->arena);
    struct value *doc = value_object(alice->arena, SPAN("Doc"));
    for (size_t i = 0; i < count; i++)
        value_add(alice->arena, refs, value_hash(alice->arena, &hashes[i]));
    value_set_member(alice->arena, doc, SPAN("id"), value_text(alice->arena, "all"));
    value_set_member(alice->arena, doc, SPAN("refs"), refs);
    struct hash root = side_put_value(alice, doc);
    side_grant(alice, &root, &s.sides[1]);
    struct measure m = begin_measure(&s);
    stage_connect(&s, alice, &s.sides[1], NULL);
    stage_wait_passes(&s, &s.sides[1], 1);
    end_measure(&m, "objects below one root", (double)count, "objects");
    stage_end(&s);
    free(hashes);
}

static void bench_file(size_t size)
{
    struct stage s;
    begin_stage(&s);
    struct side *alice = &s.sides[0];
    char *bytes = mem_alloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + (i >> 8) * 7 + (i >> 16));
    struct hash file = side_file(alice, (struct span){bytes, size});
    free(bytes);
    struct hash root =
        side_put(alice, "{'$type$':'PersonImage','image':'%s','timestamp':1,'location':'here'}", hash_text(&file).s);
    side_grant(alice, &root, &s.sides[1]);
    struct measure m = begin_measure(&s);
    stage_connect(&s, alice, &s.sides[1], NULL);
    stage_wait_passes(&s, &s.sides[1], 1);
    end_measure(&m, "one file", (double)size / (1 << 20), "MB");
    stage_end(&s);
}

int main(int argc, char **argv)
{
    bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    size_t count = smoke ? SMOKE_OBJECTS : OBJECTS;
    if (argc > 1 && !smoke)
        count = (size_t)strtoul(argv[1], NULL, 10);
    printf("%zu objects, a file of %d MB\n", count, (smoke ? SMOKE_BYTES : FILE_BYTES) >> 20);
    bench_roots(count);
    bench_tree(count);
    bench_file(smoke ? SMOKE_BYTES : FILE_BYTES);
    return 0;
}
