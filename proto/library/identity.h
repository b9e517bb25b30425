// Who a program is, kept in a file: the secrets of its person and of its instance. The names are not in it.
#pragma once

#include "conn/conn.h"

// file NULL: fresh keys. Where there is no file it is made, with mode 600. BAD-IDENTITY: it is none; BAD-NAME: e-mail
// address or instance name are empty or too long.
enum status identity_open(const char *file, const char *email, const char *instance, const struct recipes *recipes,
                          struct conn_identity *out, struct error *e);
void identity_close(struct conn_identity *i); // also one that was not opened, if it is zero
