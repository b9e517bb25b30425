"""Moving in and out: a storage directory of the reference is written by one installation and adopted by another."""
import os
import subprocess

from control import BIN, Installation, main, snapshot, until
from nodes import Pair, dumps

STORAGE_SECRET = "another secret"


def export(pair, node, secret=STORAGE_SECRET):
    """The storage directory of a node, beside the installation."""
    to = os.path.join(pair.t.top, "exported-" + node)
    pair.ok("--node", node, "export", "--one-db", to, stdin=secret + "\n")
    return to


class Moved(Pair):
    """A fresh installation that has adopted a storage directory."""

    def __init__(self, installation, directory, *options):
        self.t = installation
        self.t.up("--listen", "localhost:0")
        self.provisioned = self.ok("import", "--one-db", directory, *options, stdin=STORAGE_SECRET + "\n")
        self.archive = self.provisioned["archive"]["personId"]
        self.sparse = self.provisioned["sparse"]["personId"]


def history(pair, person):
    return [m["text"] for m in pair.ok("--node", "archive", "chat", "list", "--with", person)]


def befriend(pair, friend):
    """The archive of pair becomes a contact of the friend's archive."""
    invitation = friend.ok("invite")
    pair.ok("--node", "archive", "pair", "-", stdin=dumps(invitation))


def test_an_exported_node_goes_on_elsewhere(t):
    friends, second = Installation(), Installation()
    try:
        old, friend = Pair(t), Pair(friends, user="ann")
        befriend(old, friend)
        old.ok("--node", "archive", "profile", "set", "--name", "Joe Doe")
        old.send("sparse", "before the move")
        old.arrives("archive", "before the move")
        old.ok("--node", "archive", "chat", "send", "--to", friend.archive, "hello ann")
        until(lambda: "hello ann" in history(friend, old.archive), "the friend has it")
        directory = export(old, "archive")
        before = snapshot(directory)
        mail = old.ok("id")["email"]
        assert t.stop() == 0

        new = Moved(second, directory, "--other-email", mail)
        assert snapshot(directory) == before
        assert new.provisioned["created"] and new.provisioned["paired"] and new.provisioned["federated"]
        assert new.provisioned["imported"]["damaged"] == 0 and new.provisioned["imported"]["objects"] > 0
        assert new.archive == old.archive and new.sparse == old.sparse  # the new front has the old one's e-mail
        assert new.provisioned["archive"]["instanceId"] == old.provisioned["archive"]["instanceId"]
        assert new.ok("--node", "archive", "profile", "get")["name"] == "Joe Doe"
        assert history(new, old.sparse) == ["before the move"] and history(new, friend.archive) == ["hello ann"]
        assert friend.archive in [c["personId"] for c in new.ok("--node", "archive", "contacts") if c["trusted"]]
        assert not os.path.exists(second.path("archive/import"))

        new.send("sparse", "from the new front")
        new.arrives("archive", "from the new front")
        new.ok("--node", "archive", "chat", "send", "--to", friend.archive, "I moved")
        until(lambda: "I moved" in history(friend, old.archive), "the friend follows")
        assert second.stop() == 0
        second.up("--listen", "localhost:0")
        again = new.ok("provision", stdin=STORAGE_SECRET + "\n")
        assert again["archive"]["personId"] == old.archive and again["created"] is False and "imported" not in again
        assert history(new, friend.archive) == ["hello ann", "I moved"]
        assert second.stop() == 0
    finally:
        friends.clean()
        second.clean()


def test_the_owner_s_name_comes_from_the_instance_or_is_given(t):
    old = Pair(t)
    directory = export(old, "sparse")
    second = Installation()
    try:
        new = Moved(second, directory, "--user", "joe")
        assert new.archive == old.sparse and new.sparse not in (old.archive, old.sparse)
        new.fails("ALREADY-PROVISIONED", 4, "import", "--one-db", directory, stdin=STORAGE_SECRET + "\n")
        assert not os.path.exists(second.path("archive/import"))
        assert second.stop() == 0
    finally:
        second.clean()


def is_fresh(t):
    names = {os.path.relpath(path, t.dir) for path in snapshot(t.dir)} - {"lock", "port", "format"}
    status = t.call("status")
    return not names and status["archive"]["state"] == status["sparse"]["state"] == "unprovisioned"


def test_a_wrong_secret_leaves_nothing_behind(t):
    old = Pair(t)
    directory = export(old, "archive")
    second = Installation()
    try:
        second.up("--listen", "localhost:0")
        status, result = second.cli_json("import", "--one-db", directory, stdin="wrong\n")
        assert (status, result["error"]["code"]) == (4, "BAD-SECRET"), result
        until(lambda: is_fresh(second), "it is undone")
        status, result = second.cli_json("import", "--one-db", second.path("log"), stdin="wrong\n")
        assert result["error"]["code"] == "NOT-FOUND", result
        until(lambda: is_fresh(second), "it is undone")
        status, result = second.cli_json("import", "--one-db", directory, stdin=STORAGE_SECRET + "\n")
        assert status == 0 and result["archive"]["personId"] == old.archive, result
        assert second.stop() == 0
    finally:
        second.clean()


def test_an_interrupted_import_can_be_repeated(t):
    old = Pair(t)
    for number in range(8):
        old.send("sparse", f"message {number}")
    old.arrives("archive", "message 7")
    directory = export(old, "archive")
    second = Installation()
    try:
        second.up("--listen", "localhost:0")
        importing = subprocess.Popen([os.path.join(BIN, "tandem"), "import", "--one-db", directory], text=True,
                                     env=second.environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        importing.stdin.write(STORAGE_SECRET + "\n")
        importing.stdin.close()
        until(lambda: os.path.exists(second.path("archive", "store")), "the import has begun")
        second.process.kill()  # and the nodes with it
        second.wait_exit()
        assert importing.wait(60) != 0
        second.up("--listen", "localhost:0")
        status, result = second.cli_json("import", "--one-db", directory, stdin=STORAGE_SECRET + "\n")
        if status != 0:  # it was over already
            assert result["error"]["code"] == "ALREADY-PROVISIONED", result
            status, result = second.cli_json("provision", stdin=STORAGE_SECRET + "\n")
        assert status == 0 and result["archive"]["personId"] == old.archive, result
        status, messages = second.cli_json("--node", "archive", "chat", "list", "--with", old.sparse)
        assert [m["text"] for m in messages] == [f"message {number}" for number in range(8)]
        assert second.stop() == 0
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
