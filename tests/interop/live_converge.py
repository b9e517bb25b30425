"""Three nodes of ours and a live peer come to the same, whatever the order of edits, grants, revokes, messages and
absences. TANDEM_SEED and TANDEM_STEPS repeat a history."""
import json
import os
import random
import signal

from control import Installation
from converging import OFTEN, Node, play, with_recipe
from live import NOT_TRIED, until
from live_pairing import on_stage
from nodes import Pair, connected

STEPS = int(os.environ.get("TANDEM_STEPS", "60"))


class LivePeer:
    """What converging.Node is, of a peer."""

    def __init__(self, stage):
        self.stage, self.name, self.person = stage, "peer", stage.theirs
        self.here, self.back = True, 0

    def put(self, doc, text):
        self.stage.peer.ask("doc", "stored", id=doc, text=text, share=self.stage.ours)

    def show(self, doc, other):
        """Done with each version."""

    def text(self, doc):
        try:
            return self.stage.peer.ask("getdoc", "got", id=doc.name)["text"]
        except RuntimeError:
            return None

    def say(self, other, text):
        self.stage.peer.ask("say", "said", other=other.person, text=text)

    def heard(self, other):
        try:
            return self.stage.peer.ask("messages", "messages", other=other.person, last=1000)["texts"]
        except RuntimeError:  # it reads what it is writing
            return None

    def is_here(self):
        return self.here

    def leave(self, chance):
        """It is frozen: a peer that ends between a version node and the head forgets what it was about to take in."""
        self.stage.peer.signal(signal.SIGSTOP)
        self.here = False

    def come(self):
        self.stage.peer.signal(signal.SIGCONT)
        self.here = True


def any_history(role):
    if role == "node":
        return NOT_TRIED

    def play_with(s):
        second = Installation()
        second.environment.update(OFTEN)
        try:
            s.pair_up()
            with_recipe(s.pair)
            ann = with_recipe(Pair(second, user="ann"))
            ann.ok("--node", "archive", "pair", json.dumps(s.pair.ok("invite")))
            until(lambda: connected(s.pair, "archive", ann.archive), "Ann is connected")
            own = [Node(s.pair, "archive"), Node(s.pair, "sparse")]
            seed = int(os.environ.get("TANDEM_SEED", random.SystemRandom().randrange(1 << 32)))
            history = play(seed, own, [Node(ann, "archive", "ann"), LivePeer(s)], STEPS)
            second.stop()
            return f"seed {seed}, {len(history.deeds)} deeds"
        finally:
            second.clean()
    return on_stage(role, play_with, environment=OFTEN)


CASES = [("3", "any history with three of our nodes", any_history)]
