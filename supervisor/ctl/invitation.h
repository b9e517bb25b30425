// Invitations as people hand them around: JSON, a link, a QR code (WIRE.md 6.1 and 6.2).
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
// The text as a QR code in half blocks, for a terminal. STATUS_TOO_BIG "TOO-BIG" when it does not fit.
enum status invitation_qr(const char *text, struct buf *out, struct error *e);
