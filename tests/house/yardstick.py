#!/usr/bin/env python3
"""The yardstick: how long files and functions are and how much of them is comment, beside code that is known to be good.

yardstick.py SOURCE

Functions are told by how clang-format leaves them: a line that begins in the first column, and braces of its own there.
What must not grow is in LIMITS; circles are counted by circles.py."""
import os
import re
import statistics
import sys

FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
FUNCTION = re.compile(r"^(?P<head>[a-z](?:[^\n;={}]*\n){1,8}?)\{\n(?P<body>(?:(?!\}\n).*\n)*)\}\n", re.M)
COLUMNS = ("median .c", "90 %", "most", "median .h", "functions", "median", "90 %", "99 %", "longest", "comment %",
           "goto/1000")
# Measured once, by ctags; comments by the length of their blocks.
OTHERS = {
    "OpenSMTPD": (351, 987, 3136, 68, 1221, 15, 57, 201, 580, 5, 6.1),
    "Dovecot lib": (183, 784, 1954, 31, 2375, 11, 40, 109, 238, 9, 0.1),
    "s6": (53, 223, 1368, 21, 438, 11, 66, 176, 225, 2, 6.9),
    "git reftable": (291, 1322, 1863, 57, 312, 10, 51, 136, 365, 10, 34.3),
    "wireguard-tools": (98, 454, 1303, 27, 288, 11, 54, 120, 195, 3, 12.5),
    "spiped": (344, 447, 468, 30, 68, 28, 61, 226, 346, 23, 35.0),
    "libuv": (205, 1181, 2750, 82, 1001, 13, 56, 164, 310, 13, 6.4),
    "OpenSSH": (330, 2277, 5450, 77, 3985, 14, 60, 203, 1489, 12, 17.4),
}
# What a column may reach, and what it has to: (number of the column, least, most).
LIMITS = ((1, 0, 450), (2, 0, 500), (3, 0, 60), (5, 5, 15), (6, 0, 25), (7, 0, 32), (8, 0, 40), (9, 4, 25), (10, 0, 2))


def files(top, ending):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(top, folder)):
            for name in sorted(names):
                if name.endswith(ending):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        yield file.read()


def part(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(top):
    sources, headers = list(files(top, ".c")), list(files(top, ".h"))
    lengths = [text.count("\n") for text in sources]
    functions = [found[0].count("\n") for text in sources for found in FUNCTION.finditer(text)]
    lines = [line.strip() for text in sources + headers for line in text.splitlines()]
    comments = sum(line.startswith("//") for line in lines)
    gotos = sum(len(re.findall(r"^\s+goto ", text, re.M)) for text in sources)
    return (statistics.median(lengths), part(lengths, 0.9), max(lengths),
            statistics.median(text.count("\n") for text in headers), len(functions), statistics.median(functions),
            part(functions, 0.9), part(functions, 0.99), max(functions), 100 * comments / len(lines),
            1000 * gotos / sum(lengths))


def show(name, values):
    print(f"{name:16}", *(f"{value:>{len(column)}.{1 if column == 'goto/1000' else 0}f}"
                          for column, value in zip(COLUMNS, values)), sep="  ")


def main():
    own, faults = measure(sys.argv[1]), []
    print(" " * 16, *COLUMNS, sep="  ")
    show("tandem", own)
    for name, values in OTHERS.items():
        show(name, values)
    for column, least, most in LIMITS:
        if not least <= own[column] <= most:
            faults.append(f"{COLUMNS[column]} is {own[column]:.1f}, which is not between {least} and {most}")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults or own[4] < 4000 else 0)


main()
