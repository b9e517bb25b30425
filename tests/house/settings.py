#!/usr/bin/env python3
"""Every setting of the table is in the manual and in the example, with its default, and nothing else is.

settings.py TOP"""
import configparser
import os
import re
import sys

TOP = sys.argv[1]
ROW = re.compile(r'^    \{"([a-z]+)\.([a-z_]+)", \w+, [^,]+, [^,]+, (?:true|false), "([^"]*)"', re.M)


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def manual():
    found, section = {}, None
    for line in read("docs", "man", "tandem.conf.5.scd").splitlines():
        heading = re.fullmatch(r"# \[(\w+)\]", line)
        if heading or line.startswith("# "):
            section = heading and heading.group(1)
        elif section and line.startswith("*"):
            name = line.split("*")[1].replace("\\", "")
            default = re.search(r"default \*(.*)\*\)$", line)
            found[section, name] = default.group(1).replace("\\", "") if default else ""
    return found


def example():
    parser = configparser.ConfigParser(inline_comment_prefixes=";", comment_prefixes=";", strict=True)
    parser.read_string(read("deploy", "tandem.conf.example"))
    return {(section, key): value for section in parser.sections() for key, value in parser[section].items()}


def main():
    table = {(section, name): default for section, name, default in ROW.findall(read("supervisor", "config.c"))}
    faults = [f"{what}: [{section}] {name}: {found.get((section, name))!r} instead of {table.get((section, name))!r}"
              for what, found in (("docs/man/tandem.conf.5.scd", manual()), ("deploy/tandem.conf.example", example()))
              for section, name in sorted(table.keys() | found.keys())
              if found.get((section, name)) != table.get((section, name))]
    print(f"{len(table)} settings")
    print("\n".join(faults))
    sys.exit(1 if faults or len(table) < 20 else 0)


main()
