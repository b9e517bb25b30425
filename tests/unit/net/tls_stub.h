// A WebSocket server behind TLS for the client's tests: one thread, one connection, echoes one message.
#pragma once

#include <stdint.h>

struct tls_stub;

// Makes a throw-away authority in folder (FOLDER/ca.pem) and a certificate for name, signed by it, with openssl(1).
struct tls_stub *tls_stub_start(const char *folder, const char *name);
uint16_t tls_stub_port(const struct tls_stub *s);
void tls_stub_stop(struct tls_stub *s);
