// Two programs that talk, sealed from end to end:
//   cc hello.c -o hello $(pkg-config --cflags --libs tandem)
//   ./hello                  prints its URL and its key, and answers whoever comes
//   ./hello URL KEY          says hello to it, shows the answer and ends
#include <stdio.h>
#include <string.h>
#include <tandem.h>

static bool admit(void *ctx, const struct tandem_peer *peer)
{
    (void)ctx;
    printf("%s is here, with the key %s\n", peer->email, peer->key);
    return true; // a program that has secrets compares peer->key with the keys it knows
}

static void opened(void *ctx, struct tandem_connection *c, const struct tandem_peer *peer)
{
    (void)ctx, (void)peer;
    if (tandem_user(c) != NULL) // it is the one that was dialled
        tandem_send(c, true, "Hello!", strlen("Hello!"));
}

static void message(void *ctx, struct tandem_connection *c, bool text, const char *bytes, size_t length)
{
    (void)ctx;
    printf("received: %.*s\n", (int)length, bytes);
    if (tandem_user(c) != NULL)
        tandem_close(c, NULL);
    else
        tandem_send(c, text, bytes, length);
}

static void closed(void *ctx, struct tandem_connection *c, const struct tandem_error *why)
{
    printf("closed: %s %s\n", why->code, why->message);
    if (tandem_user(c) != NULL)
        tandem_stop(*(struct tandem **)ctx);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct tandem *t = NULL;
    struct tandem_error e;
    struct tandem_options options = {
        .identity = argc == 3 ? "caller.identity" : "answerer.identity",
        .email = argc == 3 ? "caller@example.org" : "answerer@example.org",
        .instance = "hello",
        .group = "hello",
        .callbacks = {.admit = admit, .opened = opened, .message = message, .closed = closed},
        .ctx = &t,
    };
    t = tandem_create(&options, &e);
    if (t == NULL ||
        !(argc == 3 ? tandem_open(t, argv[1], argv[2], t, &e) != NULL : tandem_listen(t, "localhost:0", &e)))
        return fprintf(stderr, "%s: %s\n", e.code, e.message), 1;
    if (argc != 3)
        printf("./hello %s %s\n", tandem_url(t), tandem_key(t));
    tandem_run(t);
    tandem_destroy(t);
    return 0;
}
