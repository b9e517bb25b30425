#include "tls_stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "base/bytes.h"
#include "base/text.h"

struct tls_stub {
    SSL_CTX *context;
    pthread_t thread;
    int fd;
    uint16_t port;
};

static void make_certificates(const char *folder, const char *name)
{
    char command[2048];
    snprintf(
        command, sizeof command,
        "cd '%s' && exec 2>openssl.log && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=test authority' "
        "-keyout ca.key -out ca.pem && "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=%s' -keyout key.pem -out a.csr && "
        "printf 'subjectAltName=DNS:%s\\n' >san && "
        "openssl x509 -req -in a.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out cert.pem",
        folder, name, name);
    if (system(command) != 0)
        abort();
}

static void answer_upgrade(SSL *ssl)
{
    char request[4096] = {0}, key[128] = {0}, answer[256];
    unsigned char digest[20];
    SSL_read(ssl, request, sizeof request - 1);
    const char *at = strstr(request, "Sec-WebSocket-Key: ");
    if (at == NULL)
        return;
    sscanf(at + 19, "%64[^\r]", key);
    strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    EVP_Digest(key, strlen(key), digest, NULL, EVP_sha1(), NULL);
    struct buf accept = {0};
    base64_encode(digest, sizeof digest, &accept);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n",
                     buf_cstr(&accept));
    SSL_write(ssl, answer, n);
    buf_free(&accept);
}

// A masked frame of at most 125 bytes comes back unmasked; a close frame as well, which ends the connection.
static void echo(SSL *ssl)
{
    unsigned char f[256];
    int n;
    while ((n = SSL_read(ssl, f, sizeof f)) >= 6) {
        unsigned char out[256] = {f[0], f[1] & 0x7f};
        for (int i = 0; i < out[1]; i++)
            out[2 + i] = f[6 + i] ^ f[2 + i % 4];
        SSL_write(ssl, out, 2 + out[1]);
    }
}

static void *serve(void *arg)
{
    struct tls_stub *s = arg;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return NULL;
    SSL *ssl = SSL_new(s->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        answer_upgrade(ssl);
    echo(ssl);
    SSL_free(ssl);
    close(fd);
    return NULL;
}

struct tls_stub *tls_stub_start(const char *folder, const char *name)
{
    char path[512];
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof sa;
    struct tls_stub *s = mem_alloc(sizeof *s);
    make_certificates(folder, name);
    s->context = SSL_CTX_new(TLS_server_method());
    snprintf(path, sizeof path, "%s/cert.pem", folder);
    if (SSL_CTX_use_certificate_file(s->context, path, SSL_FILETYPE_PEM) != 1)
        abort();
    snprintf(path, sizeof path, "%s/key.pem", folder);
    if (SSL_CTX_use_PrivateKey_file(s->context, path, SSL_FILETYPE_PEM) != 1)
        abort();
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&sa, sizeof sa) != 0 || listen(s->fd, 8) != 0)
        abort();
    getsockname(s->fd, (struct sockaddr *)&sa, &len);
    s->port = ntohs(sa.sin_port);
    pthread_create(&s->thread, NULL, serve, s);
    return s;
}

uint16_t tls_stub_port(const struct tls_stub *s)
{
    return s->port;
}

void tls_stub_stop(struct tls_stub *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    SSL_CTX_free(s->context);
    free(s);
}
