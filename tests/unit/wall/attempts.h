// What somebody who got into a process would try. Each function returns 0 where it was possible, else the errno.
#pragma once

typedef int (*attempt)(void);

struct attempts_world { // made by the test, outside of the folder that the process may use
    const char *home;   // the folder that it may use
    const char *file;   // outside, with content
    const char *socket; // path of a Unix socket that listens
    int port;           // of a TCP socket that listens on 127.0.0.1
    int victim;         // number of another process
};
extern struct attempts_world world;

int read_outside(void);
int read_passwords(void);
int write_outside(void);
int create_outside(void);
int truncate_outside(void);
int make_public(void); // chmod of a file outside
int make_private(void);
int write_at_home(void);
int rename_at_home(void);
int connect_unix(void);
int connect_abstract(void);
int connect_tcp(void);
int bind_tcp(void);
int listen_tcp(void);
int make_socket_pair(void);
int make_packet_socket(void);
int fork_process(void);
int run_program(void);
int kill_victim(void);
int signal_itself(void);
int trace_victim(void);
int read_memory_of_victim(void);
int become_somebody(void);
int make_namespace(void);
int make_code(void);
int start_thread(void);
int resolve_name(void);
int call_unheard(void);   // a call that no table names
int call_with_ring(void); // io_uring
