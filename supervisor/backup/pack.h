// Packs: files of sealed records (crypto/stream.h), one behind the other. A record is about what its reader knows it to
// be, so none can stand for another. A pack is written once, made durable, and never changed.
#pragma once

#include "crypto/secret.h"
#include "supervisor/backup/manifest.h"

struct pack_writer;

// Packs of one generation, in folder. key: borrowed.
struct pack_writer *pack_writer_create(const char *folder, const struct secret *key, uint32_t generation);
void pack_writer_destroy(struct pack_writer *w); // what was not finished is removed; NULL-safe

enum status pack_begin(struct pack_writer *w, struct span about, struct error *e);
enum status pack_add(struct pack_writer *w, struct span bytes, struct error *e);
enum status pack_end(struct pack_writer *w, struct backup_manifest *m, struct backup_place *at, struct error *e);
enum status pack_finish(struct pack_writer *w, struct backup_manifest *m, struct error *e); // all of it is durable

typedef enum status (*pack_sink)(struct span bytes, void *arg, struct error *e);
// The content of a record of size bytes, piece by piece. STATUS_CORRUPT "BACKUP-DAMAGED": it is damaged, or its pack is
// missing; pieces before that were whole.
enum status pack_read(const char *folder, const struct secret *key, const struct backup_manifest *m,
                      const struct backup_place *at, uint64_t size, struct span about, pack_sink sink, void *arg,
                      struct error *e);

char *pack_path(const char *folder, const struct backup_pack *p); // caller frees

// What records are about: a letter and a hash or number.
struct pack_about {
    char s[1 + HASH_SIZE];
};
struct pack_about about_object(const struct hash *hash);
struct pack_about about_part(const struct hash *name);
struct pack_about about_manifest(uint64_t number);
struct span about_span(const struct pack_about *about); // borrows
