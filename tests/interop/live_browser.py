"""The peer as it is in a browser: ONE.models' browser build in a page of headless Chromium (browser/drive.mjs), which
dials our archive over ws://localhost as LAMA's browser half does. All cases share one stage, and all but
the last leave it as they found it: connected, with equal lists.

ONE_BROWSER names the folder whose node_modules hold esbuild and playwright-core.
"""
import hashlib
import os
import shutil
import signal
import time

import live_data
from live import Peer, RpcError, Stage, free_port, until
from live_answers import ROUNDS
from live_groups import agree, said_at, says
from live_network import was_disabled

FILE_SIZE = 1_000_000
AWAY_S = 20
AWAY_STEP_S = 4
REPLACED = "New connection replaced old one"


def what_is_lacking():
    """Why no page can be tried; nothing if it can."""
    tools = os.path.join(os.environ.get("ONE_BROWSER", ""), "node_modules")
    if not os.environ.get("ONE_BROWSER"):
        return "ONE_BROWSER is not set"
    missing = [name for name in ("esbuild", "playwright-core") if not os.path.isdir(os.path.join(tools, name))]
    if missing:
        return f"{tools} lacks {' and '.join(missing)}"
    return "" if shutil.which(os.environ.get("ONE_CHROMIUM", "chromium")) else "there is no Chromium"


class Page(Peer):
    PROGRAM = os.path.join("browser", "drive.mjs")

    def opened(self, command, **parameters):
        """A tab is opened or loaded again, and its instance runs."""
        self.send(command, **parameters)
        return self.wait("ready", lambda e: e.get("tab") == parameters.get("tab"))


class PageStage(Stage):
    def bring(self, name, *peer_options):
        self.peer_options = ("--port", str(free_port()))  # the store is that of the page's origin
        self.peer = Page(f"page-{name}", *self.peer_options)
        self.theirs = self.peer.person

    def we_hear_when_back(self, text):
        """The same as we_hear, of a node that may be starting."""
        def heard():
            try:
                return any(m["text"] == text for m in self.messages())
            except RpcError:
                return False
        until(heard, f"we hear {text}")


def all_list_the_same(s):
    """The page has what we have, in our order."""
    def equal():
        return s.peer.ask("messages", "messages", other=s.ours)["texts"] == [m["text"] for m in s.messages()]
    until(equal, "the page lists what we list")


def chat(s):
    for first in ("they", "we"):
        assert s.talk(first=first)["verification"] == "verified"
    all_list_the_same(s)


def file_of_ours(s):
    data = live_data.pattern(FILE_SIZE)
    digest = live_data.store_file(s, data)
    s.we_say("see our file", attachments=[{"hash": digest, "name": "ä b.bin", "type": "application/octet-stream"}])
    assert s.they_hear("see our file")["attachments"] == 1
    wanted = ["ä b.bin", FILE_SIZE, hashlib.sha256(data).hexdigest()]
    until(lambda: wanted in s.peer.ask("files", "files", other=s.ours)["list"], "the page has the whole file")


def file_of_theirs(s):
    """A page cannot export it any more than Node can (WIRE.md 13): the message is here, and those after it."""
    s.peer.ask("attach", "said", other=s.ours, text="the page's file", name="p.png", size=1001)
    (shown,) = s.we_hear("the page's file")["attachments"]
    assert (shown["name"], shown["size"], shown["present"]) == ("p.png", 1001, False), shown
    chat(s)


def reload(s):
    mark = s.mark()
    s.peer.send("reload")
    until(lambda: s.event_since(mark, "chum.stopped"), "we notice")
    s.we_say("said to a page that loads")
    s.peer.wait("ready")
    s.they_hear("said to a page that loads")
    until(s.connected, "we are connected")
    chat(s)


def two_tabs(s):
    """Both have one store and one identity and replace each other's connection. What one writes into the store the other
    overwrites, so that the page itself can lose a word from its list; whatever it still lists afterwards is here, and
    what we said was heard by one of the tabs."""
    mark = s.mark()
    s.peer.opened("open", tab="second")
    for i in range(3):
        s.we_say(f"ours to two tabs {i}")
        s.they_say(f"theirs from one of two {i}")
        s.they_hear(f"ours to two tabs {i}")
    until(lambda: s.event_since(mark, "connection.closed", lambda d: d["reason"] == REPLACED), "one replaces the other")
    s.peer.send("close", tab="second")
    s.peer.opened("reload")
    s.we_say("ours to one tab")
    s.they_hear("ours to one tab")
    s.they_say("theirs from one tab")
    s.we_hear("theirs from one tab")
    listed = lambda: s.peer.ask("messages", "messages", other=s.ours)["texts"]
    until(lambda: set(listed()) <= {m["text"] for m in s.messages()}, "all that the page lists is here")
    texts = [m["text"] for m in s.messages()]
    assert len(texts) == len(set(texts)), texts


def archive_is_killed(s):
    s.peer.send("say", other=s.ours, text="said into the void")
    os.kill(s.pid(), signal.SIGKILL)
    s.peer.wait("said")
    s.we_hear_when_back("said into the void")
    until(s.connected, "we are connected")
    chat(s)


def disabled_for_a_while(s):
    """It dials meanwhile, and is told so that it dials again."""
    s.call("contact.disable", person=s.theirs)
    until(lambda: not s.connected(), "we are apart")
    mark = s.mark()
    until(lambda: s.event_since(mark, "connection.closed", was_disabled), "it is turned away")
    s.they_say("said while disabled")
    s.call("contact.enable", person=s.theirs)
    s.we_hear("said while disabled")
    chat(s)


def answers_at_once(s):
    """A word that is answered while it is taken in is in both lists all the same, without another one (WIRE.md 13.13)."""
    s.peer.ask("answer", "answering", other=s.ours)
    for i in range(ROUNDS):
        s.we_say(f"question {i}")
        s.we_hear(f"answer to question {i}")
        all_list_the_same(s)


def group_of_ours(s):
    topic = s.call("topic.create", name="page and sparse", persons=[s.pair.sparse, s.theirs])["topicId"]
    at_ours = lambda node: [m["text"] for m in s.t.call("topic.read", node=node, topic=topic)["items"]]
    until(lambda: any(t["topicId"] == topic for t in s.t.call("topic.list", node="sparse")["items"]), "it is there")
    s.call("topic.send", topic=topic, text="from the archive")
    s.t.call("topic.send", node="sparse", topic=topic, text="from the sparse node")
    says(s.peer, topic, "from the page", s.ours)
    agree(["from the archive", "from the sparse node", "from the page"],
          lambda: at_ours("archive"), lambda: at_ours("sparse"), lambda: said_at(s.peer, topic))


def kept_away(s, meanwhile):
    """The archive is killed, and whatever is started in its place stands still, until AWAY_S are over."""
    pid, begun = s.pid(), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while time.monotonic() - begun < AWAY_S:
        found = s.pid()
        if found and found != pid:
            pid = found
            os.kill(pid, signal.SIGSTOP)
        meanwhile(time.monotonic() - begun)
        time.sleep(0.02)
    os.kill(pid, signal.SIGCONT)


def archive_is_away(s):
    """What both sides write meanwhile, ours by the sparse node, is in both lists afterwards."""
    until(lambda: s.theirs in [c["personId"] for c in s.t.call("contacts.list")["items"]], "the sparse node knows it")
    written = []

    def write(seconds):
        if seconds > len(written) / 2 * AWAY_STEP_S:
            i = len(written) // 2
            written.extend([f"ours while it is away {i}", f"theirs while it is away {i}"])
            s.t.call("chat.send", to=s.theirs, text=written[-2])
            s.they_say(written[-1])
    kept_away(s, write)
    for ours, theirs in zip(written[::2], written[1::2]):
        s.they_hear(ours)
        s.we_hear_when_back(theirs)
    all_list_the_same(s)
    chat(s)


CASES = [
    ("page: chat both ways", chat),
    ("page: a file of ours", file_of_ours),
    ("page: a file of the page", file_of_theirs),
    ("page: loaded again", reload),
    ("page: our archive is killed", archive_is_killed),
    ("page: contact disabled and enabled here", disabled_for_a_while),
    ("page: it answers the moment a message arrives", answers_at_once),
    ("page: a group of ours with the sparse node", group_of_ours),
    ("page: both write while our archive is away", archive_is_away),
    ("page: two tabs", two_tabs),  # the last one, for what it does to the page's store
]
