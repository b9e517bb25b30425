// The text of statements about members, for members.c.
#pragma once

#include "models/members.h"

void members_write_unsigned(const struct members *members, struct buf *out);
void members_write_signature(const struct signature *signature, struct buf *out);
// What a signature of the part above it is made of.
struct hash_text members_signed_text(struct span unsigned_text);
// Sets what the text says; hash, channel and signer are left to the caller. Texts lie in the one given.
bool members_parse(struct model *m, struct span text, struct members *out, struct signature *signature,
                   struct span *signed_part);
