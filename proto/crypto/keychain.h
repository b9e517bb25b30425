// The folder private/ of a node: its secret keys at rest (DATA-MODEL.md 11.3).
//
//   keychain_masterkey   72 bytes   nonce ‖ secretbox(master key; key = the node key)
//   HASH.encrypt         72         nonce ‖ secretbox(X25519 secret; key = master key)
//   HASH.sign           104         nonce ‖ secretbox(Ed25519 secret; key = master key)
//   keychain_masterkey.next   72    the same master key, sealed with the node key that is to replace the present one
//   keychain_salt        16         only in the reference's form: salt of its scrypt derivation
//
// HASH is the hash of the Keys object with the matching public keys. Files are replaced atomically (temporary file,
// fsync, rename, fsync of the folder). The same files serve both forms; they differ in where the key of the master key
// comes from: the supervisor's node key, or the reference's scrypt of a secret (import and export only; slow).
#pragma once

#include "base/hash.h"
#include "crypto/secret.h"

struct keychain; // an unlocked folder; holds the master key in guarded memory

// Unlocks dir with the node key (32 bytes, borrowed). If it is the one of the last keychain_reseal, the change takes
// effect. With may_create a missing folder or an empty one gets a new master key. Codes: BAD-SECRET (wrong key; nothing
// changed), NOT-FOUND (nothing there and not may_create), STORE-MISSING (key files without a master key: they are
// lost), BAD-KEY-FILE (wrong size).
enum status keychain_open(const char *dir, const struct secret *node_key, bool may_create, struct keychain **out,
                          struct error *e);
// The same for the reference's form: the key is derived from the secret and keychain_salt.
enum status keychain_open_reference(const char *dir, const struct secret *secret, bool may_create,
                                    struct keychain **out, struct error *e);
bool keychain_exists(const char *dir);   // there is a master key
void keychain_close(struct keychain *k); // NULL-safe; zeroes the master key

// Seals the master key with another node key as well; the key files stay as they are. Both node keys open the folder
// from now on, until the new one does: then the old one is refused.
enum status keychain_reseal(struct keychain *k, const struct secret *node_key, struct error *e);
// Stores both secrets (32 and 64 bytes) of a Keys object. Existing files are replaced.
enum status keychain_put(struct keychain *k, const struct hash *keys, const struct secret *encrypt,
                         const struct secret *sign, struct error *e);
// Opens them; the caller destroys both. Codes: NOT-FOUND, BAD-KEY-FILE (damaged or sealed by another master key).
enum status keychain_get(const struct keychain *k, const struct hash *keys, struct secret *encrypt, struct secret *sign,
                         struct error *e);
bool keychain_has(const struct keychain *k, const struct hash *keys); // both files exist
// The names (hashes of Keys objects) of all secrets that are kept, in no particular order. The caller frees *out.
enum status keychain_list(const struct keychain *k, struct hash_list *out, struct error *e);
// What can be said of the folder without a key: are all files there and as long as they should be? Codes STORE-MISSING
// (no master key), BAD-KEY-FILE.
enum status keychain_look(const char *dir, struct error *e);
// Opens everything that is kept, to find out whether it can be. Code BAD-KEY-FILE.
enum status keychain_check(const struct keychain *k, struct error *e);
