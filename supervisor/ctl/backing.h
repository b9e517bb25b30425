// A backup that is being made: what the files of 'tandem backup' share.
//
//   cmd_backup.c   the moment, the vault it goes to, telling, the end
//   backing.c      what is copied
//   backing_progress.c   how far it is
#pragma once

#include "io/lock.h"
#include "supervisor/backup/pack.h"
#include "supervisor/ctl/backup.h"
#include "supervisor/ctl/progress.h"

struct backing {
    struct ctl *c;
    const char *dir;
    json_t *begun; // backup.begin
    const char *id;
    struct vaults vaults;
    struct vault made;   // if none of them fits
    struct vault *vault; // to be written to
    struct lock *alone;  // in the state folder
    struct lock *lock;   // in the vault
    struct secret names; // for the names of parts
    struct backup_manifest before;
    struct backup_manifest now;
    struct hash_map *old_parts; // name → struct backup_part of before
    struct hash_map *parts;     // the same of now
    struct hash_map *objects;   // those of now
    struct pack_writer *writer;
    struct progress *progress;
    uint64_t done; // bytes looked at
    uint64_t total;
    uint64_t told_at;
    uint64_t new_bytes;
    json_t *damaged; // object files that cannot be copied
    json_t *missing;
};

extern const char *const BACKING_NODES[2]; // names, by their bit in a manifest

enum status backing_keep_everything(struct backing *b, struct error *e); // fills now

// backing_progress.c
enum status backing_tell(struct backing *b, struct error *e); // the nodes. CLOSED: they have dropped their copies
// So many bytes more; tells now and then. CLOSED: it was interrupted, or given up.
enum status backing_went_on(struct backing *b, uint64_t bytes, struct error *e);
