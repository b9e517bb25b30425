#!/usr/bin/env python3
"""The walks drawn in docs/architecture.md lead through files and functions that there are, and are counted rightly.

walks.py TOP

A line of a walk is "[where]  FILE  FUNCTION …"; where it runs is said when it changes. Lines with "→ NAME" are doors:
what is called is found in a pointer of that name. The table above the walks has how many files, changes and doors."""
import os
import re
import sys

STEP = re.compile(r"^(?P<where>[a-z][a-z, ]*)?\s+(?P<file>[a-z-]+(?:/[\w-]+)+\.c)\s+(?P<functions>\w+(?: \w+)*)$")
DOOR = re.compile(r"^\s+→ (\w+)$")
WALK = re.compile(r"^### (.+?)\n.*?```\n(.*?)```", re.M | re.S)
COUNTS = re.compile(r"^\| ([^|]+?) \| (\d+) \| (\d+) \| (\d+) \|", re.M)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(top):
    """All headers and C files, where the type or member of a door is looked for."""
    for folder in ("archive-node", "ipc", "proto", "sparse-node", "supervisor"):
        for path, _, names in os.walk(os.path.join(top, folder)):
            yield from (read(os.path.join(path, name)) for name in names if name.endswith((".c", ".h")))


def check_step(top, step, faults):
    path = os.path.join(top, step["file"])
    text = read(path) if os.path.exists(path) else None
    for name in step["functions"].split():
        if text is None:
            faults.append(f"there is no {step['file']}")
            return
        if not re.search(rf"(?m)^[a-z].*[ *]{name}\(.*(?:\n .*)*\n{{", text):
            faults.append(f"{step['file']} has no function {name}")


def take(top, all_text, title, body, faults):
    """Files, changes of thread or process, and doors of a walk."""
    files, places, doors = set(), [], 0
    for line in body.splitlines():
        step, door = STEP.match(line), DOOR.match(line)
        if step:
            check_step(top, step, faults)
            files.add(step["file"])
            if step["where"] and (not places or places[-1] != step["where"].strip()):
                places.append(step["where"].strip())
        elif door:
            doors += 1
            if not re.search(rf"\b{door[1]}\b", all_text):
                faults.append(f"{title}: there is no {door[1]}")
        elif line.strip():
            faults.append(f"{title}: not understood: {line}")
    return len(files), len(places) - 1, doors


def main():
    top, faults = sys.argv[1], []
    text = read(os.path.join(top, "docs", "architecture.md"))
    walks = text.split("\n## Four walks\n", 1)[1].split("\n## ", 1)[0]
    told = {title: tuple(map(int, numbers)) for title, *numbers in COUNTS.findall(walks)}
    drawn = WALK.findall(walks)
    all_text = "\n".join(sources(top))
    for title, body in drawn:
        found = take(top, all_text, title, body, faults)
        if told.get(title) != found:
            faults.append(f"{title}: {found} files, changes and doors are drawn, {told.get(title)} are told")
    if len(drawn) != 4 or set(told) != {title for title, _ in drawn}:
        faults.append("four walks are drawn, and each has a row in the table")
    print(f"{len(drawn)} walks")
    for fault in faults:
        print(f"docs/architecture.md: {fault}")
    sys.exit(1 if faults else 0)


main()
