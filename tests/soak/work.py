"""What people do, by whatever face: say, attach, delete, rename, read, search."""
import collections
import hashlib
import os

from control import RpcError
from crew import GROUP, NAMES, NODES
from model import Message
from nodes import write

TIMEOUT = ("--timeout", "10")
RECENT = 300


class Work:
    def __init__(self, random, model, crew, group):
        self.random, self.model, self.crew, self.group = random, model, crew, group
        self.sent, self.sent_bytes, self.refused = 0, 0, collections.Counter()

    def anyone(self):
        return self.crew[self.random.choice(NAMES)]

    def do(self, member, node, *words):
        """Whether it was acknowledged, and the answer."""
        status, answer = member.cli(node, *TIMEOUT, *words)
        if status != 0:
            self.refused[answer.get("error", {}).get("code")] += 1
        return status == 0, answer

    # --- saying ---

    def say(self, member=None):
        member = member or self.anyone()
        kind = self.random.choice(("own", "contact", "contact", GROUP))
        getattr(self, f"say_{kind}")(member)

    def say_own(self, member):
        node = self.random.choice(NODES)
        words = ("chat", "send", "--to", member.pair.other(node))
        self.send(self.model.conversations[member.name], member, node, words, f"{member.name} {node}",
                  {member.persons[node]})

    def say_contact(self, member):
        other = self.crew[self.random.choice([name for name in NAMES if name != member.name])]
        pair = tuple(sorted((member.name, other.name), key=NAMES.index))
        persons, to, node = {member.persons["archive"]}, other.persons["archive"], self.random.choice((None, "archive"))
        if pair == ("joe", "bob"):  # by either of joe's nodes
            if member.name == "joe":
                persons, node = set(member.persons.values()), self.random.choice((None, *NODES))
            else:
                to = other.persons[self.random.choice(NODES)]
        self.send(self.model.conversations[pair], member, node, ("chat", "send", "--to", to), member.name, persons)

    def say_group(self, member):
        self.send(self.model.conversations[GROUP], member, self.random.choice((None, "archive")),
                  ("topic", "send", self.group), member.name, {member.persons["archive"]})

    def send(self, conversation, member, node, words, author, persons):
        at = self.model.now()
        attach, attached = self.attachment()
        text = f"{author} to {conversation.key} no{at}."
        message = conversation.messages[text] = Message(at, text, author, persons, attached)
        done, answer = self.do(member, node, *words, text, *attach)
        self.sent += 1
        if done:
            message.id = answer["id"]

    def attachment(self):
        if self.random.random() >= 0.05:
            return [], []
        data = self.random.randbytes(self.random.choice((100, 20_000, 500_000)))
        path = write(os.path.join(self.crew[NAMES[-1]].backups.top, "attached"), data)
        self.sent_bytes += len(data)
        return ["--attach", path], [(len(data), hashlib.sha256(data).hexdigest())]

    # --- all else ---

    def some_message(self, member):
        conversation = self.random.choice(self.model.of(member.name))
        known = [m for m in list(conversation.messages.values())[-RECENT:] if m.must_be_at(member.name)]
        return self.random.choice(known) if known else None

    def delete(self):
        member = self.anyone()
        message = self.some_message(member)
        if message:
            done, _ = self.do(member, None, "chat", "delete", message.id)
            message.gone[member.name] = (self.model.now(), done)

    def rename_group(self):
        at = self.model.now()
        done, _ = self.do(self.crew["joe"], None, "topic", "rename", self.group, f"soak {at}")
        self.model.names["joe", GROUP].tried(at, f"soak {at}", done)

    def rename_contact(self):
        (whose, whom), value = self.random.choice([x for x in self.model.names.items() if x[0][1] != GROUP])
        at = self.model.now()
        done, _ = self.do(self.crew[whose], None, "contact", "name", self.crew[whom].persons["archive"], f"{whom} {at}")
        value.tried(at, f"{whom} {at}", done)

    def mark_read(self):
        member, other = (self.crew[name] for name in self.random.sample(NAMES, 2))
        chat = self.random.choice(((self.group,), ("--with", other.persons["archive"])))
        self.do(member, None, "topic", "read-up-to", *chat)

    def search(self):
        member = self.anyone()
        message = self.some_message(member)
        done, hits = self.do(member, None, "chat", "search", message.text) if message else (False, [])
        found = [hit["id"] for hit in hits if hit["text"] == message.text] if done else []
        assert len(found) <= 1 and set(found) <= {message and message.id}, (member.name, message.text, hits)

    def look(self):
        """What is shown is never wrong, however little of it has come yet."""
        conversation = self.random.choice(list(self.model.conversations.values()))
        reader = self.random.choice(conversation.readers)
        try:
            shown = reader.newest(100)
        except (OSError, RpcError):
            return  # it does not answer just now
        found = conversation.wrong(reader, shown)
        assert not found, (str(reader), found)
