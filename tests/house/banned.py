#!/usr/bin/env python3
"""No product file calls what cannot be called rightly, or what another way is there for.

banned.py TOP"""
import os
import re
import sys

FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")

BANNED = {  # calls, and what to do instead
    "no bound on what is written: snprintf, struct buf":
        "strcpy stpcpy strcat sprintf vsprintf gets wcscpy wcscat",
    "cuts in silence, or leaves out the end: snprintf, struct buf, memcpy":
        "strncpy stpncpy strncat",
    "cannot tell 0 from what is no number: strtol and its end":
        "atoi atol atoll atof",
    "one state for all threads: span_from, strcspn, the functions with _r":
        "strtok gmtime localtime ctime asctime rand srand random srandom drand48 lrand48 getpwnam getpwuid gethostbyname "
        "gethostbyaddr inet_ntoa inet_addr",
    "guessable: random_bytes":
        "rand_r random_r drand48_r tmpnam tempnam mktemp",
    "a shell stands between: fork and exec of a program by name":
        "system popen",
    "the stack has no room to ask for: mem_alloc, struct arena":
        "alloca __builtin_alloca",
    "jumps over what has to be released: one exit":
        "setjmp sigsetjmp longjmp siglongjmp",
    "waits for time: a timer, poll":
        "sleep usleep",
    "allocation aborts, which these do not: mem_alloc, mem_text, struct buf, struct arena":
        "malloc calloc realloc reallocarray strdup strndup asprintf vasprintf",
    "a child has the parent's threads' locks: uv_spawn":
        "fork vfork daemon",
    "other threads read the environment":
        "setenv putenv unsetenv clearenv",
    "what is too great for its variable has no defined value: strtol, json":
        "scanf sscanf fscanf vsscanf",
}

ALLOWED = {  # in these files, because
    ("proto/base/bytes.c", "malloc calloc realloc"): "it is what aborts",
    ("proto/store/fault_vfs.c", "calloc"): "of fault builds, whose size SQLite knows",
    ("proto/net/loop.c", "setenv unsetenv"): "before there are threads, which its header asks for",
    ("proto/base/manager.c", "unsetenv"): "before there are threads",
    ("supervisor/autostart.c", "fork"): "uv_spawn knows no guard; both children make nothing but system calls",
    ("supervisor/ctl/cmd_demo.c", "fork"): "of a program without threads; the child only executes",
    ("supervisor/simulate/launch.c", "fork putenv"): "of a program without threads; the child only executes",
    ("proto/node/numbers.c", "fscanf"): "/proc/self/statm, which the kernel writes",
    ("proto/data/jsonform.c", "sscanf"): "three digits at most",
    ("proto/chum/intake.c", "sscanf"): "a setting that this file wrote",
    ("proto/models/lag.c", "sscanf"): "a setting that this file wrote",
    ("supervisor/journal.c", "sscanf"): "a variable that systemd sets; numbers that do not fit name no device",
    ("supervisor/simulate/talk.c", "sscanf"): "a text that this file sent, of an installation of its own",
    ("supervisor/simulate/scenario_parts.c", "sscanf"): "of whoever runs it; numbers are compared with few names",
}

# signal() is good for SIG_IGN and SIG_DFL alone: whether a handler stays, and what it interrupts, differs.
SIGNAL = re.compile(r"(?<![\w.>])signal\s*\((?!\s*\w+\s*,\s*SIG_(?:IGN|DFL)\s*\))")
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(" ".join(BANNED.values()).split()))
WHY = {name: why for why, names in BANNED.items() for name in names.split()}
REASONED = {(file, name) for file, names in ALLOWED for name in names.split()}
NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def files(top):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(top, folder)):
            yield from (os.path.join(path, name) for name in names if name.endswith((".c", ".h")))


def calls(text):
    """Line and name of each banned call."""
    code = NO_CODE.sub(lambda part: "\n" * part[0].count("\n"), text)
    found = [(match.start(), match[1]) for match in CALL.finditer(code)]
    found += [(match.start(), "signal") for match in SIGNAL.finditer(code)]
    return [(code.count("\n", 0, start) + 1, name) for start, name in sorted(found)]


def main():
    top, used, faults, looked = sys.argv[1], set(), [], 0
    for path in files(top):
        looked += 1
        place = os.path.relpath(path, top)
        with open(path, encoding="utf-8") as file:
            for line, name in calls(file.read()):
                used.add((place, name))
                if (place, name) not in REASONED:
                    faults.append(f"{place}:{line}: {name}: {WHY.get(name, 'with a handler: sigaction')}")
    faults += [f"{place} does not call {name} any more: take it out here" for place, name in sorted(REASONED - used)]
    print(f"{looked} files, {len(used)} calls with a reason")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults or looked < 300 else 0)


main()
