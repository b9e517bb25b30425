// What the files of the supervisor share: its one struct and who does what. Everything runs on the loop's thread.
//
//   supervisor.c  builds it up, runs the loop, takes it down
//   stopping.c    the end of both nodes and of the loop
//   provision.c   provision, deprovision
//   nodes.c       what is known of the nodes
//   record.c      installation.json
//   port.c        where the archive is to listen
//   opening.c     secrets in messages, and what a node is opened with
//   drive.c       brings both nodes to where they should be
//   rekey.c       secret.change
//   repair.c      store.repair
//   backup.c      what a backup needs of it
//   discovery.c   whom the local network has, and what it is told of us
//   listener.c    whether the archive can listen; listener.stop, listener.start
//   requests.c    wait, restart, down, forwarding
//   overview.c    status, config.show
//   board.c       what works, part by part
//   autostart.c   opening without anybody who types the secret
//   outcome.c     what came of that
//   readiness.c   what the service manager is told
//   endpoints.c   the sockets it is asked at
//   tasks.c       requests that wait, and repeats
//   courier.c     what one node leaves to the other
//   tied.c        what ends when the client that began it goes away
//   notify.c      events to ring, hints and stdout
//   walls.c       what it gives up when it starts
//   keys.c        keys.json, and the copies of the nodes' keys
#pragma once

#include <uv.h>

#include "base/address.h"
#include "base/manager.h"
#include "crypto/secret.h"
#include "ipc/hints.h"
#include "ipc/ring.h"
#include "ipc/server.h"
#include "supervisor/discovery/found.h"
#include "supervisor/eventlog.h"
#include "supervisor/installation.h"
#include "supervisor/keyfile.h"
#include "supervisor/process.h"
#include "supervisor/statedir.h"
#include "supervisor/supervisor.h"
#include "supervisor/tasks.h"

enum { NODES = INSTALLATION_NODES, BACKUP_ID_LENGTH = 16 };
enum { STOP_GRACE_MS = 1500 }; // a node that is asked to stop is killed after that

struct node {
    struct supervisor *owner;
    enum ipc_node which;
    struct process *process;
    bool pending;        // one of our calls to it is under way
    uint64_t unheard;    // since when its status is asked for in vain; 0 = it is not
    uint64_t opened;     // generation of the process that is provisioned; 0 = none
    uint64_t told;       // generation that knows its peer
    uint64_t copied;     // generation whose keys are kept as they are
    uint64_t blocked;    // generation that refused; waits for a provision or restart
    bool aside;          // what it has is to be put aside for a store that is made anew
    bool repair;         // its database is to be made anew from what is left
    uint64_t not_before; // asked no sooner than this
    bool created;        // its store was made by the provision call under way
    bool restarting;     // stopped in order to start again
    char url[256];       // where it is dialled from here, "" for nowhere
    char told_key[ID_LENGTH + 1];
    char told_url[256];   // the peer's url it was told
    bool told_restoring;  // and that the peer is being restored
    struct error failure; // what keeps it from opening or running; no code: nothing does
    int64_t failed_at;    // wall clock
    json_t *status;       // last answer of node.status, NULL = none of this generation
    uint64_t asked_at;    // when its status was asked
};

struct held_program {
    int fd;
    char path[32]; // through which it is executed; "" = not held
};

struct courier {
    bool carrying;    // a round is under way
    bool kicked;      // and another is wanted
    size_t left;      // what had to wait, in the round
    unsigned rounds;  // since something had to wait: the pause before the next one grows
    json_int_t after; // of the outbox: where the round is
    bool listening;   // to the archive's deliveries
    json_int_t epoch; // copied up to there
    json_int_t change;
    uv_timer_t timer;
    uv_timer_t listen_timer;
    uv_timer_t people_timer;
};

struct tied;

struct autostart {
    enum { AUTOSTART_OFF, AUTOSTART_ASKING, AUTOSTART_OPENING, AUTOSTART_DONE, AUTOSTART_FAILED } state;
    struct error failure;
    struct secret secret; // until it is used
    pid_t tool;           // that asks the keyring; 0 = none
    int life;             // it lives as long as this is open
    int said;             // what it says
    uv_pipe_t out;        // the same, once there is a loop
    uv_timer_t timer;
    uint64_t until;     // it is waited for
    struct secret room; // for what it said until now
    size_t len;
};

struct announcement {
    int port; // 0 = there is nothing to announce
    char host[ADDRESS_HOST_MAX + 1];
    const char *why; // there is not
};

struct discovery {
    const char *program; // as of walls_hold_program
    char name[16];       // of this run of it, under which we are announced if the network has no other of that name
    bool on;
    struct seeker *seeker; // that runs; NULL = none
    struct announcement place;
    struct found *found;  // by it
    bool hidden;          // it says that the listener's address is this machine's alone
    bool settled;         // it has told what was there when it began
    char announced[32];   // the name that the network has of us; "" = none
    char refused[256];    // why Avahi does not announce us, though it finds others; "" = it does not refuse
    struct error failure; // why nothing is found; no code: nothing keeps it
    struct restart restart;
    uv_timer_t timer; // to start it again
};

struct supervisor {
    const struct supervisor_options *options;
    uv_loop_t loop;
    struct statedir *dir;
    struct logfile *own_log;
    struct held_program programs[NODES];
    struct held_program discovery_program;
    struct logfile *node_logs[NODES];
    struct node nodes[NODES]; // by enum ipc_node
    struct ipc_service *service;
    struct ipc_server *server;
    struct ipc_hints *hints;
    struct ipc_ring *ring;
    struct logfile *event_log;
    struct journal *journal; // NULL = the log goes to its files only
    struct task *tasks;
    struct repeats *repeats; // of what they answered
    struct tied *tied;
    uv_poll_t server_poll;
    uv_poll_t hints_poll;
    uv_timer_t tick;
    void (*kick)(struct supervisor *s);                           // look again soon: somebody waits
    void (*refused)(struct node *n, const struct error *error);   // a node will not take a step of the drive
    enum status (*reload)(struct supervisor *s, struct error *e); // reads the settings again, and follows them
    uv_signal_t signals[3];
    uv_poll_t stdin_poll;
    bool watches_stdin;
    int terminal; // a descriptor of the one it was started in, -1 = none
    uint64_t endpoints_looked_at;
    uint64_t started;
    int found_port; // instead of the usual one that nobody asked for; 0 = that one

    // Provisioning. The key is there exactly while this installation is provisioned.
    struct secret kek;
    struct installation installation;
    struct task *provision; // the call in flight, NULL = none
    uint64_t provision_began;
    bool deriving;               // the worker thread has the secret
    bool fresh;                  // keys.json was made by the call under way
    bool waits;                  // the call under way wants federation, too
    int recreate;                // enum ipc_node the caller allows to make anew, -1 = none
    struct secret import_secret; // of the storage directory to adopt, until the node has it
    char import_name[65];
    json_t *imported; // what came of it, for the answer
    json_t *lost; // contacts that know a node made anew by keys that it no longer has, for the answer; NULL = nobody
    bool pairing;
    uint64_t paired_at; // when a pairing succeeded, 0 = not in this run
    bool federated;
    bool opens_listener; // listener.start is under way

    struct discovery discovery;
    struct courier courier;
    struct autostart autostart;
    struct manager manager;
    uv_timer_t alive; // it is told
    bool manager_told_ready;
    char manager_status[256]; // told last

    struct change *change; // of the secret, under way; NULL = none. No node is opened meanwhile
    struct task *changing; // the call that waits for it
    struct task *repair;   // the call that waits for a node to open; NULL = none

    struct {
        char id[BACKUP_ID_LENGTH + 1]; // under way; "" = none
        bool taking;                   // the nodes copy their databases
        bool given_up;                 // nobody waits for that any more
        uint64_t heard;                // of whoever copies, last
        json_t *answer;                // of backup.begin, as far as it is there
        struct task *task;             // the call that waits for it
    } backup;

    struct task *deprovision;                                                // the call in flight, NULL = none
    enum { RESET_NONE, RESET_STOPPING, RESET_WIPING, RESET_STARTING } reset; // how far a deprovision is
    bool wipe;
    bool told_ready;
    struct error failure; // what keeps it from getting ready
    bool stopping;
    uint64_t lost_lines; // of the stream on standard output
    bool stream_closed;
};

// nodes.c
void node_forget(struct node *n); // what was known of its process
void node_note_failure(struct node *n, const struct error *error);
bool node_is_open(const struct node *n);                    // provisioned and answering
bool node_is_silent(const struct node *n);                  // open, and does not answer
bool node_is_blocked(const struct node *n);                 // it refused; this process is asked no more
bool node_is_current(const struct node *n, uint64_t since); // its status was asked since then, if it can be
bool nodes_are_both(const struct supervisor *s, enum process_state state);
bool nodes_are_paired(const struct supervisor *s);                          // both say so
bool nodes_are_federated(const struct supervisor *s);                       // both say so
bool nodes_are_federated_since(const struct supervisor *s, uint64_t since); // and were asked since then
enum status nodes_check_idle(const struct supervisor *s, struct error *e);  // BUSY: keys or stores are being changed
bool autostart_is_under_way(const struct supervisor *s); // the secret, or what it opens, is still to come

// record.c
enum status record_load(struct supervisor *s, struct error *e);
enum status record_save(struct supervisor *s, struct error *e); // writes installation.json

// port.c
void port_address(const struct supervisor *s, struct listen_address *out); // what the archive is told
int port_kept(struct supervisor *s);                                       // DIR/port; 0 = none
void port_keep(struct supervisor *s, int port);
enum status port_settle(struct supervisor *s, struct error *e); // before anything runs: can it be opened, and where
// Before an archive is made, which nobody looks for yet: another program may have taken the port since.
void port_settle_anew(struct supervisor *s);

// opening.c
json_t *opening_key(const struct secret *kek, enum ipc_node which); // a node's, in hexadecimal
// A secret among the parameters, which is wiped; out is replaced, empty when there is none.
void opening_take_secret(struct ipc_request *r, enum ipc_name name, struct secret *out);
// With keys among them, which the caller wipes. e->status says whether they are all there.
json_t *opening_params(struct node *n, bool create, struct error *e);

// drive.c
void drive(struct supervisor *s);               // takes the next steps towards "provisioned"; cheap when there are none
bool drive_is_idle(const struct supervisor *s); // federated and nothing left to transfer
uint64_t drive_poll_ms(const struct supervisor *s); // how often the nodes are asked for their status

// provision.c
// As provision does, without anybody who asked. secret: taken over. user: whose installation to make if there is none;
// "" nobody's.
enum status provision_by_itself(struct supervisor *s, struct secret *secret, const char *user, struct error *e);
void provision_register(struct supervisor *s, struct ipc_service *service);
void provision_failed(struct supervisor *s, const struct error *error);
void provision_nodes_changed(struct supervisor *s);                    // goes on with a deprovision
enum status provision_clean_up(struct supervisor *s, struct error *e); // before anything runs; reads the record

// backup.c
void backup_register(struct supervisor *s, struct ipc_service *service);
void backup_tick(struct supervisor *s); // gives up one that nobody goes on with
void backup_close(struct supervisor *s);
enum status backup_clean_up(struct supervisor *s, struct error *e); // before anything runs

// rekey.c
void rekey_register(struct supervisor *s, struct ipc_service *service);

// repair.c
void repair_register(struct supervisor *s, struct ipc_service *service);

// keys.c
// keys.json. What was read is durable, so nodes may rely on it. STATUS_NOT_FOUND: there is none. BAD-KEY-FILE.
enum status keys_load(struct supervisor *s, struct keyfile *keys, struct error *e);
enum status keys_save(struct supervisor *s, const struct keyfile *keys, struct error *e);
// Fails only when old is what keys.json holds: a file that came into place without becoming durable is put back. If not
// even that is possible, next is in force although it is not durable.
enum status keys_replace(struct supervisor *s, const struct keyfile *old, const struct keyfile *next, bool *durable,
                         struct error *e);
// archive.keys and sparse.keys: what a node answers with "copy", sealed by its own key. STATUS_NOT_FOUND: there is
// none.
const char *keys_copy_file(struct supervisor *s, enum ipc_node which);
enum status keys_keep_copy(struct supervisor *s, enum ipc_node which, const json_t *result, struct error *e);
enum status keys_find_copy(struct supervisor *s, enum ipc_node which, struct buf *out, struct error *e);

// requests.c
void requests_register(struct supervisor *s, struct ipc_service *service);
void requests_restart(struct supervisor *s, struct ipc_request *r, enum ipc_node which); // answers when it is open
void requests_refused(const struct node *n, const struct error *e); // who waits for its restart is told

// endpoints.c
enum status endpoints_open(struct supervisor *s, struct error *e);
void endpoints_mend(struct supervisor *s); // if somebody removed them; cheap
void endpoints_close(struct supervisor *s);

// outcome.c
const char *autostart_source(const struct supervisor *s); // the setting
void autostart_failed(struct supervisor *s, const struct error *error);
void autostart_tell_failure(struct supervisor *s);
json_t *autostart_show(const struct supervisor *s); // null when nobody chose it

// autostart.c
void autostart_fetch(struct supervisor *s);  // before the walls stand
void autostart_listen(struct supervisor *s); // to what it asked, once there is a loop
void autostart_begin(struct supervisor *s);  // once the nodes are started
void autostart_close(struct supervisor *s);  // the handles

// readiness.c
void readiness_watch(struct supervisor *s); // from now on the manager is told that we live
void readiness_update(struct supervisor *s);

// board.c
json_t *board_show(const struct supervisor *s);

// overview.c
void overview_register(struct supervisor *s, struct ipc_service *service);

// listener.c
void listener_register(struct supervisor *s, struct ipc_service *service);
void listener_refused(struct supervisor *s); // the archive did not open: a listener.start is taken back

// discovery.c
void discovery_register(struct supervisor *s, struct ipc_service *service);
void discovery_init(struct supervisor *s);
void discovery_update(struct supervisor *s); // after what it depends on may have changed; cheap when it has not
void discovery_close(struct supervisor *s);

// courier.c
void courier_init(struct supervisor *s);
void courier_close(struct supervisor *s);
void courier_attend(struct supervisor *s); // a node has opened: look what there is to do; cheap when there is nothing
void courier_kick(struct supervisor *s);   // something waits in the outbox
void courier_people(struct supervisor *s); // there is news of contacts
// The sparse node keeps what the archive answered to node.contacts. items: borrowed.
void courier_keep_people(struct supervisor *s, json_t *items);
bool courier_is_idle(const struct supervisor *s); // nothing does

// tied.c
void tied_register(struct supervisor *s, struct ipc_service *service);
// A node has answered: what that began and is tied to the request's connection is noted. result: borrowed.
void tied_begun(struct supervisor *s, const struct ipc_request *r, enum ipc_node node, const json_t *result);
void tied_ending(struct supervisor *s, const struct ipc_request *r); // a node is asked to end it
void tied_release(struct supervisor *s);

// notify.c
// data is borrowed and may be NULL; node is "archive", "sparse" or "supervisor".
void notify_event(struct supervisor *s, const char *node, const char *event, const json_t *data);
void notify_ready(struct supervisor *s); // the first line on standard output
// For who runs us: into the log and to standard error. what: what it means; why: as the system says it.
void notify_problem(const char *event, const char *what, const char *why);

// stopping.c
void supervisor_stop(struct supervisor *s, const char *reason);
void stopping_close(struct supervisor *s); // the last step: with the handles gone the loop ends

// walls.c
enum status walls_enter(struct supervisor *s, struct error *e);                // before there are threads
const char *walls_hold_program(struct held_program *held, const char *binary); // what to execute
void walls_release_programs(struct supervisor *s);
void walls_check_reach(const struct supervisor *s); // warns of settings that only a new start can follow
