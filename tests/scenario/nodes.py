"""What the nodes_* scenarios share: two real nodes that are provisioned, paired and federated."""
import json

from control import SECRET, Installation, until


def with_mails(archive, sparse):
    """The options of 'provision' for it."""
    return ["--archive-email", archive, "--sparse-email", sparse]


class Pair:
    """The two nodes of a running installation, seen through the command line."""

    def __init__(self, installation, *options, user="joe", mails=None):
        self.t = installation
        self.mails = with_mails(*mails) if mails else []  # of the archive and the sparse node; else new ones
        self.t.up("--listen", "localhost:0", *options)  # of two the last counts
        status, self.provisioned = self.cli("provision", "--user", user, *self.mails, stdin=SECRET + "\n")
        assert status == 0, self.provisioned
        self.archive = self.provisioned["archive"]["personId"]
        self.sparse = self.provisioned["sparse"]["personId"]

    def cli(self, *arguments, stdin=""):
        return self.t.cli_json(*arguments, stdin=stdin)

    def ok(self, *arguments, stdin=""):
        status, result = self.cli(*arguments, stdin=stdin)
        assert status == 0, (arguments, result)
        return result

    def fails(self, code, exit_status, *arguments, stdin=""):
        status, result = self.cli(*arguments, stdin=stdin)
        assert "error" in result, (arguments, result)
        assert (result["error"]["code"], status) == (code, exit_status), result
        assert result["error"]["message"] and result["error"]["hint"]
        return result["error"]

    def other(self, node):
        return self.sparse if node == "archive" else self.archive

    def send(self, node, text, *options):
        return self.ok("--node", node, "chat", "send", "--to", self.other(node), text, *options)

    def send_lines(self, node, lines):
        """Several messages in one go; their ids."""
        status, out, err = self.t.cli("--json", "--node", node, "chat", "send", "--to", self.other(node), "--stdin",
                                      stdin="".join(line + "\n" for line in lines))
        assert status == 0, err
        return [json.loads(line)["id"] for line in out.splitlines()]

    def messages(self, node, limit=1000):
        return self.ok("--node", node, "chat", "list", "--with", self.other(node), "--limit", str(limit))

    def texts(self, node):
        return [message["text"] for message in self.messages(node)]

    def arrives(self, node, text):
        return until(lambda: next((m for m in self.messages(node) if m["text"] == text), None), f"{text} at {node}")


class Friend:
    """Another installation, paired with one of our nodes."""

    def __init__(self, pair, node, user):
        self.t = Installation()
        self.pair = Pair(self.t, user=user)
        self.node = node
        self.ours = pair.archive if node == "archive" else pair.sparse
        invitation = self.pair.ok("invite") if node == "sparse" else pair.ok("--node", node, "invite")
        taker = pair if node == "sparse" else self.pair
        taker.ok("--node", node if node == "sparse" else "archive", "pair", "-", stdin=json.dumps(invitation))
        self.person = self.pair.archive
        until(lambda: connected(pair, node, self.person), f"{user} is connected with the {node} node")

    def end(self):
        self.t.stop()
        self.t.clean()

    def hears(self):
        return [m["text"] for m in self.pair.ok("--node", "archive", "chat", "list", "--with", self.ours)]

    def says(self, text):
        self.pair.ok("--node", "archive", "chat", "send", "--to", self.ours, text)


def connected(pair, node, person):
    return any(c["personId"] == person and c["connected"] for c in pair.ok("--node", node, "contacts"))


def talk(pair, friend, mark):
    """Both ways, over the way that the pairing made."""
    pair.ok("--node", friend.node, "chat", "send", "--to", friend.person, "to you " + mark)
    until(lambda: "to you " + mark in friend.hears(), f"the friend of the {friend.node} node hears {mark}")
    friend.says("to me " + mark)
    until(lambda: "to me " + mark in [m["text"] for m in pair.ok("--node", friend.node, "chat", "list", "--with",
                                                                  friend.person)], f"we hear {mark}")


def refused_elsewhere(code, invitation):
    """Another installation accepts the invitation, and is refused."""
    second = Installation()
    try:
        Pair(second, user="ann").fails(code, 4, "pair", "-", stdin=dumps(invitation))
        assert second.stop() == 0
    finally:
        second.clean()


def plant_topic(installation, name, topic_id, person):
    """A group with an id that tandem would refuse, object by object, for a contact of the archive."""
    call = lambda method, **params: installation.call(method, node="archive", **params)
    channel = call("channel.create", id=topic_id)["channel"]
    topic = call("object.put", object={"$type$": "Topic", "id": topic_id, "name": name, "channel": channel})["hash"]
    call("share.grant", object=topic, **{"with": person})
    call("share.grant", id=channel, **{"with": person})


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def dumps(value):
    return json.dumps(value)
