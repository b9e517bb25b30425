#!/usr/bin/env python3
"""Files that need each other, each directly or through others, by what the linker sees in their objects.

circles.py SOURCE BUILD

A file that stands in a circle cannot be read, tested or moved without all the others in it. The number may only go
down: whoever takes files out of a circle writes the lower one here."""
import os
import re
import subprocess
import sys

SOURCE, BUILD = sys.argv[1:]
FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
MOST = 8


def objects():
    """The path of each object, by that of its source file without the ending."""
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(BUILD, folder)):
            for name in names:
                if name.endswith(".c.o"):
                    path_of = os.path.join(path, name)
                    source = re.sub(r"CMakeFiles/[^/]+\.dir/", "", os.path.relpath(path_of, BUILD))[:-2]
                    if os.path.exists(os.path.join(SOURCE, source)):  # objects stay behind
                        yield source[:-2], path_of


def symbols():
    """What each object defines for others, and what it needs of them."""
    found = {path: (name, set(), set()) for name, path in objects()}
    listed = subprocess.run(["nm", "-A", *found], capture_output=True, text=True, check=True).stdout if found else ""
    for line in listed.splitlines():
        path, rest = line.split(".c.o:", 1)
        kind, symbol = rest.split()[-2:]
        _, defined, needed = found[path + ".c.o"]
        if kind in "TDBRV":
            defined.add(symbol)
        elif kind == "U":
            needed.add(symbol)
    return found.values()


def graph():
    known = list(symbols())
    owner = {symbol: name for name, defined, _ in known for symbol in defined}
    return {name: {owner[symbol] for symbol in needed if owner.get(symbol, name) != name}
            for name, _, needed in known}


def reach(arrows, start):
    """All that can be reached from a file by at least one arrow."""
    found, waiting = set(), [start]
    while waiting:
        for name in arrows[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


def circles(arrows):
    reached = {name: reach(arrows, name) for name in arrows}
    rings = {frozenset(other for other in reached[name] if name in reached[other])
             for name in arrows if name in reached[name]}
    return sorted(rings, key=len, reverse=True)


def main():
    arrows = graph()
    rings = circles(arrows)
    count = sum(map(len, rings))
    print(f"{len(arrows)} files, {count} of them in {len(rings)} circles")
    for ring in rings:
        print(f"{len(ring):3}", " ".join(sorted(ring)))
    if not arrows or count > MOST:
        sys.exit(f"more than {MOST} files stand in circles")
    if count < MOST:
        print(f"fewer than {MOST}: write the new number into circles.py")


main()
