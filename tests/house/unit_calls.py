"""Every system call in the table of rights is one that the units let through.  unit_calls.py RIGHTS-PAGE UNIT…"""
import subprocess
import sys


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def expand(name):
    """The calls of a group of systemd's."""
    if not name.startswith("@"):
        return {name}
    lines = [line.strip() for line in run("systemd-analyze", "syscall-filter", name).splitlines()[1:]]
    return set().union(*(expand(line) for line in lines if line and not line.startswith("#")))


def let_through(unit):
    calls = set()
    for line in open(unit, encoding="utf-8"):
        if not line.startswith("SystemCallFilter="):
            continue
        names = line.strip().removeprefix("SystemCallFilter=")
        listed = set().union(*(expand(name) for name in names.removeprefix("~").split()))
        calls = calls - listed if names.startswith("~") else calls | listed
    return calls


groups = run(sys.argv[1]).split("### System calls")[1].split("What is in no group")[0]
used = {call for line in groups.splitlines() if ": " in line for call in line.split("|")[2].split()}
assert len(used) > 100, used
for path in sys.argv[2:]:
    missing = used - let_through(path)
    if missing:
        sys.exit(f"{path} does not let through: {sorted(missing)}")
