"""Four installations that know each other, at work for a long time by every face people use, while three of them are
killed, frozen, restarted, run out of disk, are copied and restored. A model knows what must be where: nothing is lost,
doubled, out of order or wrongly shown, the stores are sound, and memory, descriptors and disk do not grow beyond what
the messages need. The fourth is left alone: what it holds tells whether something grows that a restart would hide.

run.py [--minutes N] [--seed N] [--keep DIR]: an hour unless told otherwise, but every deed once. TANDEM_BIN names the
folder of the programs; what is there when something is wrong goes to DIR.
"""
import argparse
import collections
import os
import random
import sys
import tempfile
import time

sys.path[1:1] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario")]

from checks import Checks, check_growth, measure  # noqa: E402
from control import until  # noqa: E402
from crew import gather  # noqa: E402
from disk import can_mount  # noqa: E402
from mishaps import Mishaps  # noqa: E402
from model import Model  # noqa: E402
from work import Work  # noqa: E402

BETWEEN = 6  # things said between two deeds at first
COMMON = 900  # of 1000 deeds


class Soak:
    def __init__(self, seed, has_disks):
        self.random = random.Random(seed)
        self.model = Model()
        self.crew, group = gather(self.model, has_disks)
        self.work = Work(self.random, self.model, self.crew, group)
        self.checks = Checks(self.random, self.model, self.crew, group)
        mishaps = Mishaps(self.random, self.model, self.crew, self.work, self.checks.settle)
        self.weights = {
            self.work.delete: 25, self.work.rename_group: 3, self.work.rename_contact: 5, self.work.mark_read: 10,
            self.work.search: 10, self.work.look: 30, mishaps.kill_node: 5, mishaps.kill_both_nodes: 2,
            mishaps.freeze_node: 3, mishaps.restart_node: 3, mishaps.stop_and_start: 1, mishaps.kill_supervisor: 1,
            mishaps.kill_installation: 2, mishaps.go_away: 2, mishaps.backup: 2, mishaps.restore: 1}
        if has_disks:
            self.weights[mishaps.fill_disk] = 4
        self.weights[self.work.say] = COMMON
        self.first = [deed for deed in self.weights if deed != self.work.say]
        self.random.shuffle(self.first)
        self.first = [deed for rare in self.first for deed in (*[self.work.say] * BETWEEN, rare)]
        self.deeds, self.journal = collections.Counter(), []

    def step(self):
        deed = self.first.pop(0) if self.first else self.random.choices(*zip(*self.weights.items()))[0]
        self.deeds[deed.__name__] += 1
        if deed != self.work.say:
            self.journal.append(f"{time.time():.3f} {self.model.at} {deed.__name__}")
        deed()

    def tell(self, began, now):
        print(f"{(time.monotonic() - began) / 60:.1f} min: {self.work.sent} sent, refused {dict(self.work.refused)}, "
              f"{dict(self.deeds)}, {now}", flush=True)

    def spend(self, minutes):
        """What it held after a third, and at the end."""
        began = told = time.monotonic()
        early = messages = files = None
        while self.first or time.monotonic() < began + 60 * minutes:
            self.step()
            if early is None and time.monotonic() >= began + 20 * minutes:
                early, messages, files = measure(self.crew), self.work.sent, self.work.sent_bytes
            if time.monotonic() >= told + 60:
                told = time.monotonic()
                self.tell(began, measure(self.crew))
        self.checks.settle()
        late = until(lambda: measure(self.crew), "all run")
        self.checks.check_states()
        self.checks.check_unread()
        self.checks.check_soundness()
        self.tell(began, late)
        if early:
            print(f"from {early} on, with {self.work.sent - messages} messages", flush=True)
            check_growth(early, late, self.work.sent - messages, self.work.sent_bytes - files)

    def keep(self, folder):
        for member in self.crew.values():
            member.keep(folder)
        with open(os.path.join(folder, "deeds"), "w") as file:
            file.write("\n".join(self.journal) + "\n")
        print(f"what was there is in {folder}", flush=True)

    def end(self):
        for member in self.crew.values():
            member.end()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options.add_argument("--keep")
    asked = options.parse_args()
    print(f"seed {asked.seed}, {asked.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        has_disks = can_mount(folder)
    if not has_disks:
        print("nothing can be mounted here: full disks are not tried", flush=True)
    soak = Soak(asked.seed, has_disks)
    try:
        soak.spend(asked.minutes)
        print("nothing was lost, doubled, out of order or wrongly shown", flush=True)
    except BaseException:
        print(*soak.journal[-10:], f"this was seed {asked.seed}", sep="\n", flush=True)
        if asked.keep:
            soak.keep(asked.keep)
        raise
    finally:
        soak.end()


main()
