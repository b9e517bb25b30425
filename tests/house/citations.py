#!/usr/bin/env python3
"""Every document that is cited is in the repository, and every section of the specification that is cited exists.

citations.py TOP"""
import os
import re
import sys

TOP = sys.argv[1]
FOLDERS = ("archive-node", "deploy", "docs", "ipc", "proto", "sparse-node", "supervisor", "tests")
KINDS = (".c", ".h", ".py", ".mjs", ".sh", ".md", ".txt", ".in")
DOCUMENT = re.compile(r"\b([A-Z][A-Z-]+\.md)\b")
# "WIRE.md 5.4, 6.2 – 6.4", with or without what a sentence puts before the first number; a number is no list item.
SECTIONS = re.compile(r"\b(WIRE|DATA-MODEL|MODELS)(?:\.md)? (?:§|section )?"
                      r"(\d+(?:\.\d+)*(?:(?:, | – | and |–)(?:§)?\d+(?:\.\d+)+)*)")
HEADING = re.compile(r"^#+ (\d+(?:\.\d+)*)\.?[ :]", re.M)


def files():
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(TOP, folder)):
            yield from (os.path.join(path, name) for name in names if name.endswith(KINDS))
    yield from (os.path.join(TOP, name) for name in os.listdir(TOP) if name.endswith(".md"))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Specification:
    def __init__(self, name):
        text = read(os.path.join(TOP, "docs", "spec", name + ".md"))
        places = [(heading.group(1), heading.start()) for heading in HEADING.finditer(text)]
        ends = [start for _, start in places[1:]] + [len(text)]
        self.sections = {number: text[start:end] for (number, start), end in zip(places, ends)}

    def has(self, number):
        """A section, or an item of a numbered list or table in one: 13.13 is the 13th of section 13."""
        section, _, item = number.rpartition(".")
        return number in self.sections or re.search(rf"(?m)^(?:\| *)?{item}(?:\.| *\|)", self.sections.get(section, ""))


def main():
    known = {name: Specification(name) for name in ("WIRE", "DATA-MODEL", "MODELS")}
    documents = {os.path.basename(path) for path in files() if path.endswith(".md")}
    faults, cited = [], 0
    for path in files():
        text = read(path)
        place = os.path.relpath(path, TOP)
        for name in DOCUMENT.findall(text):
            if name not in documents:
                faults.append(f"{place}: there is no {name}")
        for name, numbers in SECTIONS.findall(text):
            for number in re.findall(r"\d+(?:\.\d+)*", numbers):
                cited += 1
                if not known[name].has(number):
                    faults.append(f"{place}: {name}.md has no section {number}")
    print(f"{cited} citations")
    for fault in sorted(set(faults)):
        print(fault)
    sys.exit(1 if faults or cited < 200 else 0)


main()
