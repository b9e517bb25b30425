#include "node/sandbox.h"

#include <stdio.h>

#ifndef TANDEM_SANDBOX

enum status sandbox_enter(const struct sandbox_rights *rights, char *warning, size_t size, struct error *e)
{
    (void)rights;
    (void)e;
    snprintf(warning, size, "this build runs without a sandbox (TANDEM_SANDBOX=off)");
    return STATUS_OK;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
    READ_ALL = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    EVERYTHING = (LANDLOCK_ACCESS_FS_REFER << 1) - 1, // all rights of the second Landlock version
    LEAST_VERSION = 2,                                // the first one forbids every rename between folders
};

static const char *const readable_files[] = {
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl/openssl.cnf",
    "/dev/urandom",
    "/proc/sys/kernel/random/boot_id",
};
static const char *const readable_folders[] = {
    "/etc/ssl", "/lib", "/lib64", "/usr/lib", "/usr/local/lib", "/usr/share/ca-certificates", "/proc/self",
};

static int allow(int ruleset, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0; // what is not there needs no rule
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    long failed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(fd);
    return (int)failed;
}

static int allow_all(int ruleset, const struct sandbox_rights *rights)
{
    int failed = allow(ruleset, rights->dir, EVERYTHING & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
    failed |= allow(ruleset, "/dev/null", READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (size_t i = 0; i < sizeof readable_files / sizeof *readable_files; i++)
        failed |= allow(ruleset, readable_files[i], READ_FILE);
    for (size_t i = 0; i < sizeof readable_folders / sizeof *readable_folders; i++)
        failed |= allow(ruleset, readable_folders[i], READ_ALL);
    if (rights->ca_file != NULL)
        failed |= allow(ruleset, rights->ca_file, READ_FILE);
    return failed;
}

static enum status limit_files(const struct sandbox_rights *rights, char *warning, size_t size, struct error *e)
{
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < LEAST_VERSION) {
        snprintf(warning, size,
                 "this kernel has no usable Landlock: the node can touch files outside its own directory");
        return STATUS_OK;
    }
    struct landlock_ruleset_attr attr = {.handled_access_fs = EVERYTHING};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0)
        return error_errno(e, "cannot set up Landlock");
    enum status st = STATUS_OK;
    if (allow_all(ruleset, rights) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        st = error_errno(e, "cannot enter Landlock");
    close(ruleset);
    return st;
}

// A node never runs programs, traces, mounts, loads code into the kernel or becomes somebody else.
static const int forbidden_calls[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(personality),
    SCMP_SYS(quotactl),
    SCMP_SYS(io_uring_setup),
};
static const int listening_calls[] = {SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4)};

static int forbid(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
    return failed;
}

static enum status limit_calls(const struct sandbox_rights *rights, struct error *e)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return error_set(e, STATUS_IO, "SANDBOX", "cannot set up seccomp");
    int failed = forbid(filter, forbidden_calls, sizeof forbidden_calls / sizeof *forbidden_calls);
    if (!rights->may_listen)
        failed |= forbid(filter, listening_calls, sizeof listening_calls / sizeof *listening_calls);
    if (failed == 0)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed == 0 ? STATUS_OK : error_set(e, STATUS_IO, "SANDBOX", "cannot load the seccomp filter");
}

enum status sandbox_enter(const struct sandbox_rights *rights, char *warning, size_t size, struct error *e)
{
    warning[0] = '\0';
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_errno(e, "cannot give up new privileges");
    enum status st = limit_files(rights, warning, size, e);
    return st == STATUS_OK ? limit_calls(rights, e) : st;
}

#endif
