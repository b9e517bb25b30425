// What the commands about backups share: the keys of a backup's folder.
#pragma once

#include "supervisor/backup/vault.h"
#include "supervisor/ctl/ctl.h"

// Opens the vaults of a folder that the secret opens: that of the running installation, or the one given or asked for.
// NOT-FOUND: there is no backup. BAD-SECRET: it opens none of them.
enum status backup_open(struct ctl *c, const char *dir, bool ask, struct vaults *out, struct error *e);
// The key of a vault from the running installation; with sealed NULL of a new one, and *sealed_out is set.
enum status backup_ask_key(struct ctl *c, const char *sealed, struct secret *key, struct buf *sealed_out,
                           struct error *e);
// The end of a command with the lists damaged and missing in its result, of which people are shown the first.
enum status backup_show(const struct ctl *c, json_t *result, const struct error *e);
// The newest vault that is open and has the generation, and its manifest; 0 = the newest. NOT-FOUND, BACKUP-DAMAGED.
enum status backup_choose(const struct vaults *v, uint64_t number, const struct vault **vault,
                          struct backup_manifest *m, struct error *e);
