// Settings. One table; each value says where it came from.
//
//   flag  >  environment (TANDEM_LISTEN_ADDRESS for listen.address)  >  DIR/tandem.conf  >  default
//
// The file is INI: [listen] followed by address = localhost:8765. An unknown key is an error that names its line; what
// cannot be an entry of listen.hosts or listen.origins is left out of the file's list.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"

enum config_origin { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG };

struct config_value {
    const char *key;   // "listen.address"
    const char *text;  // as given; lists are separated by blanks or commas
    const char *about; // a phrase for people
    enum config_origin origin;
    int line; // in the file, with CONFIG_FILE
};

struct config;

struct config *config_create(void); // all defaults
void config_destroy(struct config *c);

// Reads the file (required: it must exist) and the environment. STATUS_INVALID "BAD-CONFIG" with file, line and key.
enum status config_load(struct config *c, const char *path, bool required, struct error *e);
enum status config_load_file(struct config *c, const char *path, bool required, struct error *e); // without environment
// The same again after the file was changed; flags stay. On failure everything stays as it was.
enum status config_reload(struct config *c, const char *path, bool required, struct error *e);
// A text for people about each entry that was left out: file, line, entry, key and what to write instead. Borrowed
// until it is loaded again.
const json_t *config_left_out(const struct config *c);
// A value from the command line.
enum status config_set(struct config *c, const char *key, const char *text, struct error *e);

// STATUS_INVALID "BAD-CONFIG": there is none of this name, but perhaps one that is called nearly so.
enum status config_unknown(const char *key, struct error *e);
bool config_has(const char *key);                                         // it is in the table
struct config_value config_find(const struct config *c, const char *key); // key is in the table
const char *config_text(const struct config *c, const char *key); // key is in the table; borrowed until it changes
int64_t config_int(const struct config *c, const char *key);      // of one that is a number

// All as [{key,value,origin,line}]; line of those of the file. A new array.
json_t *config_to_json(const struct config *c);
// listen.address taken apart; none: that as the host, and port 0.
enum status config_listen(const struct config *c, struct listen_address *out, struct error *e);
bool config_has_hosts(const struct config *c); // what listens on every address knows by which names it is reached
// What the nodes may know: {"relay.urls":["…"], "listen.origins":[…], …}. A new object.
json_t *config_for_nodes(const struct config *c);
