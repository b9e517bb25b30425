"""The table of budgets in docs/security.md is that of the code.  check_budgets.py PROGRAM DOCS [--write]"""
import re
import subprocess
import sys

program, path = sys.argv[1:3]
table = subprocess.run([program], capture_output=True, text=True, check=True).stdout
with open(path, encoding="utf-8") as file:
    text = file.read()
if "--write" in sys.argv:
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"\| kind \| stranger: (.|\n)*?\n(?=\n)", lambda _: table, text))
elif table not in text:
    sys.exit(f"{path} does not have this table; {sys.argv[0]} with --write puts it there\n{table}")
