"""The page of 'tandem ui' in a browser: two of two installations meet by a pasted link and chat (page.mjs). The screenshots stay
in TANDEM_SCREENSHOTS, if that names a folder. Skipped where there is no browser to try it with."""
import base64
import os
import shutil
import signal
import struct
import subprocess
import sys
import zlib

from control import Installation, main, until
from nodes import Pair, plant_topic
from page import Ui

HERE = os.path.dirname(os.path.abspath(__file__))
DAY_S = 240
LONG_URL = "wss://" + "long." * 40 + "example.org"


def what_is_lacking():
    """Why no page can be tried; nothing if it can."""
    if not os.environ.get("ONE_BROWSER"):
        return "ONE_BROWSER is not set"
    if not os.path.isdir(os.path.join(os.environ["ONE_BROWSER"], "node_modules", "playwright-core")):
        return f"{os.environ['ONE_BROWSER']} lacks playwright-core"
    programs = ("node", os.environ.get("ONE_CHROMIUM", "chromium"))
    return ", ".join(f"there is no {program}" for program in programs if not shutil.which(program))


def is_drawn_alike(t):
    """The page draws an invitation as the command line does."""
    file = t.path("qr.svg")
    status, link, err = t.cli("invite", "--link", "--qr-file", file)
    assert status == 0, err
    done = subprocess.run(["node", os.path.join(HERE, "page_qr.mjs"), file, link.splitlines()[0]], timeout=DAY_S)
    assert done.returncode == 0
    return len(link)


def test_qr_codes_are_those_of_others(t):
    Pair(t, user="joe")
    short = is_drawn_alike(t)
    assert t.stop() == 0
    t.up("--listen", "localhost:0", TANDEM_LISTEN_PUBLIC_URL=LONG_URL)
    t.provision()
    assert is_drawn_alike(t) > short + 100


def test_what_was_lost_is_asked_again(t):
    assert subprocess.run(["node", os.path.join(HERE, "page_wire.mjs")], timeout=DAY_S).returncode == 0


def start(t):
    t.up("--listen", "localhost:0")
    t.provision()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.hurt = 1"><script>globalThis.hurt = 1</script></svg>'


def png(side):
    """The beginning of a picture of that many pixels each way; the whole of it where that is one."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b""))


DOT = png(1)
HOSTILE = [("\u202egpj.<script>globalThis.hurt=1</script>/../.x", "image/svg+xml", SVG), ("hostile.png", "image/png", SVG),
           ("<img src=x onerror=globalThis.hurt=1>", "text/html", SVG), ("huge.png", "image/png", png(60000)),
           ("short.jpg", "image/jpeg", b"\xff\xd8\xff\xe0" + b"\xff" * 40)]


def send_files(sender, to, files):
    for name, kind, data in files:
        blob = sender.call("blob.begin")["blob"]
        sender.call("blob.chunk", blob=blob, offset=0, data=base64.b64encode(data).decode())
        attached = {"hash": sender.call("blob.commit", blob=blob)["hash"], "name": name, "type": kind}
        last = data == DOT
        sender.call("chat.send", to=to, text="the last of them" if last else "hostile", attachments=[attached])


def unread_everywhere(t, person):
    """What is unread of a person, as each list tells it; all say the same."""
    topics = next(topic["unread"] for topic in t.call("topic.list")["items"] if topic["with"] == person)
    contacts = next(c["unread"] for c in t.call("contacts.list", unread=True)["items"] if c["personId"] == person)
    told = {topics, contacts, next(c["unread"] for c in t.cli_json("contacts")[1] if c["personId"] == person)}
    assert len(told) == 1, told
    return told.pop()


def call_hostilely(other, joe):
    """A topic with the id of a person shows itself beside the conversation with it."""
    other.call("profile.set", name="<b>ann</b>\u202enna")
    plant_topic(other, "<img src=x onerror=globalThis.hurt=1>", other.call("status")["archive"]["personId"], joe)


def knows_status(t):
    return any(d.get("value") == "at the page" for d in t.call("profile.get", node="archive")["descriptions"])


def play(t, other, uis, folder):
    """The day of both pages, and what they ask to happen to our processes."""
    joe, ann = (one.call("status")["archive"]["personId"] for one in (t, other))
    compared = {"store": "tandem.ui", "key": ann, "value": "1 something else"}
    acts = {"another text was compared": lambda: t.call("settings.set", **compared),
            "one is unread": lambda: until(lambda: unread_everywhere(t, ann) == 1, "one is unread everywhere"),
            "nothing is unread": lambda: until(lambda: unread_everywhere(t, ann) == 0, "nothing is unread anywhere"),
            "send what is hostile": lambda: send_files(other, joe, HOSTILE + [("dot.png", "image/png", DOT)]),
            "kill the archive": lambda: os.kill(t.call("status")["archive"]["pid"], signal.SIGKILL), "stop": t.stop,
            "start": lambda: start(t), "the status is known": lambda: until(lambda: knows_status(t), "the archive tells it"),
            "the names are hostile": lambda: call_hostilely(other, joe), "end the second page": uis[1].end}
    with subprocess.Popen(["node", os.path.join(HERE, "page.mjs"), *(ui.url for ui in uis), folder], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as day:
        try:
            for line in day.stdout:
                acts.pop(line.strip())()
                day.stdin.write("done\n")
                day.stdin.flush()
            assert day.wait(DAY_S) == 0 and not acts
        finally:
            day.kill()


def test_a_day_of_two_pages(t):
    other = Installation()
    uis = []
    try:
        t.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
        Pair(t, user="joe")
        Pair(other, "--relay", next(l["url"] for l in t.call("status")["archive"]["listeners"] if l["type"] == "relay-server"), user="ann")
        uis += [Ui(t), Ui(other)]
        play(t, other, uis, os.environ.get("TANDEM_SCREENSHOTS", t.top))
        assert all(ui.end() == 0 for ui in uis)
        assert other.stop() == 0
    finally:
        for ui in uis:
            ui.process.kill()
            ui.process.wait()
        other.clean()


if __name__ == "__main__":
    if what_is_lacking():
        print("skipped:", what_is_lacking())
        sys.exit(77)
    main(globals())
