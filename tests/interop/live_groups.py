"""Groups of ours in which live peers take part. They know no statements about members: they list the Topics they are
shown, read every channel of a topic's id, and write into an own one that they show to whom they know."""
from live import NOT_TRIED, Installation, Peer, until
from live_pairing import on_stage
from nodes_groups import Crowd


def said_at(peer, topic):
    """The texts in the peer's list; nothing as long as it does not know the topic."""
    try:
        return [text for text, _ in peer.ask("readtopic", "messages", topic=topic)["list"]]
    except RuntimeError:
        return []


def says(peer, topic, text, other):
    until(lambda: tries(peer, topic, text, other), f"the peer writes into {topic}")


def tries(peer, topic, text, other):
    try:
        return peer.ask("saytopic", "said", topic=topic, text=text, own=True, other=other)
    except RuntimeError:  # the topic is not there yet
        return None


def agree(wanted, *lists):
    def equal():
        found = [one() for one in lists]
        return found if sorted(found[0]) == sorted(wanted) and all(f == found[0] for f in found) else None
    try:
        until(equal, "all lists are equal")
    except AssertionError:
        raise AssertionError([one() for one in lists]) from None


def ours_with_two_peers(role):
    """Archive, sparse node and two peers that do not know each other; one goes, another one comes."""
    if role == "node":
        return NOT_TRIED

    def play(s):
        second = s.beside("second")
        for side in (s, second):
            side.pair_up()
        topic = s.call("topic.create", name="our group", persons=[s.pair.sparse, s.theirs, second.theirs])["topicId"]
        at_ours = lambda node, name=topic: [m["text"] for m in s.t.call("topic.read", node=node, topic=name)["items"]]
        until(lambda: any(t["topicId"] == topic for t in s.t.call("topic.list", node="sparse")["items"]), "it is there")
        s.call("topic.send", topic=topic, text="from the archive")
        s.t.call("topic.send", node="sparse", topic=topic, text="from the sparse node")
        for side in (s, second):
            says(side.peer, topic, f"from {side.peer.name}", s.ours)
        said = ["from the archive", "from the sparse node", f"from {s.peer.name}", "from second"]
        agree(said, lambda: at_ours("archive"), lambda: at_ours("sparse"), lambda: said_at(s.peer, topic),
              lambda: said_at(second.peer, topic))

        s.call("topic.remove", topic=topic, persons=[second.theirs])
        s.call("topic.send", topic=topic, text="without the second")
        said.append("without the second")
        agree(said, lambda: at_ours("archive"), lambda: said_at(s.peer, topic))
        second.talk()
        assert "without the second" not in said_at(second.peer, topic)

        third = s.beside("third")
        third.pair_up()
        s.call("topic.add", topic=topic, persons=[third.theirs])
        s.call("topic.send", topic=topic, text="hello third")
        says(third.peer, topic + "~1", "from third", s.ours)  # a topic of its own for peers
        new = ["hello third", "from third"]
        agree(new, lambda: said_at(third.peer, topic + "~1"), lambda: said_at(s.peer, topic + "~1"))
        agree(said + new, lambda: at_ours("archive"), lambda: at_ours("sparse"))
        assert said_at(third.peer, topic) == [], "who joins sees what was said before"
        assert len([t for t in s.call("topic.list")["items"] if t["name"] == "our group"]) == 1
    return on_stage(role, play)


def four_installations_and_a_peer(role):
    if role == "node":
        return NOT_TRIED
    crowd = Crowd(Installation())
    peer = None
    try:
        peer = Peer("friend", "--outgoing")
        peer.ask("pair", "pairdone", invitation=crowd.call("joe", "pairing.invite"))
        persons = [crowd.person(name) for name in ("ann", "bob", "eve")] + [peer.person]
        until(lambda: peer.person in [c["personId"] for c in crowd.call("joe", "contacts.list")["items"]], "they have paired")
        topic = crowd.call("joe", "topic.create", name="all", persons=persons)["topicId"]
        everybody = ["joe", "ann", "bob", "eve"]
        for name in everybody:
            crowd.comes(name, topic)
            crowd.say(name, topic, f"from {name}")
        says(peer, topic, "from the peer", crowd.person("joe"))
        said = [f"from {name}" for name in everybody] + ["from the peer"]
        lists = [lambda name=name: crowd.texts(name, topic) for name in everybody] + [lambda: said_at(peer, topic)]
        agree(said, *lists)
        crowd.pairs["bob"].t.stop()
        crowd.say("eve", topic, "bob is away")
        says(peer, topic, "he is", crowd.person("joe"))
        said += ["bob is away", "he is"]
        agree(said, lists[0], lists[1], lists[3], lists[4])
        crowd.back("bob")
        agree(said, *lists)
        crowd.cli("joe", "topic", "remove", topic, crowd.person("ann"))
        crowd.say("bob", topic, "ann is out")
        agree(said + ["ann is out"], lists[0], lists[2], lists[3], lists[4])
        assert "ann is out" not in crowd.texts("ann", topic)
    finally:
        crowd.end()
        crowd.installations[0].clean()
        if peer is not None:
            peer.clean()
    return None


CASES = [
    ("3", "a group of ours with two peers", ours_with_two_peers),
    ("3", "a group of four installations and a peer", four_installations_and_a_peer),
]
