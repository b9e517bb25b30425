// The folder of a backup. What one secret opens lies in a vault, a folder of its own in it: after a change of the
// secret the next backup begins another one.
//
//   DIR/VAULT/keys.json            as in the installation: how the secret becomes a key (supervisor/keyfile.h)
//   DIR/VAULT/key                  the vault's own key in hex, sealed with a key below that one
//   DIR/VAULT/NUMBER.generation    a sealed manifest, written last: without it there is no such generation
//   DIR/VAULT/NUMBER-INDEX.pack    what a generation added
//   DIR/VAULT/lock                 one backup at a time
//
// VAULT is 16 random digits. Names tell how many generations there are and how much each added, nothing else.
#pragma once

#include "crypto/secret.h"
#include "supervisor/backup/manifest.h"

enum { VAULT_NAME = 16, VAULT_TEXT_MAX = 64 << 10 };

struct vault {
    char *path;
    char name[VAULT_NAME + 1];
    struct buf keys;   // keys.json
    struct buf sealed; // key
    struct secret key; // empty until it is opened
    uint64_t *numbers; // of its generations, ascending
    size_t count;
};

struct vaults {
    struct vault *items; // by the number of their newest generation
    size_t count;
};

// All of them; an absent folder has none. One whose files cannot be read is an error.
enum status vaults_find(const char *dir, struct vaults *out, struct error *e);
void vaults_free(struct vaults *v);
// EXISTS: the folder holds something, and no backup. Makes it where it is absent.
enum status vaults_prepare(const char *dir, struct error *e);

// keys and sealed are what the vault keeps; key is taken over.
enum status vault_create(const char *dir, struct span keys, struct span sealed, struct secret *key, struct vault *out,
                         struct error *e);
void vault_free(struct vault *v);
bool vault_is_open(const struct vault *v);

uint64_t vault_last(const struct vault *v); // number of the newest generation, 0 = none
// Reads its numbers once more: they change until its lock is held.
enum status vault_look_again(struct vault *v, struct error *e);
// BACKUP-DAMAGED. m is empty then.
enum status vault_read(const struct vault *v, uint64_t number, struct backup_manifest *m, struct error *e);
// All that it names has to be durable.
enum status vault_write(const struct vault *v, const struct backup_manifest *m, struct error *e);
// Removes what a backup that was broken off left behind.
enum status vault_tidy(const struct vault *v, struct error *e);
