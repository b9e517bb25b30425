// tandem-vectors DIR: checks every vector file below DIR and prints one line per file.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/secret.h"
#include "data/jsonform.h"
#include "runner.h"

static const struct vector_handler *const tables[] = {
    vector_handlers_chum,   vector_handlers_crypto,  vector_handlers_instance, vector_handlers_microdata,
    vector_handlers_models, vector_handlers_objects, vector_handlers_pairing,  vector_handlers_replay,
    vector_handlers_values, vector_handlers_version, vector_handlers_list,     vector_handlers_store,
};

static bool stem_starts_with(const char *stem, const char *name)
{
    size_t len = strlen(name);
    return strncmp(stem, name, len) == 0 && (stem[len] == '.' || stem[len] == '-' || stem[len] == '_');
}

static const struct vector_handler *find_handler(const char *file)
{
    const struct vector_handler *best = NULL;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct vector_handler *h = tables[t]; h->name != NULL; h++) {
            if (stem_starts_with(file, h->name) && (best == NULL || strlen(h->name) > strlen(best->name)))
                best = h;
        }
    }
    return best;
}

// A file may concern several libraries: each table may have a handler for it.
static void check_with_all(struct vector_run *run, const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct vector_handler *h = tables[t]; h->name != NULL; h++) {
            if (strcmp(h->name, name) == 0)
                h->check(run);
        }
    }
}

// Returns false if a case failed or the file cannot be read.
static bool check_file(const char *path, const char *shown)
{
    json_error_t error;
    const char *slash = strrchr(path, '/');
    const struct vector_handler *handler = find_handler(slash != NULL ? slash + 1 : path);
    if (handler == NULL) {
        printf("%s: skipped (no handler for this kind of file)\n", shown);
        return true;
    }
    json_t *root = json_load_file(path, JSONFORM_FLAGS, &error);
    if (root == NULL) {
        printf("%s: skipped (line %d: %s)\n", shown, error.line, error.text);
        return false;
    }
    struct vector_run run = {.path = path, .root = root, .arena = arena_create()};
    check_with_all(&run, handler->name);
    vector_case(&run, "%s", "end");
    printf("%s: %zu passed, %zu failed\n", shown, run.passed, run.failed);
    fflush(stdout);
    arena_destroy(run.arena);
    json_decref(root);
    return run.failed == 0;
}

static bool is_vector_name(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static bool check_folder(const char *path, size_t shown_from)
{
    struct dirent **entries;
    bool good = true;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        perror(path);
        return false;
    }
    for (int i = 0; i < count; i++) {
        char child[4096];
        struct stat st;
        const char *name = entries[i]->d_name;
        int len = snprintf(child, sizeof child, "%s/%s", path, name);
        if (name[0] != '.' && len < (int)sizeof child && stat(child, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                good = check_folder(child, shown_from) && good;
            else if (is_vector_name(name))
                good = check_file(child, child + shown_from) && good;
        }
        free(entries[i]);
    }
    free(entries);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: tandem-vectors DIR\n");
        return 2;
    }
    crypto_init();
    return check_folder(argv[1], strlen(argv[1]) + 1) ? 0 : 1;
}
