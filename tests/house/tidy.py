#!/usr/bin/env python3
"""Every C file of the product is as the profile of clang-tidy (.clang-tidy) wants it.

tidy.py SOURCE BUILD

Its versions differ in checks, so only the one the tree is written with is asked. The analyzer, which follows paths and
takes minutes, is left to `cmake --preset tidy`; all other checks take a tenth of a second for a file. What passed is
remembered in the build folder, by all that it is made of, and not looked at again."""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

SOURCE, BUILD = sys.argv[1:]
FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
VERSION, SKIPPED, AT_A_TIME = "14", 77, 20


def is_here():
    try:
        told = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return re.search(rf"version {VERSION}\.", told) is not None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def closure(path, seen):
    """The file and all of ours that it includes, one through another."""
    if path not in seen and os.path.exists(path):
        seen.add(path)
        for name in re.findall(r'^#include "([^"]+)"', read(path), re.M):
            for folder in (os.path.dirname(path), os.path.join(SOURCE, "proto"), SOURCE, BUILD):
                closure(os.path.join(folder, name), seen)
    return seen


def sources():
    """The product's files, by what a result depends on."""
    found = {}
    profile = read(os.path.join(SOURCE, ".clang-tidy"))
    for entry in json.loads(read(os.path.join(BUILD, "compile_commands.json"))):
        path = entry["file"]
        if os.path.relpath(path, SOURCE).startswith(FOLDERS):
            texts = [profile, entry["command"], *map(read, sorted(closure(path, set())))]
            found[hashlib.sha256("\0".join(texts).encode()).hexdigest()] = path
    return found


def check(paths):
    return subprocess.run(["clang-tidy", "--quiet", "-p", BUILD, "--checks=-clang-analyzer-*", *paths],
                          capture_output=True, text=True, check=False)


def main():
    if not is_here():
        print(f"clang-tidy {VERSION} is not here")
        sys.exit(SKIPPED)
    known, memory = sources(), os.path.join(BUILD, "tidy.passed")
    passed = set(read(memory).split()) if os.path.exists(memory) else set()
    keys = sorted(known.keys() - passed, key=known.get)
    groups = [keys[i:i + AT_A_TIME] for i in range(0, len(keys), AT_A_TIME)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda group: check([known[key] for key in group]), groups))
    failed = len(known) < 300
    for group, answer in zip(groups, answers):
        good = answer.returncode == 0 and not answer.stdout
        failed = failed or not good
        passed.update(group if good else [])
        print(answer.stdout or (answer.stderr if not good else ""), end="")
    with open(memory, "w", encoding="utf-8") as file:
        file.write("\n".join(sorted(passed & known.keys())))
    print(f"{len(known)} files, {len(keys)} of them looked at")
    sys.exit(1 if failed else 0)


main()
