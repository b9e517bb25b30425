#!/usr/bin/env python3
"""Files of the product that are longer than one idea.

sizes.py SOURCE

The number of those above the limit may only go down: whoever parts one writes the lower number here."""
import os
import sys

SOURCE = sys.argv[1]
FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
LINES = 500
MOST = 0


def lengths():
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(SOURCE, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        yield sum(1 for _ in file), os.path.relpath(os.path.join(path, name), SOURCE)


def main():
    known = list(lengths())
    long = sorted((found for found in known if found[0] > LINES), reverse=True)
    print(f"{len(known)} files, {len(long)} of them above {LINES} lines")
    for lines, path in long:
        print(f"{lines:4}", path)
    if not known or len(long) > MOST:
        sys.exit(f"more than {MOST} files are above {LINES} lines")
    if len(long) < MOST:
        print(f"fewer than {MOST}: write the new number into sizes.py")


main()
