"""A random history of documents and messages on several nodes, some of which are frozen, killed or away for a while; and
what must hold once all are there again, whatever the order was: everybody who may have a document has the same version
of it, nobody has one that was written after it lost the access, and every message that was acknowledged is in both lists
of its conversation once.
"""
import collections
import json
import os
import random
import signal

from control import RpcError, until
from nodes import dumps, write

RECIPE = {"$type$": "Recipe", "name": "PeerTestDoc", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}},
    {"itemprop": "text", "itemtype": {"type": "string"}},
    {"itemprop": "tags", "optional": True, "itemtype": {"type": "set", "item": {"type": "string"}}},
    {"itemprop": "blob", "optional": True, "itemtype": {"type": "referenceToBlob"}}]}
AWAY = 6  # steps at most


OFTEN = {"TANDEM_RESTART_DEATHS": "64", "TANDEM_RESTART_WINDOW_S": "1", "TANDEM_RESTART_BACKOFF_MAX_MS": "200"}


class Node:
    """One of our nodes."""

    def __init__(self, pair, node, name=None):
        self.pair, self.node, self.name = pair, node, name or node
        self.person = pair.provisioned[node]["personId"]
        self.stopped = None  # its process, while it is frozen
        self.back = 0

    def call(self, method, **params):
        return self.pair.t.call(method, node=self.node, **params)

    def put(self, doc, text):
        return self.call("object.put", object={"$type$": "PeerTestDoc", "id": doc, "text": text})["idHash"]

    def text(self, doc):
        try:
            return self.call("object.current", idHash=doc.id_hash)["object"]["text"]
        except RpcError as error:
            return None if error.code == "SB-READ2" else error.code

    def show(self, doc, other):
        self.call("share.grant", id=doc.id_hash, **{"with": other.person})

    def say(self, other, text):
        self.call("chat.send", to=other.person, text=text)

    def heard(self, other):
        """None as long as it cannot be asked."""
        try:
            return [m["text"] for m in self.call("chat.list", limit=1000, **{"with": other.person})["items"]]
        except RpcError:
            return None

    def pid(self):
        return self.pair.t.call("status")[self.node].get("pid")

    def is_here(self):
        return self.stopped is None

    def leave(self, chance):
        pid, kills = self.pid(), chance.random() < 0.5
        try:
            os.kill(pid, signal.SIGKILL if kills else signal.SIGSTOP)
            self.stopped = None if kills else pid
        except (TypeError, ProcessLookupError):
            pass  # it is being started anew

    def come(self):
        try:
            os.kill(self.stopped, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it was found not to answer, and started anew
        self.stopped = None


class Doc:
    def __init__(self, name, id_hash):
        self.name, self.id_hash = name, id_hash
        self.texts = set()  # written, or perhaps
        self.granted = {}   # by whom of the contacts: may it have it? None: perhaps
        self.barred = collections.defaultdict(set)


class History:
    """own: archive and sparse node; contacts: nodes or peers that the archive has paired with."""

    def __init__(self, seed, own, contacts):
        self.random, self.seed = random.Random(seed), seed
        self.own, self.contacts = own, contacts
        self.everybody = own + contacts
        self.docs, self.count, self.step_number = [], 0, 0
        self.said = collections.defaultdict(list)  # by pair: acknowledged
        self.deeds = []

    def here(self, among):
        return [one for one in among if one.is_here()]

    # ---- Steps ----

    def next_text(self):
        self.count += 1
        return f"{self.count} of {self.seed}"

    def create(self):
        for node in self.random.sample(self.here(self.own), min(1, len(self.here(self.own)))):
            name = f"doc {len(self.docs)} of {self.seed}"
            text = self.next_text()
            try:
                doc = Doc(name, node.put(name, text))
            except RpcError:
                return
            doc.texts.add(text)
            self.docs.append(doc)
            self.deeds.append((node.name, "creates", name))
            if node.name == "archive":
                self.attempt(lambda: node.show(doc, self.own[1]))

    def attempt(self, deed):
        try:
            deed()
            return True
        except (RpcError, RuntimeError):  # of ours, of a peer
            return False

    def edit(self):
        writers = [(doc, node) for doc in self.docs for node in self.here(self.own)]
        writers += [(doc, c) for doc in self.docs for c in self.here(self.contacts) if doc.granted.get(c) is True]
        if not writers:
            return self.create()
        doc, writer = self.random.choice(writers)
        if writer.text(doc) not in doc.texts:
            return None  # it has not come yet
        text = self.next_text()
        doc.texts.add(text)
        for contact, may in doc.granted.items():
            if may is False and writer is not contact:
                doc.barred[contact].add(text)
        self.deeds.append((writer.name, "edits", doc.name, text))
        self.attempt(lambda: writer.put(doc.name, text))
        if writer in self.contacts:
            self.attempt(lambda: writer.show(doc, self.own[0]))
        return None

    def grant(self):
        archive = self.own[0]
        if not self.docs or not archive.is_here() or not self.contacts:
            return
        doc, contact = self.random.choice(self.docs), self.random.choice(self.contacts)
        if archive.text(doc) not in doc.texts:
            return
        give = not doc.granted.get(contact)
        method = "share.grant" if give else "share.revoke"
        if give:
            doc.barred[contact].clear()
        doc.granted[contact] = None  # until it is known
        if self.attempt(lambda: archive.call(method, id=doc.id_hash, **{"with": contact.person})):
            doc.granted[contact] = give
        self.deeds.append((contact.name, "may" if give else "may not", doc.name))

    def talk(self):
        pairs = [(self.own[0], other) for other in self.everybody[1:]]
        one, other = self.random.choice(pairs)
        speaker, listener = self.random.sample((one, other), 2)
        if not speaker.is_here():
            return
        text = self.next_text()
        if self.attempt(lambda: speaker.say(listener, text)):
            self.said[one, other].append(text)
            self.deeds.append((speaker.name, "says to", listener.name, text))

    def disturb(self):
        one = self.random.choice(self.everybody)
        if not one.is_here():
            return
        self.deeds.append((one.name, "leaves"))
        one.leave(self.random)
        one.back = self.step_number + self.random.randint(1, AWAY)

    def step(self):
        self.step_number += 1
        for one in self.everybody:
            if not one.is_here() and one.back <= self.step_number:
                one.come()
                self.deeds.append((one.name, "is back"))
        deeds = (self.create, self.edit, self.grant, self.talk, self.disturb)
        self.random.choices(deeds, (2, 8, 5, 6, 3))[0]()

    # ---- What must hold ----

    def differences(self, doc):
        """Why the document is not yet as it must be."""
        holders = self.own + [c for c in self.contacts if doc.granted.get(c) is True]
        texts = {one.name: one.text(doc) for one in holders}
        if len(set(texts.values())) != 1 or not set(texts.values()) <= doc.texts:
            return texts
        return None

    def judge(self):
        for one in self.everybody:
            if not one.is_here():
                one.come()
        for doc in self.docs:
            until_told(lambda: self.differences(doc) is None, lambda: (doc.name, self.differences(doc)))
            for contact, texts in doc.barred.items():
                if doc.granted.get(contact) is False:
                    assert contact.text(doc) not in texts, (contact.name, doc.name, contact.text(doc))
        for (one, other), texts in self.said.items():
            lists = lambda: (one.heard(other), other.heard(one))
            until_told(lambda: agree(texts, *lists()), lambda: (one.name, other.name, texts, lists()))


def agree(said, ours, theirs):
    """The same in both lists, each once, and nothing missing."""
    if ours is None or theirs is None or sorted(ours) != sorted(theirs) or not set(said) <= set(ours):
        return False
    assert len(ours) == len(set(ours)), ours
    return True


def until_told(condition, what):
    try:
        until(condition, "all are equal")
    except AssertionError:
        raise AssertionError(what()) from None


def with_recipe(pair):
    path = write(os.path.join(pair.t.top, "recipe.json"), dumps(RECIPE).encode())
    pair.ok("--node", "archive", "recipe", "add", path)
    until(lambda: any(r["name"] == RECIPE["name"] for r in pair.ok("--node", "sparse", "recipe", "list")), "the type is known")
    return pair


def play(seed, own, contacts, steps):
    history = History(seed, own, contacts)
    try:
        for _ in range(steps):
            history.step()
        history.judge()
    except AssertionError as why:
        raise AssertionError(f"seed {seed}: {why}\n" + "\n".join(map(json.dumps, history.deeds))) from None
    return history
