"""Three tandem nodes of two installations come to the same, whatever the order of edits, grants, revokes, messages and
absences (TANDEM_SEED and TANDEM_STEPS repeat one, TANDEM_RUNS makes more of them)."""
import json
import os
import random

from control import Installation, main, until
from converging import OFTEN, Node, play, with_recipe
from nodes import Pair, connected

STEPS = int(os.environ.get("TANDEM_STEPS", "60"))
RUNS = int(os.environ.get("TANDEM_RUNS", "1"))


def test_three_nodes_come_to_the_same(t):
    second = Installation()
    for one in (t, second):
        one.environment.update(OFTEN)
    try:
        joe, ann = with_recipe(Pair(t)), with_recipe(Pair(second, user="ann"))
        ann.ok("--node", "archive", "pair", json.dumps(joe.ok("invite")))
        until(lambda: connected(joe, "archive", ann.archive), "they are connected")
        own = [Node(joe, "archive"), Node(joe, "sparse")]
        for _ in range(RUNS):
            seed = int(os.environ.get("TANDEM_SEED", random.SystemRandom().randrange(1 << 32)))
            history = play(seed, own, [Node(ann, "archive", "ann")], STEPS)
            print(f"     seed {seed}: {len(history.docs)} documents, {sum(map(len, history.said.values()))} messages, "
                  f"{len(history.deeds)} deeds", flush=True)
        second.stop()
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
