"""Groups of several installations: everybody sees everything of all, in one order, also of strangers; who is away,
removed or added sees what is for them."""
import json

from control import SECRET, Installation, main, until
from nodes import Pair

NAMES = ("joe", "ann", "bob", "eve")


class Crowd:
    """Four installations. Joe is everybody's contact; ann, bob and eve do not know each other."""

    def __init__(self, first):
        self.installations = [first] + [Installation() for _ in NAMES[1:]]
        self.pairs = {name: Pair(t, user=name) for name, t in zip(NAMES, self.installations)}
        for name in NAMES[1:]:
            self.meet("joe", name)

    def meet(self, one, other):
        self.cli(other, "pair", json.dumps(self.cli(one, "invite")))

    def cli(self, name, *words):
        return self.pairs[name].ok("--node", "archive", *words)

    def person(self, name):
        return self.pairs[name].archive

    def call(self, who, method, node="archive", **params):
        return self.pairs[who].t.call(method, node=node, **params)

    def read(self, name, topic, node="archive"):
        """[text, author's name, verification] of all messages; nothing as long as the topic is not there."""
        status, found = self.pairs[name].cli("--node", node, "topic", "read", topic, "--limit", "1000")
        names = {self.person(n): n for n in NAMES}
        return [(m["text"], names.get(m["author"]), m["verification"]) for m in found] if status == 0 else []

    def texts(self, name, topic, node="archive"):
        return [text for text, _, _ in self.read(name, topic, node)]

    def back(self, name):
        self.pairs[name].t.up("--listen", "localhost:0")
        self.pairs[name].ok("provision", stdin=SECRET + "\n")

    def comes(self, name, topic):
        until(lambda: self.pairs[name].cli("--node", "archive", "topic", "members", topic)[0] == 0, f"{topic} is at {name}'s")

    def say(self, name, topic, text):
        self.cli(name, "topic", "send", topic, text)

    def agree(self, names, topic, wanted, node="archive"):
        """All of them end with the same list, which holds exactly what is wanted."""
        def equal():
            lists = [self.read(name, topic, node) for name in names]
            return lists if sorted(t for t, _, _ in lists[0]) == sorted(wanted) and all(l == lists[0] for l in lists) \
                else None
        try:
            [first, *_] = until(equal, f"{names} agree on {topic}")
        except AssertionError:
            raise AssertionError({name: self.read(name, topic, node) for name in names}) from None
        assert all(verification == "verified" for _, _, verification in first), first
        return first

    def end(self):
        for t in self.installations:
            t.stop()
        for t in self.installations[1:]:
            t.clean()


def members_hear_each_other_whoever_is_away_comes_or_goes(c):
    topic = c.cli("joe", "topic", "create", "--name", "trio", "--with", c.person("ann"), "--with",
                  c.person("bob"))["topicId"]
    assert topic.startswith("trio-") and len(topic) == len("trio-") + 10
    for name in ("ann", "bob"):
        c.comes(name, "trio")
    roles = {m["personId"]: m["role"] for m in c.cli("bob", "topic", "members", topic[:8])}
    assert roles == {c.person("joe"): "owner", c.person("ann"): "writer", c.person("bob"): "writer"}, roles
    for name in ("joe", "ann", "bob"):
        c.say(name, "trio", f"hello from {name}")
    everybody = ["joe", "ann", "bob"]
    said = [f"hello from {name}" for name in everybody]
    c.agree(everybody, "trio", said)
    c.agree(everybody, "trio", said, node="sparse")  # the own other nodes see it all, too

    c.pairs["ann"].ok("topic", "send", "trio", "from ann's screen")  # by way of her archive
    said += ["from ann's screen"]
    assert c.agree(everybody, "trio", said)[-1][1] == "ann"
    made = c.pairs["joe"].ok("topic", "create", "--name", "At once", "--with", c.person("ann"))
    c.pairs["joe"].ok("topic", "send", made["topicId"], "first")
    c.agree(["joe", "ann"], "At once", ["first"])
    c.pairs["joe"].ok("topic", "rename", "At once", "Later")
    c.comes("ann", "Later")

    unread = lambda node: next(t["unread"] for t in c.call("bob", "topic.list", node=node)["items"] if t["name"] == "trio")
    assert unread("archive") == 3, unread("archive")
    c.pairs["bob"].ok("topic", "read-up-to", "trio")  # on the sparse node
    until(lambda: unread("archive") == 0, "the archive knows what was read")
    hits = c.pairs["bob"].ok("chat", "search", "HELLO FROM")
    assert sorted(h["text"] for h in hits) == sorted(f"hello from {n}" for n in everybody), hits
    assert all(h["name"] == "trio" for h in hits), hits

    c.pairs["ann"].t.stop()  # away
    c.say("joe", "trio", "ann is away")
    c.say("bob", "trio", "so she is")
    c.cli("joe", "topic", "add", "trio", c.person("eve"))
    c.comes("eve", "trio")
    c.say("eve", "trio", "here I am")
    said += ["ann is away", "so she is", "here I am"]
    c.agree(["joe", "bob"], "trio", said)
    assert c.texts("eve", "trio") == ["here I am"], "who joins sees what was said before"
    c.back("ann")
    c.agree(["joe", "ann", "bob"], "trio", said)

    c.cli("joe", "topic", "remove", "trio", c.person("bob"))
    until(lambda: len(c.cli("ann", "topic", "members", "trio")) == 3 and len(c.cli("bob", "topic", "members", "trio")) == 3,
          "ann and bob know that bob is out")
    c.pairs["bob"].fails("REFUSED", 4, "--node", "archive", "topic", "send", "trio", "let me in")
    c.say("ann", "trio", "without bob")
    said += ["without bob"]
    c.agree(["joe", "ann"], "trio", said)
    until(lambda: c.texts("eve", "trio") == ["here I am", "without bob"], "eve hears ann")
    assert "without bob" not in c.texts("bob", "trio")

    c.cli("joe", "topic", "add", "trio", c.person("ann"), "--role", "reader")
    until(lambda: {"personId": c.person("ann"), "role": "reader"} in c.cli("ann", "topic", "members", "trio"), "she reads")
    c.pairs["ann"].fails("REFUSED", 4, "--node", "archive", "topic", "send", "trio", "may I?")
    refusal = c.pairs["eve"].fails("REFUSED", 4, "--node", "archive", "topic", "rename", "trio", "mine")
    assert "only its owners change the name" in refusal["message"], refusal
    c.cli("joe", "topic", "rename", "trio", "Vier 🙂")
    c.comes("eve", "Vier 🙂")
    assert c.cli("joe", "topic", "leave", "Vier 🙂")["newOwner"] == c.person("eve")
    until(lambda: {"personId": c.person("eve"), "role": "owner"} in c.cli("eve", "topic", "members", "Vier 🙂"),
          "somebody else owns it")


def a_group_with_history_goes_on_without_its_creator(c):
    c.cli("ann", "group", "create", "friends", "--person", c.person("joe"))
    topic = c.cli("ann", "topic", "create", "--name", "日本語", "--group", "friends", "--history")["topicId"]
    c.comes("joe", "日本語")
    c.say("ann", "日本語", "one")
    c.say("joe", "日本語", "two")
    c.agree(["ann", "joe"], "日本語", ["one", "two"])
    c.cli("ann", "topic", "add", "日本語", c.person("joe"), "--role", "owner")
    until(lambda: {"personId": c.person("joe"), "role": "owner"} in c.cli("joe", "topic", "members", topic), "an owner")
    c.pairs["ann"].t.stop()  # for good
    c.cli("joe", "topic", "add", "日本語", c.person("bob"), c.person("eve"))
    c.agree(["joe", "bob", "eve"], "日本語", ["one", "two"])
    c.say("eve", "日本語", "three")
    c.say("bob", "日本語", "four")
    c.agree(["joe", "bob", "eve"], "日本語", ["one", "two", "three", "four"])


def topics_of_one_name_or_id_are_two(c):
    first = c.cli("joe", "topic", "create", "--name", "Family", "--with", c.person("ann"), "--with", c.person("bob"))
    second = c.cli("joe", "topic", "create", "--name", "Family", "--with", c.person("ann"), "--with", c.person("eve"))
    assert first["topicId"] != second["topicId"]
    until(lambda: [t["name"] for t in c.call("ann", "topic.list")["items"]].count("Family") == 2, "both are at ann's")
    error = c.pairs["ann"].fails("AMBIGUOUS-ID", 4, "--node", "archive", "topic", "send", "Family", "which?")
    assert first["topicId"] in error["message"] and second["topicId"] in error["message"]
    c.say("ann", first["topicId"], "to bob")
    c.say("ann", second["channel"], "to eve")
    c.agree(["joe", "ann", "bob"], first["topicId"], ["to bob"])
    c.agree(["joe", "ann", "eve"], second["topicId"], ["to eve"])
    # Ann knows bob too; he claims an id at hers that joe uses later.
    c.meet("bob", "ann")
    c.cli("bob", "topic", "create", "--id", "lama", "--name", "claimed", "--with", c.person("ann"))
    until(lambda: "claimed" in [t["name"] for t in c.call("ann", "topic.list")["items"]], "bob's is there")
    c.say("ann", "claimed", "for bob")
    c.cli("joe", "topic", "create", "--id", "lama", "--name", "ours", "--with", c.person("ann"))
    until(lambda: "ours" in [t["name"] for t in c.call("ann", "topic.list")["items"]], "joe's is there")
    c.say("ann", "ours", "for joe")
    c.say("joe", "ours", "from joe")
    c.agree(["joe", "ann"], "ours", ["for joe", "from joe"])
    c.agree(["bob", "ann"], "claimed", ["for bob"])


def what_is_said_to_everyone_is_passed_on_by_nobody(c):
    c.cli("ann", "topic", "create", "--everyone")
    c.say("ann", "EveryoneTopic", "ann to everyone")
    until(lambda: c.texts("joe", "EveryoneTopic") == ["ann to everyone"], "joe hears ann")
    c.cli("joe", "chat", "send", "--to", c.person("bob"), "later")
    until(lambda: "later" in [m["text"] for m in c.cli("bob", "chat", "list", "--with", c.person("joe"))], "bob hears joe")
    assert c.texts("bob", "EveryoneTopic") == [], "somebody else is told what ann said"
    c.say("joe", "EveryoneTopic", "joe to everyone")
    until(lambda: c.texts("bob", "EveryoneTopic") == ["joe to everyone"], "bob hears joe only")
    until(lambda: c.texts("ann", "EveryoneTopic") == ["ann to everyone", "joe to everyone"], "ann hears both")


def test_groups_of_four_installations(t):
    """One crowd for all parts; the last one leaves ann away."""
    crowd = Crowd(t)
    try:
        for part in (what_is_said_to_everyone_is_passed_on_by_nobody, topics_of_one_name_or_id_are_two,
                     members_hear_each_other_whoever_is_away_comes_or_goes,
                     a_group_with_history_goes_on_without_its_creator):
            part(crowd)
            print(f"     {part.__name__}", flush=True)
    finally:
        crowd.end()


if __name__ == "__main__":
    main(globals())
