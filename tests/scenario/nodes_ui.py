"""The page of 'tandem ui' in a browser: two of two installations meet by a pasted link and chat (page.mjs). The screenshots stay
in TANDEM_SCREENSHOTS, if that names a folder. Skipped where there is no browser to try it with."""
import os
import shutil
import signal
import subprocess
import sys

from control import Installation, main
from nodes import Pair
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


def play(t, uis, folder):
    """The day of both pages, and what they ask to happen to our processes."""
    acts = {"kill the archive": lambda: os.kill(t.call("status")["archive"]["pid"], signal.SIGKILL), "stop": t.stop,
            "start": lambda: start(t), "end the second page": uis[1].end}
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


def test_two_pages_chat(t):
    other = Installation()
    uis = []
    try:
        Pair(t, user="joe")
        Pair(other, user="ann")
        uis += [Ui(t), Ui(other)]
        play(t, uis, os.environ.get("TANDEM_SCREENSHOTS", t.top))
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
