"""Every test, file and command that docs/features.md names exists, and every requirement stands there once:
features.py SOURCE-DIR TANDEM"""
import pathlib
import re
import subprocess
import sys

source, tandem = pathlib.Path(sys.argv[1]), sys.argv[2]
texts = {}
for path in source.glob("tests/**/*"):
    if path.suffix in (".py", ".c"):
        texts.setdefault(path.stem, []).append(path.read_text())
commands = subprocess.run([tandem, "--help"], capture_output=True, text=True, check=True).stdout


def has_test(name):
    file, case = name.split(".")
    return any(re.search(rf"\b(def|void) {case}\(", text) for text in texts.get(file, []))


REQUIREMENTS = {"A": 39, "B": 60, "C": 74, "D": 103, "E": 102}  # of the user's documents: A01 to A39, …


def requirements_of(row):
    """Those that a row is about, with what its ranges stand for."""
    first = row.split("|")[1]
    found = [(letter, int(n)) for letter, n in re.findall(r"\b([A-E])(\d{2,3})\b", first)]
    for letter, begin, end in re.findall(r"\b([A-E])(\d{2,3}) – [A-E](\d{2,3})", first):
        found += [(letter, n) for n in range(int(begin) + 1, int(end))]
    return found


missing = []
rows = [row for row in (source / "docs/features.md").read_text().splitlines() if row.startswith("|")]
named = [requirement for row in rows for requirement in requirements_of(row)]
for letter, count in REQUIREMENTS.items():
    for n in range(1, count + 1):
        times = named.count((letter, n))
        if times != 1:
            missing.append(f"{letter}{n:02d} stands there {times} times")
for number, line in enumerate((source / "docs/features.md").read_text().splitlines(), 1):
    if not line.startswith("|"):
        continue
    columns = line.split("|")
    for name in re.findall(r"`([a-z_0-9]+\.[a-z_0-9]+)`", columns[3]):
        if not has_test(name):
            missing.append(f"line {number}: there is no test {name}")
    for path in re.findall(r"`([a-z-]+/[a-z_/.-]+)`", line):
        if not (source / path).exists():
            missing.append(f"line {number}: there is no file {path}")
    for command in re.findall(r"`([a-z]+ [a-z]+)(?: -[^`]*)?`", columns[2]):
        if not any(re.search(rf"^  {words}  ", commands, re.M) for words in (command, command.split()[0])):
            missing.append(f"line {number}: there is no command {command}")
print("\n".join(missing))
sys.exit(1 if missing else 0)
