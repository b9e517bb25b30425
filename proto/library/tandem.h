// Encrypted connections between programs that know each other by key: the connection layer of tandem as a library.
//
//   cc hello.c $(pkg-config --cflags --libs tandem)
//
// Each program has an identity: an e-mail address, a name for this instance, and keys that a file keeps. Whoever wants
// to reach it needs its URL and its key, and gets a connection on which both sides have proved theirs; what goes over
// it is sealed from end to end, also through proxies, with ws:// as with wss://. Messages arrive whole, in order and
// once, or the connection ends. It is the protocol of ONE.models with an application's own group, which both sides
// name.
//
// One thread runs everything (tandem_run) and is the one that every callback comes on. tandem_stop and tandem_call are
// for other threads as well; everything else is for that thread, or for any while tandem_run does not run. A process
// has one struct tandem at a time. tandem_create removes the variables of proxies from the environment, ignores SIGPIPE
// and sets the soft limit of open files to at most 65,536. Where there is no memory, the process is ended.
//
// Functions that can fail return false or NULL and fill *e, which may be NULL. Texts that are handed in are copied.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TANDEM_KEY_LENGTH = 64,       // hexadecimal digits
    TANDEM_MESSAGE_MAX = 1 << 20, // bytes
};

struct tandem;
struct tandem_connection;

struct tandem_error {
    char code[40]; // a stable word: UNREACHABLE, BAD-KEY, PORT-TAKEN, CONN-TIMEOUT, PEER-CLOSED, CONNECTION-LOST …
    char message[320]; // a sentence for people
};

struct tandem_peer {      // valid during the call
    const char *key;      // proved; by this it is to be recognised
    const char *email;    // what it says of itself
    const char *instance; // likewise
};

struct tandem_callbacks { // NULL: not told, but admit
    // Somebody dialled and has proved to have that key. false, or NULL: it is sent away.
    bool (*admit)(void *ctx, const struct tandem_peer *peer);
    // Both sides are there. It is the one that tandem_open returned, or one that was admitted.
    void (*opened)(void *ctx, struct tandem_connection *c, const struct tandem_peer *peer);
    void (*message)(void *ctx, struct tandem_connection *c, bool text, const char *bytes, size_t length);
    void (*drained)(void *ctx, struct tandem_connection *c); // tandem_queued has become small again
    // The last of each that was opened or that tandem_open returned; c is gone after it. "CLOSED": by tandem_close;
    // "PEER-CLOSED": by the other side, with its reason as message.
    void (*closed)(void *ctx, struct tandem_connection *c, const struct tandem_error *why);
};

struct tandem_options {
    const char *identity; // file of the keys: made where there is none, with mode 600; NULL: new keys that nobody keeps
    const char *email;    // whose keys they are; its own e-mail address for each person
    const char *instance; // this program on this machine
    const char *group;    // what is spoken, the same on both sides; not "pairing", "chum" or "debug"
    const char *ca_file;  // of authorities beside the system's, for wss://; NULL: none
    bool log;             // what goes on, to standard error
    struct tandem_callbacks callbacks;
    void *ctx; // of the callbacks
};

struct tandem *tandem_create(const struct tandem_options *options, struct tandem_error *e);
// Closes everything, with its closed, and waits up to 2 s until the other sides know. Not from a callback. NULL-safe.
void tandem_destroy(struct tandem *t);
const char *tandem_key(const struct tandem *t); // for those who want to reach this one

// address is HOST:PORT, port 0 is a free one; once. Web pages of other origins are not let in.
bool tandem_listen(struct tandem *t, const char *address, struct tandem_error *e);
const char *tandem_url(const struct tandem *t); // "ws://localhost:8000"; NULL before tandem_listen

void tandem_run(struct tandem *t); // until tandem_stop; may be called again
void tandem_stop(struct tandem *t);
void tandem_call(struct tandem *t, void (*call)(void *arg), void *arg); // soon, by tandem_run's thread, in order
// readable is called whenever there is something to read, until it returns false. The caller keeps fd, which becomes
// non-blocking.
bool tandem_watch(struct tandem *t, int fd, bool (*readable)(void *arg), void *arg, struct tandem_error *e);

// Dials; opened or closed follows. NULL: url or key are none. user is for tandem_user.
struct tandem_connection *tandem_open(struct tandem *t, const char *url, const char *key, void *user,
                                      struct tandem_error *e);
// false: it is longer than TANDEM_MESSAGE_MAX, a text that is no UTF-8, or the connection is not open. It is copied and
// sent as fast as the other side takes it; tandem_queued says how many bytes wait.
bool tandem_send(struct tandem_connection *c, bool text, const char *bytes, size_t length);
size_t tandem_queued(const struct tandem_connection *c);
void tandem_pause(struct tandem_connection *c, bool paused); // stop or go on reading
void tandem_close(struct tandem_connection *c,
                  const char *reason); // NULL: none; closed follows, perhaps before it returns
void tandem_set_user(struct tandem_connection *c, void *user);
void *tandem_user(const struct tandem_connection *c);

#ifdef __cplusplus
}
#endif
