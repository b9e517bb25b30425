// What one generation of a backup consists of, and where its bytes lie: the content of NUMBER.generation.
//
//   "TNDMBAK1" · number · at · packs · files · objects         numbers are little endian, 8 bytes unless it says so
//   packs     count (4) · { generation (4) · index (4) · bytes }
//   files     count (4) · { length of the path (2) · path · size · count (4) · { name (32) · size (4) · place } }
//   objects   count · { hash (32) · nodes (1) · size · place }, by hash
//   place     pack (4), as an index into packs · offset
//
// Files are what changes: databases, in parts that are shared with other generations where they are equal, and small
// ones. Objects are the nodes' files that never change; nodes has a bit for each node that has it (enum ipc_node).
#pragma once

#include "base/error.h"
#include "base/hash.h"

enum { BACKUP_PART = 256 << 10, BACKUP_PATH = 64, BACKUP_NODE_BITS = 3, BACKUP_GENERATION_MAX = 99999999 };

struct backup_place { // where a sealed record begins
    uint32_t pack;
    uint64_t offset;
};

struct backup_pack {
    uint32_t generation; // that made it
    uint32_t index;
    uint64_t bytes;
};

struct backup_part {
    struct hash name; // stream_name of its bytes
    uint32_t size;
    struct backup_place at;
};

struct backup_file {
    char path[BACKUP_PATH + 1];
    uint64_t size;
    struct backup_part *parts;
    uint32_t part_count;
};

struct backup_object {
    struct hash hash;
    uint8_t nodes;
    uint64_t size;
    struct backup_place at;
};

struct backup_manifest {
    uint64_t number;
    int64_t at_ms;
    struct backup_pack *packs;
    size_t pack_count;
    struct backup_file *files;
    size_t file_count;
    struct backup_object *objects;
    size_t object_count;
    size_t object_cap;
};

void manifest_free(struct backup_manifest *m); // also zero-initialises

uint32_t manifest_add_pack(struct backup_manifest *m, const struct backup_pack *pack); // its index; once for each
struct backup_file *manifest_add_file(struct backup_manifest *m, const char *path);
void manifest_add_part(struct backup_file *f, const struct backup_part *part);
void manifest_add_object(struct backup_manifest *m, const struct backup_object *object);
void manifest_sort(struct backup_manifest *m); // objects that both nodes have become one

const struct backup_file *manifest_file(const struct backup_manifest *m, const char *path);            // NULL: none
const struct backup_object *manifest_object(const struct backup_manifest *m, const struct hash *hash); // sorted; NULL
uint64_t manifest_bytes(const struct backup_manifest *m);                                              // of content

void manifest_print(const struct backup_manifest *m, struct buf *out);
// Whatever the bytes are: m is then consistent, each record lies within its pack, and paths lead nowhere else; or it is
// STATUS_CORRUPT "BACKUP-DAMAGED" and m is empty.
enum status manifest_parse(struct span text, struct backup_manifest *m, struct error *e);
