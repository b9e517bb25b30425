// What has failed is known for as long as it is shown: each pass marks what it met again, and its end forgets the rest.
// So a peer cannot make the map longer than its own list, and what it takes back and shows anew begins with a short
// pause.
#include "chum/failures.h"

#include <stdlib.h>
#include <string.h>

#include "chum/fetch.h"

enum { TOLD_PER_PASS = 100 };

struct failure {
    char code[40];
    bool lacking;        // it was taken over, but for BLOBs
    struct hash id_hash; // of a version
    unsigned times;
    uint64_t retry_at;
    uint64_t pass; // in which it was seen last
};

void chum_failures_begin(struct chum_failures *fs)
{
    fs->by_root = hash_map_create();
}

void chum_failures_free(struct chum_failures *fs)
{
    hash_map_free_values(fs->by_root);
    hash_map_destroy(fs->by_root);
    chum_stalls_free(&fs->stalls);
}

static struct failure *failure_of(struct chum_failures *fs, const struct hash *root)
{
    struct failure *f = hash_map_get(fs->by_root, root);
    if (f == NULL) {
        f = mem_alloc(sizeof *f);
        hash_map_set(fs->by_root, root, f);
    }
    f->pass = fs->pass;
    return f;
}

static void tell(struct chum_failures *fs, const struct hash *root, const struct error *why)
{
    if (fs->told++ < TOLD_PER_PASS)
        fs->failed(fs->ctx, root, why);
}

bool chum_failures_add(struct chum_failures *fs, const struct hash *root, const struct hash *id_hash,
                       const struct error *why, uint64_t now)
{
    struct failure *f = failure_of(fs, root);
    bool first = f->times == 0;
    bool is_news = strcmp(f->code, why->code) != 0 || f->times == 0;
    memcpy(f->code, why->code, sizeof f->code);
    f->lacking = false;
    f->id_hash = *id_hash;
    f->retry_at = now + chum_retry_pause(++f->times);
    if (is_news)
        tell(fs, root, why);
    return first;
}

// It is gone through again for those it asked for itself; the others are somebody else's to ask for, and when they come
// it is complete.
void chum_failures_add_lacking(struct chum_failures *fs, const struct hash *root, const struct chum_lacking *lacking,
                               uint64_t now)
{
    struct failure *f = failure_of(fs, root);
    struct error why;
    (void)error_set(&why, STATUS_NOT_FOUND, "BLOB-UNAVAILABLE", "the peer lists %zu files it cannot deliver",
                    lacking->files);
    memcpy(f->code, why.code, sizeof f->code);
    f->lacking = true;
    f->retry_at = lacking->asked != 0 ? now + chum_retry_pause(++f->times) : UINT64_MAX;
    if (lacking->news != 0)
        tell(fs, root, &why);
}

void chum_failures_keep(struct chum_failures *fs, const struct hash *root)
{
    struct failure *f = hash_map_get(fs->by_root, root);
    if (f != NULL)
        f->pass = fs->pass;
}

void chum_failures_remove(struct chum_failures *fs, const struct hash *root)
{
    free(hash_map_get(fs->by_root, root));
    hash_map_remove(fs->by_root, root);
}

void chum_failures_all_due(struct chum_failures *fs)
{
    size_t cursor = 0;
    struct hash root;
    void *value;
    while (hash_map_next(fs->by_root, &cursor, &root, &value))
        ((struct failure *)value)->retry_at = 0;
}

uint64_t chum_failures_sum_up(struct chum_failures *fs, bool all)
{
    struct hash_list gone = {0};
    uint64_t failed = 0;
    size_t cursor = 0;
    struct hash root;
    void *value;
    while (hash_map_next(fs->by_root, &cursor, &root, &value)) {
        const struct failure *f = value;
        if (all && f->pass != fs->pass)
            hash_list_add(&gone, &root);
        else if (!f->lacking)
            failed++;
    }
    for (size_t i = 0; i < gone.count; i++)
        chum_failures_remove(fs, &gone.items[i]);
    hash_list_free(&gone);
    return failed;
}

static uint64_t due_at(const struct chum_failures *fs, const struct failure *f)
{
    uint64_t stalled = chum_stalls_until(&fs->stalls, &f->id_hash);
    return f->retry_at > stalled ? f->retry_at : stalled;
}

uint64_t chum_failures_due_at(const struct chum_failures *fs)
{
    uint64_t first = 0;
    size_t cursor = 0;
    struct hash root;
    void *value;
    while (hash_map_next(fs->by_root, &cursor, &root, &value)) {
        uint64_t at = due_at(fs, value);
        if (first == 0 || at < first)
            first = at;
    }
    return first;
}

bool chum_failures_are_due(const struct chum_failures *fs, uint64_t now)
{
    uint64_t first = chum_failures_due_at(fs);
    return first != 0 && first <= now;
}

void chum_failures_add_waiting(const struct chum_failures *fs, uint64_t now, struct hash_map *waiting)
{
    size_t cursor = 0;
    struct hash root;
    void *value;
    while (hash_map_next(fs->by_root, &cursor, &root, &value)) {
        if (due_at(fs, value) > now)
            hash_map_add(waiting, &root);
    }
    chum_stalls_add_waiting(&fs->stalls, now, waiting);
}
