"""Runs all cases against live peers, several at a time, and tells what came of them; exit status 1 when one failed.

  live_run.py [--table] [--repeat N] [WORD…]

  WORD…       only cases whose names contain one of the words
  --table     ends with the table for docs/conformance.md
  --repeat N  runs everything N times, until a run fails, and prints a line for each run
"""
import argparse
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import live_answers
import live_browser
import live_converge
import live_crashes
import live_data
import live_deletion
import live_groups
import live_face
import live_network
import live_pairing
import live_peers
import live_refusals
import live_relay
import live_times
from live import NOT_TRIED, PeerEnded, Stage

ROLES = ("browser", "node")
HEADS = {"browser": "peer dials our archive", "node": "our sparse node dials the peer"}
ALONE = live_answers.CASES + live_converge.CASES + live_deletion.CASES + live_groups.CASES + live_pairing.CASES + live_face.CASES + live_peers.CASES + \
    live_network.CASES + live_relay.CASES + live_refusals.CASES + live_crashes.CASES + live_times.CASES
ALONE_AT_ONCE = 8  # cases with their own stage that run at the same time, beside the two stages of live_data: they wait a lot
PRINTING = threading.Lock()


def say(text):
    with PRINTING:
        print(text, flush=True)


def again_if_the_peer_ends(case, argument, restore):
    """The peer's process can end when a connection breaks, or it closes one itself, before its answer to us is sent
    (WIRE.md 13.18). Nothing of ours can prevent that; then the case is tried once more."""
    try:
        return case(argument)
    except PeerEnded:
        restore()
        told = case(argument)
        return ", ".join(filter(None, [told, "second try: the peer's process had ended"]))


class Results:
    def __init__(self, words):
        self.words = words
        self.cells = {}

    def chosen(self, name):
        return not self.words or any(word in name for word in self.words)

    def run(self, role, name, case, argument, report=lambda: "", restore=lambda: None):
        """Runs one case; the cell says how long it took, or what it measured."""
        begun = time.monotonic()
        try:
            told = again_if_the_peer_ends(case, argument, restore)
            cell = told if told and told.startswith(NOT_TRIED) else f"ok ({told})" if told else "ok"
        except Exception:
            cell = "FAILED"
            say(f"{traceback.format_exc()}{report()}")
        self.cells[name, role] = cell
        say(f"{cell:7} {name} [{role}] {time.monotonic() - begun:.1f} s")

    def count(self, word):
        return sum(cell.startswith(word) for cell in self.cells.values())

    def rows(self):
        rows = [(point, name) for point, name, _ in ALONE + live_times.MEASURED]
        rows += [("2", name) for name, _ in live_data.CASES]
        rows += [("5", name) for name, _ in live_browser.CASES]
        return sorted([row for row in rows if self.chosen(row[1])], key=lambda row: row[0])

    def table(self):
        lines = [f"| point | case | {HEADS['browser']} | {HEADS['node']} |", "|---|---|---|---|"]
        for point, name in self.rows():
            cells = [self.cells.get((name, role), NOT_TRIED) for role in ROLES]
            lines.append(f"| {point} | {name} | {cells[0]} | {cells[1]} |")
        return "\n".join(lines)


def run_shared_stage(results, role):
    """The cases of live_data."""
    cases = [(name, case) for name, case in live_data.CASES
             if results.chosen(name) or case is live_data.recipes_are_registered]
    if len(cases) > 1:
        run_in_turn(results, role, cases, Stage, "pairing")


def run_page(results):
    """The cases of live_browser: one browser, for the processors' sake."""
    cases = [(name, case) for name, case in live_browser.CASES if results.chosen(name)]
    lacking = live_browser.what_is_lacking()
    if lacking:
        for name, _ in cases:
            results.run("browser", name, lambda _: f"{NOT_TRIED} not tried: {lacking},", None)
    elif cases:
        run_in_turn(results, "browser", cases, live_browser.PageStage, "page: pairing")


def run_in_turn(results, role, cases, make_stage, pairing):
    """One after the other on one stage."""
    try:
        stage = make_stage(role)
    except Exception:
        say(traceback.format_exc())
        results.cells[f"{pairing}: stage", role] = "FAILED"
        return
    try:
        results.run(role, pairing, lambda s: s.pair_up() and None, stage, stage.report)
        for name, case in cases:
            results.run(role, name, case, stage, stage.report, stage.restart_peer)
    finally:
        stage.clean()


def run_alone(results, cases):
    with ThreadPoolExecutor(ALONE_AT_ONCE) as pool:
        for _, name, case in cases:
            for role in ROLES:
                if results.chosen(name):
                    pool.submit(results.run, role, name, case, role)


def run_all(words):
    """Everything once; at the end what is measured, one after the other."""
    results = Results(words)
    shared = [threading.Thread(target=run_shared_stage, args=(results, role)) for role in ROLES]
    shared.append(threading.Thread(target=run_page, args=(results,)))
    for thread in shared:
        thread.start()
    run_alone(results, reversed(ALONE))  # the last ones take longest
    for thread in shared:
        thread.join()
    for measured in live_times.MEASURED:
        run_alone(results, [measured])
    return results


def run_once(words, table):
    """False if a case failed."""
    begun = time.monotonic()
    results = run_all(words)
    if table:
        print(results.table())
    failed = results.count("FAILED")
    print(f"{results.count('ok')} passed, {failed} failed, {time.monotonic() - begun:.0f} s, "
          f"load {os.getloadavg()[1]:.1f}", flush=True)
    return failed == 0 and results.count("ok") > 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("words", nargs="*")
    options = parser.parse_intermixed_args()
    for i in range(options.repeat):
        well = run_once(options.words, options.table)
        if options.repeat > 1:
            print(f"run {i + 1} of {options.repeat}: {'ok' if well else 'FAILED'}", flush=True)
        if not well:
            sys.exit(1)


if __name__ == "__main__":
    main()
