#!/usr/bin/env python3
"""The table of tests/bench/run.sh: what tandem takes for each work, beside what this machine can do at best in the same run.

table.py BUILD [--smoke | --full] [--only WORK]... [--json FILE] [--doc FILE]

BUILD holds the programs in bin/. --only: start, messages, contacts, burst, apart, bulk, many, idle, file, relay.
--json keeps the figures, --doc writes the table into that document between its two marks. Times under load say little;
ratios of one run say more, so the load is stated, too.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARKS = ("<!-- The table, made by tests/bench/run.sh --doc -->\n", "<!-- Its end -->\n")
SIZES = {
    "smoke": {"starts": 1, "messages": 5, "burst": 20, "apart": 40, "bulk": 200, "many": 400, "changes": 3, "friends": 1,
              "idleS": 2, "fileMB": 2},
    "usual": {"starts": 5, "messages": 200, "burst": 1000, "apart": 2000, "bulk": 10_000, "many": 20_000, "changes": 10,
              "friends": 10, "idleS": 60, "fileMB": 100},
    "full": {"starts": 7, "messages": 500, "burst": 1000, "apart": 100_000, "bulk": 10_000, "many": 1_000_000, "changes": 10,
             "friends": 10, "idleS": 300, "fileMB": 1000},
}
OBJECTS_PER_MESSAGE = 7


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("--smoke", dest="size", action="store_const", const="smoke", default="usual")
    parser.add_argument("--full", dest="size", action="store_const", const="full")
    parser.add_argument("--only", action="append")
    parser.add_argument("--json")
    parser.add_argument("--doc")
    return parser.parse_args()


ARGUMENTS = arguments()
SIZE = SIZES[ARGUMENTS.size]
BIN = os.path.join(os.path.realpath(ARGUMENTS.build), "bin")
os.environ["TANDEM_BIN"] = BIN
# On a disk, not in memory as scenarios do: durability is part of what is measured.
os.environ["TMPDIR"] = FOLDER = tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("TMPDIR", "/var/tmp"))
sys.path.insert(0, os.path.join(TOP, "tests", "scenario"))

import limits  # noqa: E402
import peers  # noqa: E402
import works  # noqa: E402
from control import Installation  # noqa: E402
from nodes import Friend, Pair  # noqa: E402

ROWS = []


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def row(work, now, unit, goal, met, limit=None, of=""):
    """now and goal are shown; met: whether it reaches the goal; limit: what the machine takes for the same, of what kind."""
    ratio = now / limit if limit else None
    ROWS.append({"work": work, "now": now, "unit": unit, "limit": limit, "limitOf": of, "ratio": ratio, "goal": goal,
                 "met": bool(met)})
    print("  ".join(cells(ROWS[-1])), flush=True)


def beside(work, now, unit):
    """Another program's figure for the row above; None: it is not here."""
    ROWS.append({"work": work, "now": now, "unit": unit, "limit": None, "limitOf": "", "ratio": None, "goal": "", "met": None})
    print("  ".join(cells(ROWS[-1])), flush=True)


def cells(r):
    now = "not present" if r["now"] is None else f"{number(r['now'])} {r['unit']}"
    limit = f"{number(r['limit'])} {r['unit']} ({r['limitOf']})" if r["limit"] else ""
    ratio = f"{r['ratio']:.2f}" if r["ratio"] else ""
    met = {True: "yes", False: "no", None: ""}[r["met"]]
    return [r["work"], now, limit, ratio, r["goal"], met]


# --- The works, in the order of the goals ---


def message_rows(name, line, mark):
    """Its limit is measured before and after it: the load of a machine changes."""
    floor = limits.message_floor(FOLDER, SIZE["messages"] // 2)
    got = works.messages(line, SIZE["messages"], mark)
    floor = [(a + b) / 2 for a, b in zip(floor, limits.message_floor(FOLDER, SIZE["messages"] // 2))]
    row(f"{name}, p50", got["p50"], "ms", "≤ 2.5 × the limit", got["p50"] <= 2.5 * floor[0], floor[0],
        "fsync + send + fsync")
    row(f"{name}, p99", got["p99"], "ms", "≤ 3 × the limit's p99", got["p99"] <= 3 * floor[1], floor[1], "its p99")
    row(f"{name}, on the wire", got["bytes"] / 1000, "KB", "≤ 4 KB", got["bytes"] <= 4000)


def work_start(_pair, _limit):
    got = works.start(SIZE)
    row("start: up", got["upMs"], "ms", "≤ 14 ms", got["upMs"] <= 14)
    row("start: provision", got["provisionMs"], "ms", "≤ 147 ms", got["provisionMs"] <= 147)
    row("start: memory of a node (PSS)", got["pssMB"], "MB", "≤ 4 MB", got["pssMB"] <= 4)


def work_messages(pair, _limit):
    line = works.own_line(pair)
    message_rows("one message, own nodes", line, "first")
    line.close()


def work_contacts(pair, _limit):
    friend = Friend(pair, "archive", "ann")
    try:
        line = works.Line(pair.t, "archive", friend.t, "archive", friend.person, pair.archive)
        message_rows("one message, contacts", line, "hello")
        line.close()
    finally:
        friend.end()


def work_burst(pair, limit):
    line = works.own_line(pair)
    count = SIZE["burst"]
    stored = count * OBJECTS_PER_MESSAGE / limit["storeObjectsPerS"] * 1000
    took = works.burst_at_once(line, count, "at once")
    row(f"{count:,} messages in a burst, over the socket", took, "ms", "≤ 2 × the limit", took <= 2 * stored, stored,
        f"one store takes their {count * OBJECTS_PER_MESSAGE:,} objects")
    took = works.burst(line, count, "burst")
    row("  by chat send --stdin", took, "ms", "≤ 2 × the limit", took <= 2 * stored, stored, "the same")
    pair.burst_ms = took / count
    message_rows(f"one message, after {2 * count:,} others", line, "later")
    line.close()


def work_apart(pair, _limit):
    line = works.own_line(pair)
    if not hasattr(pair, "burst_ms"):
        pair.burst_ms = works.burst(line, SIZE["burst"], "burst") / SIZE["burst"]
    took, count = works.apart(pair, line, SIZE["apart"]), SIZE["apart"]
    alone = pair.burst_ms * count
    row(f"{count:,} messages written apart, then together", took, "ms", "≤ 1.5 × as many in a burst", took <= 1.5 * alone,
        alone, "as many in a burst")
    line.close()


def work_bulk(pair, limit):
    works.know_trees(pair)
    took, count = works.bulk(pair, SIZE["bulk"]), SIZE["bulk"]
    nats = peers.nats(FOLDER, count)
    row(f"{count:,} × 300 B below one root", took, "ms", "≤ NATS", nats is not None and took <= nats,
        limit["recordsMs"] * count / 10_000, "TCP into a file, fsync")
    beside("  NATS JetStream, a mirror", nats, "ms")
    beside("  Yjs, one document", peers.yjs(FOLDER, count), "ms")


def work_many(pair, _limit):
    works.know_trees(pair)
    took, count = works.bulk(pair, SIZE["many"]) / 1000, SIZE["many"]
    row(f"{count:,} objects", took, "s", "≤ 60 s per 1,000,000", took <= 60 * count / 1e6)
    most = max(works.pss(pair.t).values())
    row("  memory of a node afterwards (PSS)", most, "MB", "≤ 64 MB", most <= 64)
    ms, crossed = works.reconnect(pair, SIZE["changes"])
    row(f"  reconnect, {SIZE['changes']} changes among them", ms, "ms", "≤ 20 ms", ms <= 20)
    row("  on the wire", crossed / 1000, "KB", "≤ 64 KB", crossed <= 64_000)


def work_idle(pair, _limit):
    friends = SIZE["friends"]
    got = works.idle(pair, friends, SIZE["idleS"])
    row(f"idle with {friends} contacts: on the wire, each", got["kBperMinute"], "KB/min", "≤ 5", got["kBperMinute"] <= 5)
    row("  processor, of all three processes", got["percent"], "%", "≤ 0.1 %", got["percent"] <= 0.1)
    row("  wake-ups of the busiest process", got["wakeUpsPerS"], "/s", "≤ 2", got["wakeUpsPerS"] <= 2)


def work_file(pair, limit):
    got = works.file(pair, SIZE["fileMB"])
    into, seal = min(limit["sha256MBps"], limit["diskMBps"]), limit["secretboxMBps"]
    row(f"file of {SIZE['fileMB']} MB into the store", got["put"], "MB/s", "≥ 0.5 of the limit", got["put"] >= 0.5 * into, into,
        "the slower of SHA-256 and disk")
    row("  across", got["cross"], "MB/s", "≥ 0.4 of the limit", got["cross"] >= 0.4 * seal, seal, "secretbox")


def work_relay(_pair, _limit):
    got = works.relay(BIN, ARGUMENTS.size == "smoke")
    row(f"relay, {got['registered']:,.0f} registered: processor", got["percent"], "%", "≤ 1 %", got["percent"] <= 1)
    row("  round trip", got["roundTripMs"], "ms", "≤ 0.5 ms", got["roundTripMs"] <= 0.5)


# One without, one with a conversation of its own, as the works would be in each other's way.
WORKS = [("start",), ("messages", "burst", "apart"), ("contacts",), ("bulk",), ("many",), ("idle",), ("file",), ("relay",)]


def run(names):
    for group in WORKS:
        wanted = [name for name in group if not names or name in names]
        if not wanted:
            continue
        installation = Installation()
        try:
            pair = None if wanted[0] in ("start", "relay") else Pair(installation)
            for name in wanted:
                globals()["work_" + name](pair, LIMITS)
            installation.stop()
        finally:
            installation.clean()


# --- What becomes of it ---


def about():
    git = lambda *words: subprocess.run(["git", "-C", TOP, *words], capture_output=True, text=True).stdout.strip()
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "?")
    return {"commit": git("describe", "--always", "--dirty", "--abbrev=12"), "size": ARGUMENTS.size, "processor": model,
            "cores": os.cpu_count()}


def markdown(result):
    lines = [f"Commit {result['commit']}, {result['cores']} cores ({result['processor']}), load {result['loadBefore']:.1f} at the "
             f"beginning and {result['loadAfter']:.1f} at the end, {result['seconds']:.0f} s.", "",
             "The machine in this run: " + ", ".join(f"{name} {number(value)}" for name, value in LIMITS.items()) + ".", "",
             "| work | now | limit in this run | ratio | goal | met |", "|---|---|---|---|---|---|"]
    return "\n".join(lines + ["| " + " | ".join(cells(r)) + " |" for r in ROWS]) + "\n"


def write_document(path, text):
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(MARKS[0])
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + MARKS[0] + "\n" + text + "\n" + MARKS[1] + rest.split(MARKS[1])[1])


def main():
    global LIMITS
    began, load = time.monotonic(), os.getloadavg()[0]
    LIMITS = limits.measure(FOLDER, os.path.join(BIN, "bench_store"), ARGUMENTS.size == "smoke")
    run(ARGUMENTS.only)
    result = {**about(), "loadBefore": load, "loadAfter": os.getloadavg()[0], "seconds": time.monotonic() - began,
              "limits": LIMITS, "rows": ROWS}
    print("\n" + markdown(result))
    if ARGUMENTS.json:
        with open(ARGUMENTS.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1, ensure_ascii=False)
    if ARGUMENTS.doc:
        write_document(ARGUMENTS.doc, markdown(result))


try:
    main()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
