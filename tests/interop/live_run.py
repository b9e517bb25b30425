"""Runs all cases against live peers, several at a time, and prints a table of them; exit status 1 when one failed.

  live_run.py [WORD…]    only cases whose names contain one of the words
"""
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import live_data
import live_network
import live_pairing
import live_relay
from live import NOT_TRIED, Stage

ROLES = ("browser", "node")
HEADS = {"browser": "peer dials our archive", "node": "our sparse node dials the peer"}
ALONE_AT_ONCE = 4  # cases with their own stage that run at the same time, beside the two stages of live_data
PRINTING = threading.Lock()


def chosen(name):
    return len(sys.argv) < 2 or any(word in name for word in sys.argv[1:])


def say(text):
    with PRINTING:
        print(text, flush=True)


class Results:
    def __init__(self):
        self.cells = {}

    def run(self, role, name, case, argument, report=lambda: ""):
        """Runs one case; the cell says how long it took, or what it measured."""
        begun = time.monotonic()
        try:
            told = case(argument)
            cell = told if told == NOT_TRIED else "ok" if told is None else f"ok ({told})"
        except Exception:
            cell = "FAILED"
            say(f"{traceback.format_exc()}{report()}")
        self.cells[name, role] = cell
        say(f"{cell:7} {name} [{role}] {time.monotonic() - begun:.1f} s")

    def count(self, word):
        return sum(cell.startswith(word) for cell in self.cells.values())

    def table(self, rows):
        lines = [f"| point | case | {HEADS['browser']} | {HEADS['node']} |", "|---|---|---|---|"]
        for point, name in rows:
            cells = [self.cells.get((name, role), NOT_TRIED) for role in ROLES]
            lines.append(f"| {point} | {name} | {cells[0]} | {cells[1]} |")
        return "\n".join(lines)


def run_shared_stage(results, role):
    """The cases of live_data, one after the other on one stage."""
    cases = [(name, case) for name, case in live_data.CASES if chosen(name) or case is live_data.recipes_are_registered]
    if len(cases) < 2:
        return
    try:
        stage = Stage(role)
    except Exception:
        say(traceback.format_exc())
        results.cells["stage", role] = "FAILED"
        return
    try:
        results.run(role, "pairing", lambda s: s.pair_up() and None, stage, stage.report)
        for name, case in cases:
            results.run(role, name, case, stage, stage.report)
    finally:
        stage.clean()


def main():
    results = Results()
    alone = [row for row in live_pairing.CASES + live_network.CASES + live_relay.CASES if chosen(row[1])]
    begun = time.monotonic()
    shared = [threading.Thread(target=run_shared_stage, args=(results, role)) for role in ROLES]
    for thread in shared:
        thread.start()
    with ThreadPoolExecutor(ALONE_AT_ONCE) as pool:
        for _, name, case in alone:
            for role in ROLES:
                pool.submit(results.run, role, name, case, role)
    for thread in shared:
        thread.join()
    for _, name, case in [row for row in live_network.MEASURED if chosen(row[1])]:
        for role in ROLES:
            results.run(role, name, case, role)
    rows = [row[:2] for row in alone + live_network.MEASURED if chosen(row[1])] + [("2", name) for name, _ in live_data.CASES if chosen(name)]
    print(results.table(sorted(rows, key=lambda row: row[0])))
    failed = results.count("FAILED")
    print(f"{results.count('ok')} passed, {failed} failed, {time.monotonic() - begun:.0f} s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
