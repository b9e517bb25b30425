"""What the files of a store lost, and what goes on without it: each kind of object that a contact hangs on."""
import os
import sqlite3

from control import Installation, main, until
from nodes import Friend, Pair, talk


OF_IDS = 1


def lose(t, *kinds, ids=True):
    """All objects, and ids, of some types, at the archive, once they have settled; how many they were."""
    def settled():
        with sqlite3.connect(f"file:{t.path('archive', 'store', 'store.db')}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT hex(o.hash), EXISTS(SELECT 1 FROM body b WHERE b.seq = o.seq) FROM object o JOIN "
                              f"type t ON t.id = o.type WHERE t.name IN ({','.join('?' * len(kinds))}) AND t.kind <= ?",
                              kinds + (OF_IDS if ids else 0,)).fetchall()
        names = [name.lower() for name, unsettled in rows if not unsettled]
        paths = [t.path("archive", "store", "objects", name[:2], name) for name in names]
        return paths if len(names) == len(rows) != 0 and all(os.path.isfile(path) for path in paths) else None

    paths = until(settled, f"{kinds} settle")
    for path in paths:
        os.remove(path)
    return len(paths)


class WithFriend:
    """A pair whose archive has a friend, that loses things."""

    def __init__(self, t):
        self.t = t
        self.pair = Pair(t)
        self.friend = Friend(self.pair, "archive", "bob")
        talk(self.pair, self.friend, "before")
        self.pair.ok("wait", "idle")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.friend.end()

    def at_archive(self, *arguments):
        return self.pair.ok("--node", "archive", *arguments)

    def loses(self, *kinds, ids=True):
        """Nothing of it is known from before, once the node is open again."""
        assert lose(self.t, *kinds, ids=ids) > 1
        self.pair.ok("restart", "archive")

    def is_sound(self):
        return self.pair.cli("verify", "--node", "archive")[0] == 0 and not [c for c in self.pair.cli("doctor")[1]["checks"] if not c["ok"]]


def shown_to(grants, person):
    return sorted(g["hash"] for g in grants if person in g["persons"])


def test_grants_and_groups_are_known_without_their_files(t):
    with WithFriend(t) as w:
        group = w.at_archive("group", "create", "friends")["groupId"]
        w.at_archive("group", "add", group, w.friend.person)
        before = w.at_archive("share", "list")
        assert shown_to(before, w.friend.person)
        w.loses("Access", "IdAccess", "Group")
        assert sorted(map(str, w.at_archive("share", "list"))) == sorted(map(str, before))
        talk(w.pair, w.friend, "after")
        answer = w.pair.ok("repair", "--node", "archive")
        assert answer["lost"] == [], answer
        until(w.is_sound, "all is back")
        w.at_archive("contact", "forget", w.friend.person)
        assert not shown_to(w.at_archive("share", "list"), w.friend.person)


def test_the_contact_book_is_made_again(t):
    with WithFriend(t) as w:
        before = w.at_archive("contacts")
        assert w.friend.person in [c["personId"] for c in before]
        w.loses("Leute")
        assert [c["personId"] for c in w.at_archive("contacts")] == [c["personId"] for c in before]
        talk(w.pair, w.friend, "after")
        answer = w.pair.ok("repair", "--node", "archive")  # older versions, that nobody has read
        assert answer["lost"] == [], answer
        until(w.is_sound, "all is back")
        w.at_archive("contact", "forget", w.friend.person)
        assert w.friend.person not in [c["personId"] for c in w.at_archive("contacts")]


def known(w):
    """Who and what can be seen at the archive."""
    people = [(c["personId"], c["name"], c["email"], c["trusted"]) for c in w.at_archive("contacts")]
    return sorted(people), sorted(topic["topicId"] for topic in w.at_archive("topic", "list"))


def test_people_and_conversations_are_made_again(t):
    with WithFriend(t) as w:
        w.at_archive("topic", "create", "--name", "trip", "--with", w.friend.person)
        w.pair.ok("wait", "idle")
        before = known(w)
        assert w.friend.person in [person[0] for person in before[0]] and len(before[1]) > 2
        w.loses("Someone", "Profile", ids=False)
        w.loses("ChannelRegistry", "TopicAppRegistry")
        assert known(w) == before
        talk(w.pair, w.friend, "after")
        answer = w.pair.ok("repair", "--node", "archive")
        assert answer["lost"] == [], answer
        until(w.is_sound, "all is back")
        assert known(w) == before


def test_contacts_outlive_the_loss_of_what_nobody_else_has(t):
    """The name of a Someone was drawn; with it and all versions lost another one stands for the contact."""
    with WithFriend(t) as w:
        before = known(w)
        w.loses("Someone", "Profile")
        assert known(w) == before
        check = next(c for c in w.pair.cli("doctor")[1]["checks"] if c["check"] == "content" and not c["ok"])
        assert check["message"].startswith("archive: ") and "tandem repair" in check["advice"], check
        status, answer = w.pair.cli("repair", "--node", "archive")
        assert status == 1 and {item["type"] for item in answer["lost"]} == {"Someone"}, answer
        status, again = w.pair.cli("repair", "--node", "archive", "--forget-lost")
        assert again["lost"] == answer["lost"], again
        until(w.is_sound, "what nobody has is given up")
        talk(w.pair, w.friend, "after")
        assert known(w) == before
        w.at_archive("contact", "forget", w.friend.person)
        assert w.friend.person not in [person[0] for person in known(w)[0]]


def test_a_lost_version_node_is_no_obstacle(t):
    """What is changed is put on top of it; who asks for more is told what is lost and what to do."""
    with WithFriend(t) as w:
        w.loses("VersionNodeEdge", "VersionNodeChange")
        assert w.friend.person in [c["personId"] for c in w.at_archive("contacts")]
        status, found = w.pair.cli("verify", "--node", "archive")
        assert status == 1 and found["missing"], found
        w.at_archive("contact", "disable", w.friend.person)
        w.at_archive("contact", "enable", w.friend.person)
        w.at_archive("contact", "forget", w.friend.person)
        assert w.friend.person not in [c["personId"] for c in w.at_archive("contacts")]
        status, answer = w.pair.cli("repair", "--node", "archive")
        assert "lost" in answer, answer
        w.pair.cli("repair", "--node", "archive", "--forget-lost")
        until(w.is_sound, "what nobody has is given up")
        assert w.friend.person not in [c["personId"] for c in w.at_archive("contacts")]
        w.pair.send("sparse", "after")
        w.pair.arrives("archive", "after")


if __name__ == "__main__":
    main(globals())
