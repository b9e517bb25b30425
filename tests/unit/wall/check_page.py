"""The part of docs/security.md between the marks is what the table of rights says.  check_page.py GENERATOR PAGE [--write]"""
import subprocess
import sys

BEGIN = "<!-- Made from proto/wall/rights.c and calls.c: tests/unit/wall/check_page.py build/tests/rights_page docs/security.md --write -->\n"
END = "<!-- end of what is made from proto/wall -->\n"

generator, path = sys.argv[1:3]
table = "\n" + subprocess.run([generator], capture_output=True, text=True, check=True).stdout + "\n"
with open(path, encoding="utf-8") as file:
    head, begin, rest = file.read().partition(BEGIN)
shown, end, tail = rest.partition(END)
if not begin or not end:
    sys.exit(f"{path} lacks the marks of the table of rights")
if "--write" in sys.argv:
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + begin + table + end + tail)
elif shown != table:
    sys.exit(f"{path} differs from the table of rights; see the mark in it")
