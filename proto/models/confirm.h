// What merges bring together is in no version that others list (DATA-MODEL.md 8.9), and of the versions that are new to
// it a reference peer takes in the deepest alone (8.10). So whatever a merge made that would not be seen becomes a
// version of its own.
#pragma once

#include "models/model.h"

// For an object whose head was moved by what the node of a person sent; not for channels (channel_confirm.h). A merge
// of two versions of which neither holds what it does is put under a change without a difference. Where the two were
// put together by their histories, as those of own nodes are, the version that won must be the deeper and the later
// one, too, or others would go by the other one. Both own nodes make the same version of it. It ends: whoever takes it
// in has nothing that it lacks.
enum status confirm_version(struct model *m, const struct hash *id_hash, const struct hash *from, struct error *e);
