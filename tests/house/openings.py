#!/usr/bin/env python3
"""Every C file begins with what it is for, or what a reader cannot see from its code.

openings.py TOP

Headers say what others may rely on; the comment at the top of a .c file is for who changes it. It takes a sentence at
least, and is none that another file has."""
import os
import re
import sys

FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
WORDS = 6


def files(top):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(top, folder)):
            yield from (os.path.join(path, name) for name in sorted(names) if name.endswith(".c"))


def opening(path):
    """The text of the comment at the top."""
    with open(path, encoding="utf-8") as file:
        found = re.match(r"(?://[^\n]*\n)+", file.read())
    return re.sub(r"(?m)^// ?", "", found[0]).strip() if found else ""


def main():
    top, seen, faults, count = sys.argv[1], {}, [], 0
    for path in files(top):
        place, text, count = os.path.relpath(path, top), opening(path), count + 1
        if len(re.findall(r"[A-Za-z]{2,}", text)) < WORDS:
            faults.append(f"{place} does not begin with what it is for")
        elif text in seen:
            faults.append(f"{place} begins as {seen[text]} does")
        seen.setdefault(text, place)
    print(f"{count} files, {len(faults)} do not begin well")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults or count < 300 else 0)


main()
