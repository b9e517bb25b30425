#!/usr/bin/env python3
"""Every C file of the product is as the profile of clang-tidy (.clang-tidy) wants it.

tidy.py SOURCE BUILD [--analyzer [FOLDER …]]

Its versions differ in checks, so only the one the tree is written with is asked. All checks but the analyzer's take a
tenth of a second for a file. With --analyzer it is the analyzer that runs, which follows paths and takes seconds for a
file: for all of them, or those in the folders named. It is given one file at a time, since it takes every va_list of a
second one for uninitialized. What passed is remembered in the build folder, by all that it is made of, and not looked
at again."""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

SOURCE, BUILD, REST = *map(os.path.abspath, sys.argv[1:3]), sys.argv[3:]
ANALYZER, FOLDERS = REST[:1] == ["--analyzer"], ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
FOLDERS = tuple(REST[1:]) or FOLDERS
VERSION, SKIPPED, AT_A_TIME = "14", 77, 1 if ANALYZER else 20
KNOWN = os.path.join(SOURCE, "tests", "house", "analyzer.h")  # what the analyzer has to know of other files


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
    profile = read(os.path.join(SOURCE, ".clang-tidy")) + (read(KNOWN) if ANALYZER else "")
    for entry in json.loads(read(os.path.join(BUILD, "compile_commands.json"))):
        path = entry["file"]
        if os.path.relpath(path, SOURCE).startswith(FOLDERS):
            texts = [profile, entry["command"], *map(read, sorted(closure(path, set())))]
            found[hashlib.sha256("\0".join(texts).encode()).hexdigest()] = path
    return found


def check(paths):
    how = ["--checks=-clang-analyzer-*"]
    if ANALYZER:
        profile = read(os.path.join(SOURCE, ".clang-tidy"))
        left_out = re.findall(r"-clang-analyzer-[\w.]+", profile.split("\nChecks:", 1)[1].split("\nWarnings", 1)[0])
        how = ["--checks=" + ",".join(["-*", "clang-analyzer-*", *left_out]), "--extra-arg=-include",
               f"--extra-arg={KNOWN}"]
    return subprocess.run(["clang-tidy", "--quiet", "-p", BUILD, *how, *paths],
                          capture_output=True, text=True, check=False)


def main():
    if not is_here():
        print(f"clang-tidy {VERSION} is not here")
        sys.exit(SKIPPED)
    known, memory = sources(), os.path.join(BUILD, "analyzer.passed" if ANALYZER else "tidy.passed")
    passed = set(read(memory).split()) if os.path.exists(memory) else set()
    keys = sorted(known.keys() - passed, key=known.get)
    groups = [keys[i:i + AT_A_TIME] for i in range(0, len(keys), AT_A_TIME)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda group: check([known[key] for key in group]), groups))
    failed = len(known) < (1 if REST[1:] else 300)
    for group, answer in zip(groups, answers):
        good = answer.returncode == 0 and not answer.stdout
        failed = failed or not good
        passed.update(group if good else [])
        print(answer.stdout or (answer.stderr if not good else ""), end="")
    with open(memory, "w", encoding="utf-8") as file:
        file.write("\n".join(sorted(passed if REST[1:] else passed & known.keys())))
    print(f"{len(known)} files, {len(keys)} of them looked at")
    sys.exit(1 if failed else 0)


main()
