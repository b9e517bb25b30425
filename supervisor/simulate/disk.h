// Small disks for stores that a scenario fills: each is a file system in memory of 64 MB.
#pragma once

#include "base/error.h"

// From now on what is mounted is seen by this process and its children only, and gone with the last of them. Once,
// before there are threads. NO-PERMISSION where the system allows that to nobody but root.
enum status disk_private_mounts(struct error *e);
enum status disk_mount(const char *folder, struct error *e); // makes the folder
void disk_unmount(const char *folder);

void disk_fill(const char *folder);  // to the last byte
void disk_empty(const char *folder); // of what filled it
