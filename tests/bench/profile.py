#!/usr/bin/env python3
"""Where the time of one work goes: system calls for each piece of it, and the functions in which processors are busy.

profile.py BUILD message|bulk|file|put [COUNT]

The work runs twice: under strace, which counts, and under perf, which samples with call graphs. Both programs must be there.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD, WORK = sys.argv[1:3]
COUNTS = {"message": 300, "bulk": 10_000, "file": 50, "put": 50}
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else COUNTS[WORK]
SHOWN = 14
os.environ["TANDEM_BIN"] = os.path.join(os.path.realpath(BUILD), "bin")
os.environ["TMPDIR"] = tempfile.gettempdir() if "TMPDIR" in os.environ else "/var/tmp"
sys.path.insert(0, os.path.join(TOP, "tests", "scenario"))

import works  # noqa: E402
from control import Installation, until  # noqa: E402
from limits import MB  # noqa: E402
from nodes import Pair  # noqa: E402


def message(pair, _):
    line = works.own_line(pair)
    line.several(5, "warm")
    return lambda: line.several(COUNT, "message")


def bulk(pair, turn):
    if turn == 0:
        works.know_trees(pair)
    return lambda: works.cross(pair, COUNT, f"bulk {turn}")


def new_file(pair, turn):
    path = os.path.join(pair.t.top, f"big {turn}")
    with open(path, "wb") as out:
        for _ in range(COUNT):
            out.write(os.urandom(MB))
    return path


def put(pair, turn):
    path = new_file(pair, turn)
    return lambda: pair.ok("--node", "sparse", "blob", "put", path)


def file(pair, turn):
    digest, line = pair.ok("--node", "sparse", "blob", "put", new_file(pair, turn))["hash"], works.own_line(pair)

    def across():
        attachment = {"hash": digest, "name": "big", "type": "application/octet-stream"}
        pair.t.call("chat.send", node="sparse", to=pair.archive, text=f"big {turn}", attachments=[attachment])
        line.until(f"big {turn}")
        until(lambda: works.has_file(pair.t, "archive", digest), "the file is there")
    return across


def watched(command, work):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: tracing(command, process.pid), f"{command[0]} watches")
    took, _ = works.ms(work)
    process.send_signal(signal.SIGINT)
    process.wait()
    return took


def tracing(command, pid):
    """strace is attached once the kernel says so; perf once it has opened its file of samples."""
    if command[0] == "perf":
        return os.path.exists(command[command.index("-o") + 1])
    target = command[command.index("-p") + 1]
    with open(f"/proc/{target}/status", encoding="ascii") as status:
        return int(re.search(r"TracerPid:\s+(\d+)", status.read())[1]) == pid


def count_calls(folder, name, pid, work):
    out = os.path.join(folder, name)
    took = watched(["strace", "-f", "-c", "-o", out, "-p", str(pid)], work)
    calls = {}
    with open(out, encoding="utf-8") as lines:
        for line in lines:
            found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if found and found[2] != "total":
                calls[found[2]] = int(found[1])
    top = sorted(calls.items(), key=lambda item: -item[1])[:SHOWN]
    print(f"{name}: {sum(calls.values()) / COUNT:.1f} calls each ({took / COUNT:.2f} ms each under strace): "
          + ", ".join(f"{call} {number / COUNT:.2f}" for call, number in top), flush=True)


def sample(folder, pids, work):
    data = os.path.join(folder, "perf.data")
    took = watched(["perf", "record", "-F", "999", "--call-graph", "dwarf,16384", "-o", data, "-p",
                    ",".join(map(str, pids.values()))], work)
    print(f"{took / COUNT:.3f} ms each under perf")
    for program, pid in pids.items():
        for children, title in (("--no-children", "by itself"), ("--children", "with what it calls")):
            shown = subprocess.run(["perf", "report", "-i", data, "--pid", str(pid), children, "--stdio", "-g", "none", "--sort",
                                    "dso,symbol"], capture_output=True, text=True, check=True).stdout
            found = re.findall(r"^\s*([\d.]+)%(?:\s+[\d.]+%)?\s+(\S+)\s+\[.\] (\S+)", shown, re.M)
            ours = [f"{symbol} {percent}" for percent, dso, symbol in found
                    if children == "--no-children" or dso.startswith("tandem-")]
            print(f"{program}, percent of all samples, {title}: " + ", ".join(ours[:2 * SHOWN]))


def main():
    installation, prepare = Installation(), globals()[WORK]
    with tempfile.TemporaryDirectory() as folder:
        try:
            pair = Pair(installation)
            pids = {"supervisor": installation.process.pid, **works.node_pids(installation)}
            for turn, (name, pid) in enumerate(pids.items()):
                count_calls(folder, name, pid, prepare(pair, turn))
            sample(folder, pids, prepare(pair, len(pids)))
            installation.stop()
        finally:
            installation.clean()


main()
