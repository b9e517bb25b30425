// One node process: started, watched, spoken to, restarted when it dies, given up when it dies too often.
//
//   stopped ─start─► starting ─answers─► up ─dies─► (back-off) ─► starting …      too many deaths ─► failed
//
// "Up" means that its event loop answered a heartbeat over the channel; whether it is provisioned is not known here.
// Everything runs on the loop's thread; the process is started from it too, because the children's death signal is
// bound to the thread that forked.
#pragma once

#include <uv.h>

#include "ipc/channel.h"
#include "supervisor/logfile.h"
#include "supervisor/restart.h"

enum process_state { PROCESS_STOPPED, PROCESS_STARTING, PROCESS_UP, PROCESS_FAILED };

struct process_settings { // texts are borrowed for the life of the process
    const char *name;     // "archive"
    const char *binary;   // its path
    const char *program;  // what is executed: the same, or a way to it that stays
    const char *dir;      // its own folder
    const char *channel;  // socket file of the private channel
    const char *files;    // of the one it takes files at, which we open for it
};

struct process_tuning {    // what may change; texts are borrowed until the next process_adjust
    const char *log_level; // this and the next from the next start on
    const char *ca_file;   // "" = none
    struct restart_limits limits;
    uint64_t heartbeat_ms;
    uint64_t silence_ms; // without an answer: killed
};

struct process;

struct process_events {                                       // all are required
    void (*changed)(void *ctx, struct process *p);            // its state changed
    void (*event)(void *ctx, const char *name, json_t *data); // what it tells, and what is told of it; data is borrowed
    void *ctx;
};

// log is borrowed and must outlive the loop.
struct process *process_create(uv_loop_t *loop, struct process_settings settings, struct process_tuning tuning,
                               struct process_events events, struct logfile *log);
void process_destroy(struct process *p); // only after process_stop came to an end

// Limits and times count from the next death and heartbeat on.
void process_adjust(struct process *p, struct process_tuning tuning);

// From stopped or failed; forgets earlier deaths.
void process_start(struct process *p);
// Asks it to stop, kills it after grace_ms; then the state is PROCESS_STOPPED.
void process_stop(struct process *p, uint64_t grace_ms);
void process_kill(struct process *p); // at once; counts as part of a stop when one was asked for

const char *process_name(const struct process *p);
enum process_state process_state(const struct process *p);
pid_t process_pid(const struct process *p);            // 0 without a process
const char *process_last_end(const struct process *p); // how the last process ended, "" when none did
int64_t process_ended_at(const struct process *p);     // wall clock
unsigned process_restarts(const struct process *p);
uint64_t process_generation(const struct process *p); // counts processes that came up; a new one knows nothing

// The way to it, for one call and no longer; NULL when it is not up, which who calls may pass on.
struct ipc_channel *process_channel(const struct process *p);
