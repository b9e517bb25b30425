// Who may do what. A change here changes what is enforced, and docs/security.md has to be written anew (a test says
// how).
#include "wall/rights.h"

#include <asm/termbits.h>
#include <errno.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <asm/ioctls.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 // glibc names its memory
#endif
#ifdef SYS_chmod
#define CHMOD SYS_chmod
#else
#define CHMOD (-1)
#endif

enum {
    NAMESPACES =
        CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
    PUBLIC_MODES = 07077,
};

const struct wall_condition WALL_CONDITION[WALL_CONDITIONS] = {
    [WALL_THREADS] = {"threads, never processes", SYS_clone, 0, WALL_ALL_OF, {CLONE_VM | CLONE_THREAD}, 1, WALL_KILL},
    [WALL_NO_NAMESPACES] = {"no new namespaces", SYS_clone, 0, WALL_NONE_OF, {NAMESPACES}, 1, WALL_KILL},
    [WALL_SOCKETS_INTERNET] = {"sockets of IP and, to ask for addresses, netlink",
                               SYS_socket,
                               0,
                               WALL_ONE_OF,
                               {AF_INET, AF_INET6, AF_NETLINK},
                               3,
                               EACCES},
    [WALL_SOCKETS_LOCAL] = {"Unix sockets", SYS_socket, 0, WALL_ONE_OF, {AF_UNIX}, 1, EACCES},
    [WALL_SOCKETS_BOTH] = {"sockets of IP, netlink and Unix",
                           SYS_socket,
                           0,
                           WALL_ONE_OF,
                           {AF_INET, AF_INET6, AF_NETLINK, AF_UNIX},
                           4,
                           EACCES},
    [WALL_PRCTL_NAMES] = {"prctl to name threads and memory",
                          SYS_prctl,
                          0,
                          WALL_ONE_OF,
                          {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA},
                          3,
                          EINVAL},
    [WALL_PRCTL_START] = {"prctl to give up rights, end with the parent, and name",
                          SYS_prctl,
                          0,
                          WALL_ONE_OF,
                          {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_GET_DUMPABLE,
                           PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS},
                          8,
                          EINVAL},
    [WALL_IOCTL] = {"ioctl to ask about terminals and sockets",
                    SYS_ioctl,
                    1,
                    WALL_ONE_OF,
                    {FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS, TCGETS2, TIOCGWINSZ, SIOCGIFINDEX},
                    8,
                    ENOTTY},
    [WALL_IOCTL_TERMINAL] = {"ioctl to ask about terminals and sockets, and to hide what is typed",
                             SYS_ioctl,
                             1,
                             WALL_ONE_OF,
                             {FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS, TCGETS2, TIOCGWINSZ, SIOCGIFINDEX, TCSETS,
                              TCSETSW, TCSETSF},
                             11,
                             ENOTTY},
    [WALL_OWN_SIGNALS] = {"signals to its own threads", SYS_tgkill, 0, WALL_OWN_PID, {0}, 0, WALL_KILL},
    [WALL_OWN_KILL] = {"signals to itself", SYS_kill, 0, WALL_OWN_PID, {0}, 0, WALL_KILL},
    [WALL_OWN_LIMITS] = {"its own limits", SYS_prlimit64, 0, WALL_ONE_OF, {0}, 1, EPERM},
    [WALL_NO_CODE] = {"no memory made executable", SYS_mprotect, 2, WALL_NONE_OF, {PROT_EXEC}, 1, EACCES},
    [WALL_NO_CODE_MAPPED] =
        {"no memory both writable and executable", SYS_mmap, 2, WALL_NOT_ALL, {PROT_WRITE | PROT_EXEC}, 1, EACCES},
    [WALL_PRIVATE_CHMOD] =
        {"modes of its own files that give others nothing", CHMOD, 1, WALL_NONE_OF, {PUBLIC_MODES}, 1, EPERM},
    [WALL_PRIVATE_FCHMOD] = {"the same by descriptor", SYS_fchmod, 1, WALL_NONE_OF, {PUBLIC_MODES}, 1, EPERM},
    [WALL_PRIVATE_FCHMODAT] = {"the same by folder", SYS_fchmodat, 2, WALL_NONE_OF, {PUBLIC_MODES}, 1, EPERM},
};

// ---- Files ---------------------------------------------------------------------------------------------------------

static const char *const libraries[] = {
    "/lib",         "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/sys/devices/system/cpu",
    "/dev/urandom", NULL};
// The folders in /run hold what /etc/resolv.conf links to, which is replaced, not rewritten.
static const char *const names[] = {"/etc/hosts",
                                    "/etc/resolv.conf",
                                    "/etc/nsswitch.conf",
                                    "/etc/host.conf",
                                    "/etc/gai.conf",
                                    "/etc/services",
                                    "/etc/localtime",
                                    "/etc/ssl",
                                    "/usr/share/ca-certificates",
                                    "/usr/local/share/ca-certificates",
                                    "/run/systemd/resolve",
                                    "/run/NetworkManager",
                                    "/run/resolvconf",
                                    NULL};
static const char *const self[] = {"/proc/self", "/proc/sys/kernel/random/boot_id", NULL};
static const char *const proc[] = {"/proc", NULL};

const struct wall_file_set WALL_FILE_SET[WALL_FILES_SETS] = {
    [WALL_FILES_LIBRARIES] = {"libraries", libraries},
    [WALL_FILES_NAMES] = {"names and certificates", names},
    [WALL_FILES_SELF] = {"itself", self},
    [WALL_FILES_PROC] = {"processes", proc},
};

// ---- Programs ------------------------------------------------------------------------------------------------------

#define BIT(x) (1U << (x))
enum {
    GROUPS_ALL = BIT(WALL_BASIC) | BIT(WALL_LOOK) | BIT(WALL_TALK),
    GROUPS_NODE = GROUPS_ALL | BIT(WALL_CHANGE) | BIT(WALL_CONNECT) | BIT(WALL_NARROWING),
#ifdef __aarch64__ // there the loader marks a library's code again
    NO_CODE = BIT(WALL_NO_CODE_MAPPED),
#else
    NO_CODE = BIT(WALL_NO_CODE) | BIT(WALL_NO_CODE_MAPPED),
#endif
    ALONE = BIT(WALL_THREADS) | BIT(WALL_OWN_SIGNALS) | BIT(WALL_OWN_LIMITS) | BIT(WALL_PRCTL_NAMES) | NO_CODE,
    NODE = ALONE | BIT(WALL_OWN_KILL) | BIT(WALL_SOCKETS_BOTH) | BIT(WALL_IOCTL),
    MODES = BIT(WALL_PRIVATE_CHMOD) | BIT(WALL_PRIVATE_FCHMOD) | BIT(WALL_PRIVATE_FCHMODAT),
    FILES_NODE = BIT(WALL_FILES_LIBRARIES) | BIT(WALL_FILES_NAMES) | BIT(WALL_FILES_SELF),
    FILES_SUPERVISOR = FILES_NODE | BIT(WALL_FILES_PROC),
};

const struct wall_rights WALL_RIGHTS[WALL_PROGRAMS] = {
    [WALL_TANDEM] = {.name = "tandem",
                     .places = "what its user names",
                     .groups = GROUPS_ALL | BIT(WALL_CHANGE) | BIT(WALL_CONNECT),
                     .conditions = ALONE | BIT(WALL_SOCKETS_LOCAL) | BIT(WALL_IOCTL_TERMINAL),
                     .any_file = true,
                     .signals = true},
    [WALL_DOCTOR] = {.name = "tandem doctor",
                     .places = "what its user names",
                     .groups = GROUPS_ALL | BIT(WALL_CHANGE) | BIT(WALL_CONNECT),
                     .conditions = ALONE | BIT(WALL_SOCKETS_BOTH) | BIT(WALL_IOCTL_TERMINAL),
                     .any_file = true,
                     .connects = true},
    [WALL_SUPERVISOR] = {.name = "tandem-supervisor",
                         .places = "keeps its state directory; reads the folders of its configuration and of the CA "
                                   "file; runs the two node programs and tandem-discovery",
                         .groups = GROUPS_NODE | BIT(WALL_LISTEN) | BIT(WALL_CHILDREN),
                         .conditions = BIT(WALL_NO_NAMESPACES) | BIT(WALL_SOCKETS_BOTH) | BIT(WALL_PRCTL_START) |
                                       BIT(WALL_OWN_LIMITS) | BIT(WALL_IOCTL) | NO_CODE | MODES,
                         .files = FILES_SUPERVISOR,
                         .connects = true,
                         .binds = true},
    [WALL_ARCHIVE] = {.name = "tandem-archive",
                      .places = "keeps its own folder; reads the CA file",
                      .groups = GROUPS_NODE | BIT(WALL_LISTEN),
                      .conditions = NODE,
                      .files = FILES_NODE,
                      .connects = true,
                      .binds = true,
                      .later = "Unix sockets once its channel is open; new listeners once provisioned"},
    [WALL_SPARSE] = {.name = "tandem-sparse",
                     .places = "keeps its own folder; reads the CA file",
                     .groups = GROUPS_NODE,
                     .conditions = NODE,
                     .files = FILES_NODE,
                     .connects = true,
                     .later = "Unix sockets once its channel is open"},
    [WALL_RELAY] = {.name = "tandem-relay",
                    .places = "none",
                    .groups = GROUPS_ALL,
                    .conditions = ALONE | BIT(WALL_OWN_KILL) | BIT(WALL_IOCTL),
                    .files = BIT(WALL_FILES_LIBRARIES) | BIT(WALL_FILES_SELF)},
    [WALL_RELAY_CLUSTER] = {.name = "tandem-relay --cluster",
                            .places = "none",
                            .groups = GROUPS_ALL | BIT(WALL_CONNECT),
                            .conditions = ALONE | BIT(WALL_OWN_KILL) | BIT(WALL_SOCKETS_INTERNET) | BIT(WALL_IOCTL),
                            .files = FILES_NODE,
                            .connects = true},
    [WALL_UI] = {.name = "tandem-ui",
                 .places = "none",
                 .groups = GROUPS_ALL | BIT(WALL_CONNECT),
                 .conditions = ALONE | BIT(WALL_OWN_KILL) | BIT(WALL_SOCKETS_LOCAL) | BIT(WALL_IOCTL),
                 .files = BIT(WALL_FILES_LIBRARIES) | BIT(WALL_FILES_SELF)},
    [WALL_DISCOVERY] = {.name = "tandem-discovery",
                        .places = "none",
                        .groups = GROUPS_ALL | BIT(WALL_CONNECT) | BIT(WALL_NARROWING),
                        .conditions = ALONE | BIT(WALL_OWN_KILL) | BIT(WALL_SOCKETS_LOCAL) | BIT(WALL_IOCTL),
                        .files = BIT(WALL_FILES_LIBRARIES) | BIT(WALL_FILES_SELF),
                        .later = "Unix sockets once it has reached D-Bus"},
};
