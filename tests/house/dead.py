#!/usr/bin/env python3
"""Functions and tables that a product file offers to others and the product does not need.

dead.py SOURCE BUILD

What only its own file uses is static, unless a test asks for it; what no program can reach from its main(), or from a
function of proto/library/tandem.h, is no part of the product and goes: the linker with --gc-sections would find none of
ours. What is reached is read from the code of the objects, function by function; tables of a file count as one, so that
what a used table names is used.
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
    "gettimeofday": "of the library that shifts clocks; SQLite asks it",
    "hash_map_longest_way": "without looking inside no test can tell that keys are spread",
    "IPC_CODE_COUNT": "the reference of the errors is written with it",
    "IPC_EVENTS": "likewise, that of the events",
    "IPC_EVENT_COUNT": "likewise",
    "ipc_kind_name": "likewise, that of the control methods",
    "store_maintain": "a store without a queue is maintained with it",
}

with open(os.path.join(SOURCE, "proto/library/tandem.h"), encoding="utf-8") as header:
    OFFERED = set(re.findall(r"\b(tandem_\w+)\(", re.sub(r"//.*", "", header.read())))

OBJECT = re.compile(r"^(\S+\.c\.o):\s+file format")
SECTION = re.compile(r"^(?:Disassembly of section |RELOCATION RECORDS FOR \[)([^\]:]+)")
FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
TARGET = re.compile(r"^\s+[0-9a-f]+:.*<([^>+]+)(?:\+0x[0-9a-f]+)?>")
RELOCATION = re.compile(r"^\s*[0-9a-f]+:? R_\S+\s+(\S+?)(?:([-+])0x([0-9a-f]+))?$")
SYMBOL = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ (?:\.hidden )?(\S+)$")


def source_of(path):
    return re.sub(r"CMakeFiles/[^/]+\.dir/", "", os.path.relpath(path, BUILD))[:-2]


def listing(*arguments):
    paths = [os.path.join(path, name) for folder in FOLDERS for path, _, names in os.walk(os.path.join(BUILD, folder))
             for name in names if name.endswith(".c.o")]
    paths = [path for path in paths if os.path.exists(os.path.join(SOURCE, source_of(path)))]  # objects stay behind
    return subprocess.run(["objdump", *arguments, *paths], capture_output=True, text=True,
                          check=True).stdout.splitlines() if paths else []


class Program:
    """What each function and each section with tables refers to. A node is a global name, or an object and a name."""

    def __init__(self):
        self.where = {}      # of a global symbol: the nodes it stands for
        self.defined = {}    # symbols for others, and the object each is in
        self.needed = set()  # by objects, of others
        self.arrows = {}
        self.read_symbols()
        self.read_code()
        self.read_tables()

    def read_symbols(self):
        for line in listing("-t"):
            found = OBJECT.match(line)
            path = found[1] if found else path if "path" in locals() else None
            symbol = SYMBOL.match(line)
            if not symbol or symbol[3].startswith("."):
                continue
            flags, section, name = symbol.groups()
            if section == "*UND*":
                self.needed.add(name)
            elif flags[0] in "gu!":
                self.defined[name] = path
                self.where.setdefault(name, set()).add((path, name if section.startswith(".text") else section))

    def refer(self, node, path, starts, relocation):
        """An arrow for a relocation, which names a symbol, or a section and a place in it."""
        name, sign, offset = relocation.groups()
        ends = self.where.get(name, {(path, name)})
        if name.startswith(".text"):
            place = int(offset or "0", 16) * (-1 if sign == "-" else 1)
            known = starts.get((path, name), [])
            # a place is given from the end of the instruction's operand, four bytes on, or as it is
            ends = {(path, function) for start, function in known
                    if any(start <= at < min([s for s, _ in known if s > start], default=at + 1)
                           for at in (place, place + 4))}
        self.arrows.setdefault(node, set()).update(ends)

    def read_code(self):
        lines = listing("-dr", "--no-show-raw-insn")
        self.starts = {}
        for line in lines:
            found, section, function = OBJECT.match(line), SECTION.match(line), FUNCTION.match(line)
            path = found[1] if found else path if "path" in locals() else None
            if section:
                place = section[1]
            elif function:
                self.starts.setdefault((path, place), []).append((int(function[1], 16), function[2]))
        node, pending = None, None
        for line in lines:
            found, function = OBJECT.match(line), FUNCTION.match(line)
            relocation = RELOCATION.match(line) if "R_" in line else None
            if pending and not relocation:  # nothing else says where this one leads
                self.arrows.setdefault(node, set()).add((path, pending))
            pending = None
            if found:
                path = found[1]
            elif function:
                node = (path, function[2])
            elif relocation:
                self.refer(node, path, self.starts, relocation)
            else:
                target = TARGET.match(line)
                pending = target[1] if target else None

    def read_tables(self):
        for line in listing("-r"):
            found, section = OBJECT.match(line), SECTION.match(line)
            path = found[1] if found else path if "path" in locals() else None
            place = section[1] if section else place if "place" in locals() else None
            relocation = RELOCATION.match(line)
            if relocation and place.startswith((".data", ".rodata", ".init_array")):
                self.refer((path, place), path, self.starts, relocation)

    def reached(self):
        found = set().union(*(self.where.get(name, ()) for name in OFFERED | {"main"}))
        waiting = list(found)
        while waiting:
            for node in self.arrows.get(waiting.pop(), set()) - found:
                found.add(node)
                waiting.append(node)
        return found


def is_used_at_home(path, symbol):
    with open(os.path.join(SOURCE, source_of(path)), encoding="utf-8") as file:
        text = re.sub(r"//.*", "", file.read())
    return len(re.findall(rf"(?<!enum )(?<!struct )\b{symbol}\b", text)) > 1


def asked_by_tests():
    paths = [os.path.join(path, name) for path, _, names in os.walk(os.path.join(BUILD, "tests"))
             for name in names if name.endswith(".c.o")]
    listed = subprocess.run(["nm", *paths], capture_output=True, text=True, check=True).stdout if paths else ""
    return {line.split()[-1] for line in listed.splitlines() if " U " in line}


def main():
    program, tested, failed = Program(), asked_by_tests(), 0
    reached = program.reached()
    for symbol, path in sorted(program.defined.items(), key=lambda item: (item[1], item[0])):
        alive = not program.where[symbol].isdisjoint(reached)
        if symbol in KEPT or symbol in OFFERED or symbol == "main" or (alive and symbol in program.needed):
            continue
        used = is_used_at_home(path, symbol)
        if used and symbol in tested and (alive or symbol not in program.needed):
            continue
        print(source_of(path), symbol, "is reached by no program" if symbol in program.needed else
              "is used by no other file: make it static" if used else
              "is used by tests only" if symbol in tested else "is not used at all")
        failed += 1
    for symbol in sorted(symbol for symbol in KEPT if symbol not in program.defined or (
            symbol in program.needed and not program.where[symbol].isdisjoint(reached))):
        print(symbol, "needs no line in KEPT")
        failed += 1
    print(f"{len(program.defined)} symbols, {len(reached)} functions and tables are reached, {failed} to be put right")
    sys.exit(failed != 0 or not program.defined or len(reached) < 1000)


main()
