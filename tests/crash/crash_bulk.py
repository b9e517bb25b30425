"""Either node of two installations is killed at random instants while hundreds of messages are under way between them and
between own nodes: both sides come to the same, and everything that was acknowledged is there, once.

TANDEM_KILLS=N: so many kills (20 in a run of all tests, 200 by hand); TANDEM_SEED repeats a run.
"""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import BIN, Installation, RpcError, main, until  # noqa: E402
from converging import OFTEN  # noqa: E402
from nodes import Pair, connected  # noqa: E402

KILLS = int(os.environ.get("TANDEM_KILLS", "20"))
LINES = 60  # of one burst
PAGE = 500


class Talk:
    """One direction of a conversation; what was acknowledged."""

    def __init__(self, pair, node, other, mark):
        self.pair, self.node, self.other, self.mark = pair, node, other, mark
        self.number, self.acknowledged = 0, []

    def burst(self):
        """Writes LINES messages; the command prints a line for each that is stored."""
        texts = [f"{self.mark} {self.number + i}" for i in range(LINES)]
        self.number += LINES
        command = [os.path.join(BIN, "tandem"), "--json", "--node", self.node, "--timeout", "20", "chat", "send", "--to",
                   self.other, "--stdin"]
        done = subprocess.run(command, env=self.pair.t.environment, input="".join(t + "\n" for t in texts), text=True,
                              capture_output=True)
        self.acknowledged += [json.loads(line)["id"] for line in done.stdout.splitlines() if '"id"' in line]

    def heard(self, pair, node, other):
        """Pairs of text and id, oldest first."""
        heard, before = [], {}
        while True:
            try:
                page = pair.t.call("chat.list", node=node, limit=PAGE, **{"with": other}, **before)["items"]
            except RpcError:
                return None
            heard = [(m["text"], m["id"]) for m in page] + heard
            if len(page) < PAGE:
                return heard
            before = {"before": page[0]["id"]}


def kill_one(chance, pairs):
    pair, node = chance.choice(pairs), chance.choice(("archive", "sparse"))
    pid = pair.t.call("status")[node].get("pid")
    if pid:
        os.kill(pid, signal.SIGKILL)


def killed_in(chance, pairs, talks, longest):
    """Bursts in all directions, and one death at some instant of it."""
    writers = [threading.Thread(target=talk.burst) for talk in talks]
    for writer in writers:
        writer.start()
    time.sleep(chance.random() * longest)  # the instant is what is tried, nothing is awaited by it
    kill_one(chance, pairs)
    for writer in writers:
        writer.join()


def check(talk, lists):
    """All lists are equal and hold what was acknowledged, each once."""
    def equal():
        found = [one() for one in lists]
        if any(f is None for f in found) or any(sorted(f) != sorted(found[0]) for f in found):
            return None
        return found[0] if set(talk.acknowledged) <= {one for _, one in found[0]} else None
    heard = until(equal, f"{talk.mark}: {len(talk.acknowledged)} are everywhere")
    texts = [text for text, _ in heard]
    assert len(texts) == len(set(texts)), talk.mark
    ours = [t for t in texts if t.startswith(talk.mark)]
    numbers = [int(t.split()[-1]) for t in ours]
    wrong = [(a, b) for a, b in zip(numbers, numbers[1:]) if a > b]
    assert not wrong, (talk.mark, wrong)
    return len(ours)


def test_nodes_are_killed_while_much_is_under_way(t):
    seed = int(os.environ.get("TANDEM_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"     seed {seed}", flush=True)
    chance, second = random.Random(seed), Installation()
    try:
        for one in (t, second):
            one.environment.update(OFTEN)
        joe, ann = Pair(t), Pair(second, user="ann")
        ann.ok("--node", "archive", "pair", json.dumps(joe.ok("invite")))
        until(lambda: connected(joe, "archive", ann.archive), "they are connected")
        own = Talk(joe, "sparse", joe.archive, "own")
        out, back = Talk(joe, "archive", ann.archive, "out"), Talk(ann, "archive", joe.archive, "back")
        begun = time.monotonic()
        out.burst()
        longest = 2 * (time.monotonic() - begun)
        for _ in range(KILLS):
            killed_in(chance, (joe, ann), (own, out, back), longest)
        found = check(own, [lambda: own.heard(joe, "sparse", joe.archive), lambda: own.heard(joe, "archive", joe.sparse)])
        lists = [lambda: out.heard(joe, "archive", ann.archive), lambda: out.heard(ann, "archive", joe.archive)]
        found += check(out, lists) + check(back, lists)
        print(f"     {KILLS} kills within {longest:.1f} s of a burst, {found} messages of "
              f"{sum(len(x.acknowledged) for x in (own, out, back))} acknowledged", flush=True)
        assert second.stop() == 0
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
