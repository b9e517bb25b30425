"""What has to hold once everything had time to come: for each reader, and for all of them together."""
import hashlib
import os
import time

from control import RpcError, until
from crew import CALM, GROUP, NODES
from nodes import read

SETTLES_S = 420  # for everything to come to everybody; what a feed left over is looked for every five minutes
FILES = 5  # that are read at each node at a time
UNREAD_OF = 100  # the newest are counted
GROWTH = {"kB": 1.3, "descriptors": 1.3}  # from the first third to the end, beside what is allowed for anything
SPARE = {"kB": 60 << 10, "descriptors": 80}
CALM_SPARE = {"kB": 20 << 10, "descriptors": 20}
DISK_PER_MESSAGE = 100 << 10  # of all eight stores together, beside the files that were sent
DISK_SPARE = 128 << 20


def until_s(seconds, condition, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            raise AssertionError("never happened: " + what())
        time.sleep(0.2)


def held_by_others(model, member):
    """The texts of all its conversations that the archives of the others show."""
    texts = set()
    for conversation in model.of(member.name):
        for reader in conversation.readers:
            if reader.member is not member and reader.node == "archive":
                texts |= {m["text"] for m in until(lambda: answer(reader) is not None and [answer(reader)], str(reader))[0]}
    return texts


def answer(reader):
    """What it shows; None while it does not answer."""
    try:
        return reader.read()
    except (OSError, RpcError):
        return None


class Settled:
    """Looks until nothing is amiss any more in a conversation."""

    def __init__(self, conversation):
        self.conversation, self.left, self.lists = conversation, list(conversation.readers), {}
        self.found = {}

    def look(self):
        self.found = {}
        for reader in self.conversation.readers:
            shown = answer(reader)
            if shown is None:
                self.found[str(reader)] = ["no answer"]
                continue
            wrong = self.conversation.wrong(reader, shown)
            assert not wrong, (str(reader), wrong[:5])
            self.lists[reader] = shown
            amiss = self.conversation.amiss(reader, shown)
            if amiss:
                self.found[str(reader)] = amiss[:5]
        return not self.found and self.agree()

    def agree(self):
        """Nothing of what nobody deleted is at some readers only, or in another order."""
        orders = {str(reader): self.conversation.common(shown) for reader, shown in self.lists.items()}
        first = next(iter(orders.values()))
        self.found = {reader: difference(first, order) for reader, order in orders.items() if order != first}
        return not self.found


def difference(one, other):
    at = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    return ["another order", at, one[at:at + 3], other[at:at + 3]]


class Checks:
    def __init__(self, random, model, crew, group):
        self.random, self.model, self.crew, self.group = random, model, crew, group

    def settle(self):
        for conversation in self.model.conversations.values():
            settled = Settled(conversation)
            until_s(SETTLES_S, settled.look, lambda: f"{conversation.key} settles: {settled.found}")
            self.check_files(settled.lists)
        until_s(SETTLES_S, lambda: not self.wrong_names(), lambda: f"names: {self.wrong_names()}")
        for member in self.crew.values():
            for topic in member.call("topic.list")["items"]:
                assert 0 <= topic["unread"] <= UNREAD_OF, (member.name, topic)

    def check_files(self, lists):
        for reader, shown in lists.items():
            files = [a for m in shown for a in m["attachments"]]
            if reader.node is None:
                continue
            for file in self.random.sample(files, min(FILES, len(files))):
                path = os.path.join(reader.member.backups.top, "got")
                until_s(SETTLES_S, lambda: reader.member.cli(reader.node, "blob", "get", file["hash"], "-o", path)[0] == 0,
                        lambda: f"{file} at {reader}")
                data = read(path)
                os.remove(path)
                assert (len(data), hashlib.sha256(data).hexdigest()) == (file["size"], file["hash"]), (str(reader), file)

    def wrong_names(self):
        found, group = [], set()
        for name, member in self.crew.items():
            for node in NODES:
                names = {c["personId"]: c["localName"] for c in member.call("contacts.list", node)["items"]}
                found += [(name, node, other, names.get(self.crew[other].persons["archive"]), value.may_be())
                          for (whose, other), value in self.model.names.items() if whose == name and other != GROUP
                          and names.get(self.crew[other].persons["archive"]) not in value.may_be()]
                group |= {t["name"] for t in member.call("topic.list", node)["items"] if t["topicId"] == self.group}
        if len(group) != 1 or not group <= self.model.names["joe", GROUP].may_be():
            found.append(("group", group, self.model.names["joe", GROUP].may_be()))
        return found

    # --- at the end ---

    def unread(self, member, node):
        return {t["with"] or t["topicId"]: t["unread"] for t in member.call("topic.list", node)["items"]
                if not t["with"] or t["with"] not in member.persons.values()}

    def check_states(self):
        """Whoever begins anew finds that everything was delivered."""
        for conversation in self.model.conversations.values():
            conversation.states = ("delivered",)
        for member in self.crew.values():
            member.t.stop()
            member.start()
        self.settle()

    def check_unread(self):
        """Whoever has read everything has nothing unread; what is said to the group then is unread by all others."""
        for name, member in self.crew.items():
            for chat in self.unread(member, None):
                member.pair.ok("topic", "read-up-to", chat)
            for node in (None, *NODES):
                until(lambda: set(self.unread(member, node).values()) == {0},
                      f"{name} has read everything at {node}")
        joe, *others = self.crew.values()
        joe.pair.ok("topic", "send", self.group, "the end")
        for member in (joe, *others):
            until(lambda: {chat for chat, unread in self.unread(member, None).items() if unread == 1} ==
                  (set() if member is joe else {self.group}), f"{member.name} sees what is unread")

    def check_soundness(self):
        for name, member in self.crew.items():
            status, found = member.cli(None, "verify")
            assert status == 0, (name, found)
            until_s(SETTLES_S, lambda: not self.complaints(member), lambda: f"{name}'s doctor: {self.complaints(member)}")

    @staticmethod
    def complaints(member):
        status, found = member.cli(None, "doctor")
        return [c for c in found["checks"] if not c["ok"]] or ([] if status == 0 else [found])


def measure(crew):
    """Of all members together, and of the calm one; None while a node is being started."""
    each = {name: member.measure() for name, member in crew.items()}
    if None in each.values():
        return None
    return {"all": {what: sum(now[what] for now in each.values()) for what in each[CALM]}, CALM: each[CALM]}


def check_growth(early, late, messages, files):
    for who, spare in (("all", SPARE), (CALM, CALM_SPARE)):
        for what, factor in GROWTH.items():
            if what == "kB" and os.environ.get("TANDEM_SANITIZE"):
                continue  # what was freed is kept there
            assert late[who][what] <= early[who][what] * factor + spare[what], (who, what, early, late)
    grown = late["all"]["disk"] - early["all"]["disk"]
    assert grown <= messages * DISK_PER_MESSAGE + 8 * files + DISK_SPARE, (grown, messages, files)
