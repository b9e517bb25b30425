// Folders: making, syncing, walking and removing them.
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

// Makes the folder and all above it that are missing. One that exists is fine.
enum status folder_create(const char *path, mode_t mode, struct error *e);
enum status folder_sync(const char *path, struct error *e); // makes names in it durable

struct folder_file {
    const char *path; // of the file, beginning with the folder given
    const char *name;
    uint64_t size;
    int64_t mtime_ns;
};

// Visits every regular file below path, at most FOLDER_MAX_DEPTH levels deep, in no particular order; does not follow
// symbolic links. A missing folder has no files. Ends early with the status of a visitor that fails. Visitors may
// rename or remove the file they are given.
enum { FOLDER_MAX_DEPTH = 16 };
typedef enum status (*folder_visit)(const struct folder_file *file, void *arg, struct error *e);
enum status folder_walk(const char *path, folder_visit visit, void *arg, struct error *e);

// Removes a folder and everything in it; one that does not exist is fine. Symbolic links are removed, not followed.
enum status folder_remove_tree(const char *path, struct error *e);
