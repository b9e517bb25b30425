"""A node that lost its store: made again with its keys, and given back by the other node what it had."""
import json
import os
import shutil
import stat

from control import SECRET, Installation, main, until
from nodes import Pair, read, write

NEW = "battery staple"


def lose(t, node):
    """The whole folder of a node is gone while nothing runs."""
    assert t.stop() == 0
    shutil.rmtree(t.path(node))
    t.up("--listen", "localhost:0")


def recreate(pair, node, secret=SECRET):
    return pair.ok("provision", "--recreate", node, stdin=secret + "\n")


def who(pair):
    return [pair.ok("--node", node, "id") for node in ("archive", "sparse")]


def copies(t):
    return [read(t.path(f"{node}.keys")) for node in ("archive", "sparse")]


def test_keys_outlive_their_store(t):
    pair = Pair(t)
    known = who(pair)
    for node in ("archive", "sparse"):
        assert stat.S_IMODE(os.stat(t.path(f"{node}.keys")).st_mode) == 0o600
        lose(t, node)
        pair.fails("STORE-MISSING", 1, "provision", stdin=SECRET + "\n")
        made = recreate(pair, node)
        assert made["created"] and made["federated"] and "pairAnew" not in made
        assert who(pair) == known
        pair.send("archive", f"after {node} was lost")
        pair.arrives("sparse", f"after {node} was lost")


def test_copies_of_keys_follow_every_change(t):
    pair = Pair(t)
    first = copies(t)
    pair.ok("secret", "change", stdin=f"{SECRET}\n{NEW}\n")
    second = copies(t)
    assert first[0] != second[0] and first[1] != second[1] and b"next" not in b"".join(second)
    pair.ok("--node", "archive", "identity", "add", "second@example.org")
    until(lambda: copies(t)[0] != second[0], "the copy of the new identity's keys")
    assert copies(t)[0].count(b".sign") == second[0].count(b".sign") + 2
    known = who(pair)
    for node in ("archive", "sparse"):
        lose(t, node)
        recreate(pair, node, NEW)
        assert who(pair) == known


def test_a_copy_that_does_not_open_is_named(t):
    pair = Pair(t)
    path = t.path("sparse.keys")
    good = read(path)
    other = Installation()
    Pair(other)
    foreign = read(other.path("sparse.keys"))
    other.stop()
    other.clean()
    lose(t, "sparse")
    for bad in (good.replace(b".sign ", b".sign 0"), good[:-5], b"", foreign):
        write(path, bad)
        error = pair.fails("BAD-KEY-FILE", 1, "provision", "--recreate", "sparse", stdin=SECRET + "\n")
        assert "copy" in error["message"] and path in error["message"], error
        assert not os.path.exists(t.path("sparse", "store"))
        assert not os.path.exists(t.path("sparse", "private", "keychain_masterkey"))
    write(path, good)
    recreate(pair, "sparse")


def test_without_a_copy_contacts_have_to_pair_anew(t):
    pair = Pair(t)
    other = Installation()
    friend = Pair(other, user="bob")
    invitation = pair.ok("--node", "archive", "invite")
    friend.ok("pair", "-", stdin=json.dumps(invitation))
    until(lambda: any(c["personId"] == friend.archive or c["personId"] == friend.sparse
                      for c in pair.ok("--node", "sparse", "contacts")), "bob at the other node")
    lose(t, "archive")
    os.remove(t.path("archive.keys"))
    made = recreate(pair, "archive")
    assert len(made["pairAnew"]) == 1 and made["pairAnew"][0]["personId"] in (friend.archive, friend.sparse), made
    other.stop()
    other.clean()


if __name__ == "__main__":
    main(globals())
