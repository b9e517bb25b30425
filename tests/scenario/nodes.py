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


def refused_elsewhere(code, invitation):
    """Another installation accepts the invitation, and is refused."""
    second = Installation()
    try:
        Pair(second, user="ann").fails(code, 4, "pair", "-", stdin=dumps(invitation))
        assert second.stop() == 0
    finally:
        second.clean()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def dumps(value):
    return json.dumps(value)
