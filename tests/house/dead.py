#!/usr/bin/env python3
"""Functions and tables that a product file offers to others and no other file of the product uses.

dead.py SOURCE BUILD

What only its own file uses is static, unless a test asks for it; what nothing but tests uses is no part of the product
and goes. Uses in other files are what the linker sees, those in its own file are in its text.
"""
import os
import re
import subprocess
import sys

SOURCE, BUILD = sys.argv[1:]
FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
KEPT = {
    "fault_count": "fault builds are steered with it, which are no product",
    "fault_script": "likewise",
    "hash_map_longest_way": "without looking inside no test can tell that keys are spread",
    "IPC_EVENT_COUNT": "the reference of the events is written with it",
    "ipc_kind_name": "likewise, that of the control methods",
    "store_evict": "the sparse node gives up what the archive has: not built yet",
    "store_maintain": "a store without a queue is maintained with it",
    "store_queue_is_full": "not built yet: who could pause does not ask",
    "store_queue_on_room": "likewise",
}


def symbols(folders):
    """Each symbol that is defined there, with the object it is in, and all that are needed of other objects."""
    defined, needed = {}, set()
    paths = [os.path.join(path, name) for folder in folders for path, _, names in os.walk(os.path.join(BUILD, folder))
             for name in names if name.endswith(".c.o")]
    listed = subprocess.run(["nm", "-A", *paths], capture_output=True, text=True, check=True).stdout if paths else ""
    for line in listed.splitlines():
        path, rest = line.split(":", 1)
        kind, symbol = rest.split()[-2:]
        if kind in "TDBRV":
            defined[symbol] = path
        elif kind == "U":
            needed.add(symbol)
    return defined, needed


def source_of(path):
    return re.sub(r"CMakeFiles/[^/]+\.dir/", "", os.path.relpath(path, BUILD))[:-2]


def is_used_at_home(path, symbol):
    with open(os.path.join(SOURCE, source_of(path)), encoding="utf-8") as file:
        text = re.sub(r"//.*", "", file.read())
    return len(re.findall(rf"\b{symbol}\b", text)) > 1


def main():
    defined, needed = symbols(FOLDERS)
    _, tested = symbols(["tests"])
    failed = 0
    for symbol, path in sorted(defined.items(), key=lambda item: (item[1], item[0])):
        if symbol in needed or symbol in KEPT or symbol == "main":
            continue
        used = is_used_at_home(path, symbol)
        if used and symbol in tested:
            continue
        print(source_of(path), symbol, "is used by no other file: make it static" if used else
              "is used by tests only" if symbol in tested else "is not used at all")
        failed += 1
    for symbol in sorted(symbol for symbol in KEPT if symbol in needed or symbol not in defined):
        print(symbol, "needs no line in KEPT")
        failed += 1
    print(f"{len(defined)} symbols, {failed} to be put right")
    sys.exit(failed != 0 or not defined)


main()
