// bench_store [--smoke] [DIR]: how fast a store takes objects, opens when it is big, and lists roots. One table.
//
// The big store has 1,000,000 objects (smoke: 20,000) of which 100,000 (2,000) are roots of one person; half of the
// roots are granted through a group. Building it takes about a minute.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/folder.h"
#include "store/store.h"

enum { SETTLE_STEPS = 40 };

struct size {
    int objects;
    int roots;
    int single; // objects stored in transactions of their own
};

static const struct size full = {1000000, 100000, 2000};
static const struct size smoke = {20000, 2000, 100};

static void check(enum status status, const struct error *e)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s\n", e->code, e->message);
    exit(1);
}

static struct store *open_store(const char *dir, enum store_kind kind, struct recipes *r)
{
    struct store_options options = {.dir = dir, .kind = kind, .recipes = r};
    struct store *s;
    struct error e = {0};
    check(store_open(&options, &s, NULL, &e), &e);
    return s;
}

static long memory_kb(const char *field)
{
    char line[200];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            kb = atol(line + strlen(field) + 1);
    if (f != NULL)
        fclose(f);
    return kb;
}

static void row(const char *what, double value, const char *unit, const char *target)
{
    printf("%-52s %12.1f %-10s %s\n", what, value, unit, target);
    fflush(stdout);
}

// A chat message of about 300 bytes.
static void make_message(const struct recipes *r, struct arena *a, const struct hash *sender, int i, struct object *o)
{
    struct error e = {0};
    char text[200];
    memset(text, 'm', sizeof text);
    int len = snprintf(text, 20, "message %d", i);
    text[len] = ' ';
    struct value *v = value_object(a, SPAN("ChatMessage"));
    value_set_member(a, v, SPAN("text"), value_string(a, (struct span){text, 100}));
    value_set_member(a, v, SPAN("sender"), value_hash(a, sender));
    check(object_make(r, a, v, MICRODATA_OBJECT, o, &e), &e);
}

static void make_person(struct store *s, const struct recipes *r, struct arena *a, const char *email, struct hash *id)
{
    struct error e = {0};
    struct version_result result;
    struct value *v = value_object(a, SPAN("Person"));
    (void)r;
    value_set_member(a, v, SPAN("email"), value_text(a, email));
    check(version_store(store_versions(s), v, VERSION_CHANGE, 1, &result, &e), &e);
    *id = result.id_hash;
}

static struct value *one(struct arena *a, const struct hash *h)
{
    struct value *list = value_list(a);
    if (h != NULL)
        value_add(a, list, value_hash(a, h));
    return list;
}

static void grant(struct store *s, struct arena *a, const struct hash *object, const struct hash *person,
                  const struct hash *group)
{
    struct error e = {0};
    struct version_result result;
    struct value *v = value_object(a, SPAN("Access"));
    value_set_member(a, v, SPAN("object"), value_hash(a, object));
    value_set_member(a, v, SPAN("person"), one(a, person));
    value_set_member(a, v, SPAN("group"), one(a, group));
    check(version_store(store_versions(s), v, VERSION_CHANGE, 2, &result, &e), &e);
}

struct people {
    struct hash bob;
    struct hash team;
};

static void make_people(struct store *s, const struct recipes *r, struct people *p)
{
    struct error e = {0};
    struct version_result result;
    struct arena *a = arena_create();
    check(store_begin(s, &e), &e);
    make_person(s, r, a, "bob@example.com", &p->bob);
    struct value *v = value_object(a, SPAN("Group"));
    value_set_member(a, v, SPAN("name"), value_text(a, "team"));
    value_set_member(a, v, SPAN("person"), one(a, &p->bob));
    check(version_store(store_versions(s), v, VERSION_CHANGE, 1, &result, &e), &e);
    check(store_commit(s, &e), &e);
    p->team = result.id_hash;
    arena_destroy(a);
}

// Batches of 1,000; every so many objects one is granted, alternately to the person and to the group.
static void put_many(struct store *s, const struct recipes *r, const struct people *p, const struct size *size)
{
    struct error e = {0};
    struct arena *a = arena_create();
    int every = size->objects / size->roots;
    uint64_t began = clock_monotonic_ms();
    for (int i = 0; i < size->objects; i++) {
        struct object o;
        if (i % 1000 == 0)
            check(store_begin(s, &e), &e);
        make_message(r, a, &p->bob, i, &o);
        check(store_put(s, &o, NULL, &e), &e);
        if (i % every == 0)
            grant(s, a, &o.hash, i / every % 2 == 0 ? &p->bob : NULL, i / every % 2 == 0 ? NULL : &p->team);
        if (i % 1000 == 999) {
            check(store_commit(s, &e), &e);
            arena_reset(a);
        }
    }
    double seconds = (double)(clock_monotonic_ms() - began) / 1000;
    row("objects stored in batches of 1,000 (with grants)", size->objects / seconds, "objects/s", "");
    arena_destroy(a);
}

static void put_singly(struct store *s, const struct recipes *r, const struct people *p, const struct size *size)
{
    struct error e = {0};
    struct arena *a = arena_create();
    uint64_t began = clock_monotonic_ms();
    for (int i = 0; i < size->single; i++) {
        struct object o;
        make_message(r, a, &p->bob, -1 - i, &o);
        check(store_begin(s, &e), &e);
        check(store_put(s, &o, NULL, &e), &e);
        check(store_commit(s, &e), &e);
    }
    row("objects stored one by one", size->single * 1000.0 / (double)(clock_monotonic_ms() - began), "objects/s", "");
    arena_destroy(a);
}

static void settle(struct store *s)
{
    struct error e = {0};
    bool more = true;
    int steps = 0;
    uint64_t began = clock_monotonic_ms();
    uint64_t longest = 0;
    while (more && steps < SETTLE_STEPS) {
        uint64_t before = clock_monotonic_ms();
        check(store_maintain(s, 1, &more, &e), &e);
        uint64_t took = clock_monotonic_ms() - before;
        longest = took > longest ? took : longest;
        steps++;
    }
    row("files settled", 256.0 * steps * 1000 / (double)(clock_monotonic_ms() - began + 1), "files/s", "");
    row("longest step of settling", (double)longest, "ms", "");
}

static enum status take(struct span fragment, const struct hash *node_or_object, const struct hash *id_hash, void *arg)
{
    (void)node_or_object;
    (void)id_hash;
    size_t *sums = arg;
    sums[0]++;
    sums[1] += fragment.len;
    return STATUS_OK;
}

// In a process of its own, so that its memory is that of an opened store and nothing else.
static void open_and_list(const char *dir, enum store_kind kind, const struct size *size, const struct hash *bob)
{
    struct error e = {0};
    size_t sums[2] = {0};
    uint64_t skipped;
    uint64_t version;
    struct recipes *r = recipes_create(true);
    long before = memory_kb("VmRSS:");
    uint64_t began = clock_monotonic_ms();
    struct store *s = open_store(dir, kind, r);
    row("opening the big store", (double)(clock_monotonic_ms() - began), "ms", size == &full ? "≤ 200" : "");
    row("resident after opening", (double)memory_kb("VmRSS:") / 1024, "MB", size == &full ? "≤ 40" : "");
    row("of which before opening", (double)before / 1024, "MB", "");
    for (int round = 0; round < 2; round++) {
        began = clock_monotonic_ms();
        sums[0] = sums[1] = 0;
        check(store_roots(s, bob, take, sums, &skipped, &e), &e);
        row(round == 0 ? "listing the roots, first" : "listing the roots, again",
            (double)(clock_monotonic_ms() - began), "ms", "");
    }
    row("roots listed", (double)sums[0], "", "");
    row("their text", (double)sums[1] / 1e6, "MB", "");
    row("most resident while listing", (double)memory_kb("VmHWM:") / 1024, "MB", size == &full ? "≤ 64" : "");
    check(store_roots_version(s, bob, &version, &e), &e);
    began = clock_monotonic_ms();
    for (int i = 0; i < 1000000; i++)
        check(store_roots_version(s, bob, &version, &e), &e);
    row("asking whether roots changed", (double)(clock_monotonic_ms() - began), "ns", "");
    store_close(s);
    recipes_destroy(r);
}

static void in_child(const char *dir, enum store_kind kind, const struct size *size, const struct hash *bob)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        open_and_list(dir, kind, size, bob);
        fflush(NULL);
        _exit(0);
    }
    int ended;
    waitpid(child, &ended, 0);
}

static void run(const char *dir, enum store_kind kind, const struct size *size)
{
    struct people p;
    struct recipes *r = recipes_create(true);
    printf("\n%s store, %d objects, %d roots\n", kind == STORE_ARCHIVE ? "archive" : "sparse", size->objects,
           size->roots);
    struct store *s = open_store(dir, kind, r);
    make_people(s, r, &p);
    put_many(s, r, &p, size);
    put_singly(s, r, &p, size);
    if (kind == STORE_ARCHIVE)
        settle(s);
    store_close(s);
    recipes_destroy(r);
    in_child(dir, kind, size, &p.bob);
}

int main(int argc, char **argv)
{
    const struct size *size = &full;
    const char *base = "/tmp";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0)
            size = &smoke;
        else
            base = argv[i];
    }
    for (int kind = STORE_ARCHIVE; kind <= STORE_SPARSE; kind++) {
        char dir[200];
        snprintf(dir, sizeof dir, "%s/tandem-bench-XXXXXX", base);
        if (mkdtemp(dir) == NULL) {
            perror(dir);
            return 1;
        }
        run(dir, (enum store_kind)kind, size);
        folder_remove_tree(dir, NULL);
    }
    return 0;
}
