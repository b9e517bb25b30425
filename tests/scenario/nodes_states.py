"""How far messages got is true, also when a node has lost its store and was made again."""
import json
import os
import shutil
import signal

from control import SECRET, Installation, main, until
from nodes import Pair
from nodes_events import told
from nodes_face import conversation, find, meet, pid_of, reaches, send, start_again, texts


def lose_and_recreate(pair, node):
    assert pair.t.stop() == 0
    shutil.rmtree(pair.t.path(node))
    pair.t.up("--listen", "localhost:0")
    assert pair.ok("provision", "--recreate", node, stdin=SECRET + "\n")["federated"]


def states(pair, person):
    return [(m["text"], m["state"]) for m in conversation(pair, person)]


def with_two(t, test):
    second = Installation()
    try:
        test(Pair(t), Pair(second, user="ann"))
    finally:
        second.clean()


def test_the_archive_is_lost(t):
    def run(joe, ann):
        meet(joe, ann)
        send(joe, ann.archive, "she has it", "--wait")
        assert ann.t.stop() == 0
        told = joe.fails("TIMEOUT", 5, "--timeout", "1", "chat", "send", "--wait", "--to", ann.archive, "she is away")
        assert "goes on without" in told["message"] and "before you try again" in told["hint"], told
        reaches(joe, ann.archive, "she is away", "archived")
        os.kill(pid_of(joe, "archive"), signal.SIGSTOP)
        send(joe, ann.archive, "nobody has it")
        lose_and_recreate(joe, "archive")
        reaches(joe, ann.archive, "nobody has it", "archived")
        assert states(joe, ann.archive) == [("she has it", "delivered"), ("she is away", "archived"),
                                            ("nobody has it", "archived")]
        start_again(ann)
        until(lambda: texts(ann, joe.archive) == ["she has it", "she is away", "nobody has it"], "Ann has all")
        for text in texts(ann, joe.archive):
            reaches(joe, ann.archive, text)
        at_archive = lambda: [m["state"] for m in joe.ok("--node", "archive", "chat", "list", "--with", ann.archive)]
        until(lambda: at_archive() == ["delivered"] * 3, "the archive knows it again")
    with_two(t, run)


def test_the_sparse_node_is_lost(t):
    def run(joe, ann):
        meet(joe, ann)
        send(joe, ann.archive, "by the archive", "--wait")
        joe.ok("--node", "sparse", "chat", "send", "--to", joe.archive, "to the archive", "--wait")
        joe.ok("--node", "sparse", "pair", "-", stdin=json.dumps(ann.ok("invite")))
        direct = lambda: joe.ok("--node", "sparse", "chat", "list", "--with", ann.archive)
        joe.ok("--node", "sparse", "chat", "send", "--to", ann.archive, "by ourselves", "--wait")
        assert ann.t.stop() == 0
        joe.ok("--node", "archive", "chat", "send", "--to", ann.archive, "she is away")
        joe.ok("--node", "sparse", "chat", "send", "--to", ann.archive, "she is away, too")
        until(lambda: joe.ok("wait", "idle") == {} and find(joe, ann.archive, "she is away"), "both nodes have it")
        lose_and_recreate(joe, "sparse")
        until(lambda: len(states(joe, ann.archive)) == 4, "all is back")
        until(lambda: dict(states(joe, ann.archive))["by the archive"] == "delivered", "the archive has said so")
        told = dict(states(joe, ann.archive))
        assert told["she is away"] == "archived", told
        assert told["she is away, too"] == "archived" == told["by ourselves"], told  # until she has been asked
        assert [m["state"] for m in joe.ok("--node", "sparse", "chat", "list", "--with", joe.archive)] == ["delivered"]
        start_again(ann)
        until(lambda: {state for _, state in states(joe, ann.archive)} == {"delivered"}, "she has all of it")
        until(lambda: [m["state"] for m in direct()] == ["delivered"] * 2, "of ourselves as well")
    with_two(t, run)


def test_what_is_carried_again_is_seen_to_be_there(t):
    """Of an earlier time, a node posts again what the other side has had from it since, and does not fetch again."""
    def run(joe, ann):
        meet(joe, ann)
        send(joe, ann.archive, "before", "--wait")
        os.kill(pid_of(joe, "archive"), signal.SIGSTOP)
        send(joe, ann.archive, "carried twice")
        assert joe.t.stop() == 0
        kept = os.path.join(joe.t.top, "kept")
        shutil.copytree(joe.t.dir, kept)
        start_again(joe)
        reaches(joe, ann.archive, "carried twice")
        for n in range(5):
            send(joe, ann.archive, f"then {n}", "--wait")
        assert ann.t.stop() == 0 and joe.t.stop() == 0
        shutil.rmtree(joe.t.dir)
        shutil.move(kept, joe.t.dir)
        start_again(joe)
        reaches(joe, ann.archive, "carried twice", "archived")
        start_again(ann)
        all_said = ["before", "carried twice", *(f"then {n}" for n in range(5))]
        until(lambda: texts(joe, ann.archive) == all_said, "it is back")
        reaches(joe, ann.archive, "carried twice")
    with_two(t, run)


def test_what_a_removed_member_has_not_got_has_failed(t):
    def run(joe, ann):
        meet(joe, ann)
        topic = joe.ok("topic", "create", "--name", "plans", "--with", ann.archive)["topicId"]
        said = lambda pair: {m["text"]: (m.get("state"), m.get("why")) for m in pair.ok("topic", "read", topic)}
        joe.ok("topic", "send", topic, "she has it")
        until(lambda: said(joe)["she has it"][0] == "delivered", "it is there")
        assert ann.t.stop() == 0
        late = joe.ok("topic", "send", topic, "she is away")["id"]
        until(lambda: said(joe)["she is away"][0] == "archived", "it waits for her")
        joe.ok("topic", "remove", topic, ann.archive)
        told(joe.t, "message.state", id=late, personId=ann.archive, state="failed")
        until(lambda: said(joe)["she is away"][0] == "failed", "it will not come to her")
        assert "no part" in said(joe)["she is away"][1] and said(joe)["she has it"][0] == "delivered", said(joe)
    with_two(t, run)


def test_what_is_for_everyone_is_for_nobody_in_particular(t):
    def run(joe, ann):
        meet(joe, ann)
        topic = joe.ok("topic", "create", "--everyone")["topicId"]
        joe.ok("topic", "send", topic, "hear, hear")
        heard = lambda status, found: status == 0 and [m["text"] for m in found] == ["hear, hear"]
        until(lambda: heard(*ann.cli("topic", "read", topic)), "Ann hears it")
        [message] = joe.ok("topic", "read", topic)
        assert message["state"] in ("sent", "archived") and message["deliveredTo"] == [], message
    with_two(t, run)


if __name__ == "__main__":
    main(globals())
