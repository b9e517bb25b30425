"""The reference part of docs/ipc.md is what the tables say.  check_docs.py GENERATOR DOCS [--write]"""
import subprocess
import sys

MARK = "<!-- What follows is made from the tables of ipc/: tests/unit/ipc/check_docs.py GENERATOR docs/ipc.md --write -->\n"

generator, path = sys.argv[1:3]
reference = subprocess.run([generator], capture_output=True, text=True, check=True).stdout
with open(path, encoding="utf-8") as file:
    head, mark, rest = file.read().partition(MARK)
if "--write" in sys.argv:
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + MARK + "\n" + reference)
elif not mark or rest.lstrip("\n") != reference:
    sys.exit(f"{path} differs from the tables; see the mark in it")
