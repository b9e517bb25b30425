// The system calls by group. What an architecture or an older header lacks is left out; what glibc, SQLite, OpenSSL,
// libwebsockets, libuv, nng and libnats of Debian 12 and 13 call on x86-64 and arm64 is in. A call that is missing here
// shows in the log as wall.refused with its number.
#include <sys/syscall.h>

#include "wall/rights.h"

#define CALL(name)                                                                                                     \
    {                                                                                                                  \
        SYS_##name, #name                                                                                              \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        0, NULL                                                                                                        \
    }

static const struct wall_call basic[] = {
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(preadv),
    CALL(pwritev),
    CALL(close),
    CALL(close_range),
    CALL(dup),
    CALL(dup3),
    CALL(fcntl),
    CALL(ioctl),
    CALL(lseek),
    CALL(pipe2),
    CALL(eventfd2),
    CALL(signalfd4),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(timerfd_gettime),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(ppoll),
    CALL(pselect6),
    CALL(futex),
    CALL(mmap),
    CALL(munmap),
    CALL(mremap),
    CALL(mprotect),
    CALL(madvise),
    CALL(brk),
    CALL(mlock),
    CALL(mlock2),
    CALL(munlock),
    CALL(msync),
    CALL(membarrier),
    CALL(getrandom),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(times),
    CALL(getpid),
    CALL(getppid),
    CALL(gettid),
    CALL(getpgid),
    CALL(getsid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(getgroups),
    CALL(getcpu),
    CALL(getrusage),
    CALL(uname),
    CALL(sysinfo),
    CALL(prctl),
    CALL(prlimit64),
    CALL(getrlimit),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(sched_getparam),
    CALL(sched_getscheduler),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigpending),
    CALL(rt_sigtimedwait),
    CALL(sigaltstack),
    CALL(restart_syscall),
    CALL(tgkill),
    CALL(kill),
    CALL(clone),
    CALL(set_tid_address),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(rseq),
    CALL(exit),
    CALL(exit_group),
    CALL(umask),
    CALL(wait4),
    CALL(waitid),
#ifdef SYS_arch_prctl
    CALL(arch_prctl),
#endif
#ifdef SYS_poll // the names that newer architectures never had
    CALL(poll),
    CALL(select),
    CALL(epoll_wait),
    CALL(pipe),
    CALL(dup2),
    CALL(eventfd),
    CALL(getpgrp),
    CALL(time),
#endif
    END,
};

static const struct wall_call look[] = {
    CALL(openat),  CALL(newfstatat), CALL(fstat),      CALL(statx),      CALL(statfs),
    CALL(fstatfs), CALL(faccessat),  CALL(faccessat2), CALL(readlinkat), CALL(getdents64),
    CALL(getcwd),  CALL(fadvise64),  CALL(readahead),
#ifdef SYS_open
    CALL(open),    CALL(stat),       CALL(lstat),      CALL(access),     CALL(readlink),
#endif
    END,
};

static const struct wall_call change[] = {
    CALL(mkdirat),
    CALL(unlinkat),
    CALL(renameat2),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fsync),
    CALL(fdatasync),
    CALL(syncfs),
    CALL(flock),
    CALL(sync_file_range),
    CALL(utimensat),
    CALL(sendfile),
    CALL(copy_file_range),
#ifdef SYS_renameat
    CALL(renameat),
#endif
#ifdef SYS_mkdir
    CALL(mkdir),
    CALL(rmdir),
    CALL(unlink),
    CALL(rename),
#endif
    END,
};

static const struct wall_call talk[] = {
    CALL(sendto),      CALL(sendmsg),
    CALL(sendmmsg),    CALL(recvfrom),
    CALL(recvmsg),     CALL(recvmmsg),
    CALL(getsockname), CALL(getpeername),
    CALL(getsockopt),  CALL(setsockopt),
    CALL(accept),      CALL(accept4),
    CALL(shutdown),    END,
};

static const struct wall_call connecting[] = {CALL(socket), CALL(connect), CALL(bind), END};
static const struct wall_call listening[] = {CALL(listen), END};

static const struct wall_call children[] = {
    CALL(execve), CALL(setsid), CALL(socketpair), CALL(chdir), CALL(fchmod), CALL(fchmodat),
#ifdef SYS_fork
    CALL(fork),   CALL(vfork),  CALL(chmod),
#endif
    END,
};

static const struct wall_call narrowing[] = {
    CALL(seccomp), CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self), END,
};

const struct wall_group_info WALL_GROUP[WALL_GROUPS] = {
    [WALL_BASIC] = {"basic", "open descriptors, memory, threads, clocks, waiting", basic},
    [WALL_LOOK] = {"look", "files: open, list, ask", look},
    [WALL_CHANGE] = {"change", "files: create, rename, remove, make durable", change},
    [WALL_TALK] = {"talk", "sockets that are there", talk},
    [WALL_CONNECT] = {"connect", "new sockets", connecting},
    [WALL_LISTEN] = {"listen", "new listeners", listening},
    [WALL_CHILDREN] = {"children", "processes of its own, their sockets and modes", children},
    [WALL_NARROWING] = {"narrow", "further walls of its own", narrowing},
};

const struct wall_call WALL_DEADLY[] = {
    CALL(execve),
    CALL(execveat),
#ifdef SYS_fork
    CALL(fork),
    CALL(vfork),
#endif
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(pidfd_getfd),
    CALL(kcmp),
    CALL(tkill),
    CALL(rt_sigqueueinfo),
    CALL(rt_tgsigqueueinfo),
    CALL(pidfd_send_signal),
    CALL(mount),
    CALL(umount2),
    CALL(move_mount),
    CALL(open_tree),
    CALL(fsopen),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fspick),
    CALL(mount_setattr),
    CALL(pivot_root),
    CALL(chroot),
    CALL(setns),
    CALL(unshare),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(kexec_load),
    CALL(kexec_file_load),
    CALL(reboot),
    CALL(swapon),
    CALL(swapoff),
    CALL(acct),
    CALL(settimeofday),
    CALL(clock_settime),
    CALL(quotactl),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(setuid),
    CALL(setgid),
    CALL(setreuid),
    CALL(setregid),
    CALL(setresuid),
    CALL(setresgid),
    CALL(setfsuid),
    CALL(setfsgid),
    CALL(setgroups),
    CALL(capset),
    CALL(personality),
    CALL(open_by_handle_at),
    CALL(memfd_create),
#ifdef SYS_modify_ldt
    CALL(modify_ldt),
    CALL(iopl),
    CALL(ioperm),
#endif
    END,
};

const struct wall_call WALL_REFUSED[] = {
    CALL(truncate),
    CALL(fchownat),
    CALL(linkat),
    CALL(symlinkat),
    CALL(mknodat),
    CALL(setxattr),
    CALL(lsetxattr),
    CALL(fsetxattr),
    CALL(removexattr),
    CALL(lremovexattr),
    CALL(fremovexattr),
    CALL(setpriority),
    CALL(sched_setscheduler),
    CALL(sched_setparam),
    CALL(setitimer),
    CALL(fchdir),
    CALL(setrlimit),
    CALL(sethostname),
    CALL(setdomainname),
    CALL(syslog),
    CALL(vhangup),
#ifdef SYS_chown
    CALL(chown),
    CALL(lchown),
    CALL(link),
    CALL(symlink),
    CALL(mknod),
    CALL(creat),
    CALL(utime),
    CALL(utimes),
    CALL(futimesat),
#endif
    END,
};

const struct wall_call WALL_UNKNOWN[] = {
    CALL(clone3),         // its flags are out of reach; glibc goes on with clone
    CALL(io_uring_setup), // libuv goes on without
    CALL(openat2),
    CALL(fchown), // SQLite as root
    END,
};
