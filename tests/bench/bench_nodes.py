#!/usr/bin/env python3
"""Measures two real nodes on one machine and prints a table: time to start, to provision, to chat, memory, a big file.

bench_nodes.py [--smoke]    TANDEM_BIN names the folder of the programs (default: build/bin). Release builds only; with
--smoke everything is small and only shows that the benchmark works.
"""
import hashlib
import json
import os
import select
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("TANDEM_BIN", os.path.join(TOP, "build", "bin"))
sys.path.insert(0, os.path.join(TOP, "tests", "scenario"))

from control import SECRET, Installation  # noqa: E402
from nodes import Pair  # noqa: E402

SMOKE = "--smoke" in sys.argv
ROUNDS = 1 if SMOKE else 7
MESSAGES = 3 if SMOKE else 50
BACKLOG = 20 if SMOKE else 1000
FILE_MB = 2 if SMOKE else 100
MB = 1_000_000
KIB = 1024


def row(what, value, unit, target=""):
    print(f"{what:<52} {value:>12} {unit:<10} {target}", flush=True)


def timed(function):
    began = time.monotonic()
    result = function()
    return (time.monotonic() - began) * 1000, result


def summary(values):
    return f"{min(values):.0f} / {statistics.median(values):.0f} / {max(values):.0f}"


def memory_mb(pid, file, field):
    with open(f"/proc/{pid}/{file}") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) * KIB / MB


def node_pids(installation):
    status = installation.call("status")
    return {node: status[node]["pid"] for node in ("archive", "sparse")}


def received(installation, node):
    return installation.call("stats", node=node)["objectsReceived"]


# --- start and provisioning ---


def measure_start():
    ups, provisions = [], []
    for _ in range(ROUNDS):
        t = Installation()
        try:
            up, _ = timed(lambda: t.up("--listen", "localhost:0"))
            memory = {node: memory_mb(pid, "smaps_rollup", "Pss") for node, pid in node_pids(t).items()}
            provision, _ = timed(lambda: t.cli("provision", "--user", "joe", stdin=SECRET + "\n"))
            later = {node: memory_mb(pid, "smaps_rollup", "Pss") for node, pid in node_pids(t).items()}
            ups.append(up)
            provisions.append(provision)
            t.stop()
        finally:
            t.clean()
    row("up, until both nodes answer", summary(ups), "ms", "<= 100 ms")
    row("provision, until CHUM runs both ways", summary(provisions), "ms", "<= 1,000 ms")
    for node in memory:
        row(f"PSS of the {node} node after start", f"{memory[node]:.1f}", "MB", "<= 12 MB")
    for node in later:
        row(f"PSS of the {node} node after provisioning", f"{later[node]:.1f}", "MB")


# --- chat ---


class Follow:
    """A running `chat follow`."""

    def __init__(self, pair, node):
        arguments = ["--json", "--node", node, "chat", "follow", "--with", pair.other(node)]
        self.process = subprocess.Popen([os.path.join(os.environ["TANDEM_BIN"], "tandem"), *arguments],
                                        env=pair.t.environment, stdout=subprocess.PIPE, text=True)

        self.node, self.pair = node, pair

    def shows_something(self, patience_s=0.3):
        return select.select([self.process.stdout], [], [], patience_s)[0]

    def warm_up(self):
        """It shows only what arrives after it began: send until it shows something."""
        number = 0
        while not self.shows_something():
            number += 1
            self.pair.send(self.sender(), f"warm {number}")
        self.until(f"warm {number}")

    def sender(self):
        return "archive" if self.node == "sparse" else "sparse"

    def until(self, text):
        while json.loads(self.process.stdout.readline())["text"] != text:
            pass

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def measure_chat(pair):
    for receiver in ("archive", "sparse"):
        follow = Follow(pair, receiver)
        follow.warm_up()
        sender, times = follow.sender(), []
        for number in range(MESSAGES):
            began = time.monotonic()
            pair.send(sender, f"{sender} {number}")
            follow.until(f"{sender} {number}")
            times.append((time.monotonic() - began) * 1000)
        follow.close()
        row(f"chat send ({sender}) -> chat follow ({receiver})", summary(times), "ms", "<= 2,000 ms")


def sha256_rate():
    """Objects of 300 bytes hashed in a second: what the exchange is compared with."""
    text, count = b"x" * 300, 20_000
    ms, _ = timed(lambda: [hashlib.sha256(text).digest() for _ in range(count)])
    return count / ms * 1000


def measure_backlog(pair):
    """What piles up while the nodes are apart, and how fast it crosses once they meet again."""
    pair.ok("--node", "archive", "contact", "disable", pair.sparse)
    lines = "".join(f"backlog {number}\n" for number in range(BACKLOG))
    write_ms, (status, _, err) = timed(
        lambda: pair.t.cli("--json", "--node", "sparse", "chat", "send", "--to", pair.archive, "--stdin", stdin=lines))
    assert status == 0, err
    assert pair.texts("archive")[-1:] != [f"backlog {BACKLOG - 1}"], "nothing piled up"
    before = received(pair.t, "archive")
    pair.ok("--node", "archive", "contact", "enable", pair.sparse)
    sync_ms, _ = timed(lambda: pair.arrives("archive", f"backlog {BACKLOG - 1}"))
    objects = received(pair.t, "archive") - before
    row(f"chat send --stdin, {BACKLOG} messages", f"{BACKLOG / write_ms * 1000:.0f}", "messages/s")
    row(f"synchronization of their {objects} objects, with connecting", f"{objects / sync_ms * 1000:.0f}", "objects/s")
    row("  compared with SHA-256 over 300-byte texts", f"{objects / sync_ms * 1000 / sha256_rate() * 100:.2f}", "%")


# --- a big file ---


def measure_file(pair):
    path = os.path.join(pair.t.top, "big")
    with open(path, "wb") as file:
        for _ in range(FILE_MB):
            file.write(os.urandom(MB))
    pids = node_pids(pair.t)
    for pid in pids.values():
        with open(f"/proc/{pid}/clear_refs", "w") as file:
            file.write("5")  # the peak starts anew
    put_ms, put = timed(lambda: pair.ok("--node", "sparse", "blob", "put", path))
    row(f"blob put, {FILE_MB} MB", f"{FILE_MB / put_ms * 1000:.0f}", "MB/s")
    cross_ms, _ = timed(lambda: cross(pair, put["hash"]))
    row("the file crosses to the archive", f"{FILE_MB / cross_ms * 1000:.0f}", "MB/s")
    for node, pid in pids.items():
        row(f"peak resident memory of the {node} node meanwhile", f"{memory_mb(pid, 'status', 'VmHWM'):.1f}", "MB",
            "<= 32 MB")


def cross(pair, digest):
    attachment = {"hash": digest, "name": "big", "type": "application/octet-stream"}
    pair.t.call("chat.send", node="sparse", to=pair.archive, text="big file", attachments=[attachment])
    pair.arrives("archive", "big file")
    assert pair.t.call("blob.read", node="archive", hash=digest, length=1)["size"] == FILE_MB * MB


def main():
    row("what", "min/median/max", "unit", "target")
    measure_start()
    installation = Installation()
    try:
        pair = Pair(installation)
        measure_chat(pair)
        measure_file(pair)
        measure_backlog(pair)
        installation.stop()
    finally:
        installation.clean()


main()
