"""What must be where: who said what in which conversation, who deleted it, and what a restore may have taken away."""
import collections
import heapq
import itertools

PAGE = 500


class Message:
    def __init__(self, at, text, author, persons, attached):
        self.at, self.text, self.author, self.persons, self.attached = at, text, author, persons, attached
        self.id = None  # once it was acknowledged
        self.gone = {}  # by member who deleted it: when, and whether that was acknowledged
        self.optional = set()  # members that a restore may have taken it from

    def must_be_at(self, name):
        return self.id is not None and name not in self.gone and name not in self.optional

    def may_be_at(self, name):
        return not self.gone.get(name, (0, False))[1]


class Value:
    """Something that is set again and again: what it may be now, and what it may have been."""

    def __init__(self, value):
        self.states = [(0, {value})]  # since when

    def tried(self, at, value, acknowledged):
        self.states.append((at, {value} if acknowledged else self.may_be() | {value}))

    def restored(self, at, since):
        """It is what it was at that time, or became later."""
        then = max(i for i, (begins, _) in enumerate(self.states) if begins <= since)
        self.states.append((at, set().union(*(values for _, values in self.states[then:]))))

    def may_be(self):
        return self.states[-1][1]


class Reader:
    """One list of a conversation as a member sees it at a node, or, without one, by the face of the installation."""

    def __init__(self, member, node, *parts):
        self.member, self.node, self.parts = member, node, parts

    def __str__(self):
        return f"{self.member.name}'s {self.node or 'face'} by {self.parts}"

    def ours(self):
        persons = self.member.persons
        return {persons[self.node]} if self.node else set(persons.values())

    def page(self, method, chat, **more):
        return self.member.call(method, self.node, **chat, **more)["items"]

    def all_of(self, method, chat):
        pages, before = [], {}
        while True:
            page = self.page(method, chat, limit=PAGE, **before)
            pages.insert(0, page)
            if len(page) < PAGE:
                return list(itertools.chain(*pages))
            before = {"before": page[0]["id"]}

    def read(self):
        return list(heapq.merge(*(self.all_of(*part) for part in self.parts), key=lambda m: m["timestamp"]))

    def newest(self, count):
        part = self.parts[-1]
        return self.page(*part, limit=count)


class Conversation:
    def __init__(self, key, members, readers):
        self.key, self.members, self.readers = key, members, readers
        # Who has a message by way of another member, or since before a restore, is seen to have it when the writer's
        # node begins anew, as at the end.
        self.states = ("delivered", "archived", "sent")
        self.messages = {}  # by text

    def wrong(self, reader, shown):
        """What must never be seen, not even for a moment."""
        found = [f"doubled: {text}" for text, n in collections.Counter(m["text"] for m in shown).items() if n > 1]
        latest = {}
        for m in shown:
            known = self.messages.get(m["text"])
            if known is None:
                found.append(f"never said: {m}")
                continue
            signed = m["author"] in known.persons and m["verification"] == "verified"
            if m["sender"] not in known.persons or not (signed or m.get("state") == "pending"):  # signed when it is posted
                found.append(f"of another: {m}")
            if known.id and m["id"] != known.id:
                found.append(f"another id than {known.id}: {m}")
            if [(a["size"], a["hash"]) for a in m["attachments"]] != known.attached:
                found.append(f"other files than {known.attached}: {m}")
            if known.id and latest.get(known.author, known).at > known.at:
                found.append(f"misordered: {m['text']} behind {latest[known.author].text}")
            latest[known.author] = known if known.id else latest.get(known.author, known)
        return found

    def amiss(self, reader, shown):
        """What must not last."""
        name, texts = reader.member.name, {m["text"] for m in shown}
        found = [f"missing: {m.text}" for m in self.messages.values() if m.must_be_at(name) and m.text not in texts]
        found += [f"deleted: {text}" for text in texts if not self.messages[text].may_be_at(name)]
        for m in shown:
            if m["author"] in reader.ours() and m.get("state") not in self.states:
                found.append(f"{m.get('state')}: {m['text']} {m.get('why')}")
        return found

    def common(self, shown):
        """The order of what nobody deleted: the same wherever one looks."""
        return [m["text"] for m in shown if not self.messages[m["text"]].gone]


class Model:
    def __init__(self):
        self.at = 0  # counts everything that is done
        self.conversations = {}
        self.names = {}  # by member and whose name: a Value

    def now(self):
        self.at += 1
        return self.at

    def add(self, conversation):
        self.conversations[conversation.key] = conversation

    def of(self, name):
        return [c for c in self.conversations.values() if name in c.members]

    def restored(self, name, since, held):
        """A member is as it was then; held are the texts that others showed when it went."""
        at = self.now()
        for conversation in self.of(name):
            for m in conversation.messages.values():
                if name in m.gone and m.gone[name][0] >= since:
                    m.gone[name] = (m.gone[name][0], False)
                if m.at >= since and m.text not in held:
                    m.optional |= set(conversation.members) if m.author.startswith(name) else {name}
        for (whose, _), value in self.names.items():
            if whose == name:
                value.restored(at, since)
