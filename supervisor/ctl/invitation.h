// Invitations as people hand them around: JSON or a link (WIRE.md 6.1 and 6.2); qr.h draws the link.
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"

// JSON, or a link with percent-encoded JSON behind its '#'. A new object {token,publicKey,url} in *out, or
// BAD-INVITATION.
enum status invitation_parse(struct span text, json_t **out, struct error *e);
// {"token":…,"publicKey":…,"url":…} in this order.
void invitation_print(const json_t *invitation, struct buf *out);
// The link that LAMA's apps understand.
void invitation_link(const json_t *invitation, struct buf *out);
