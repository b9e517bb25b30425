"""The door of the page (supervisor/ui): who gets in, what may be said, and what it costs when somebody else tries."""
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import tempfile
import termios

from control import BIN, PATIENCE_S, RpcError, fails_with, is_alive, main, until
from page import BINARY, Ui

MESSAGE_MAX = 1 << 20
ENTERED_MAX = 16
STRANGERS_MAX = 40
GUESSES = 50
TOO_BIG = 1009
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "supervisor", "ui")
SIZE_MAX = 150 * 1024  # of the page
UNREAD_MAX = 16 << 20
SANITIZED = bool(os.environ.get("TANDEM_SANITIZE"))  # keeps freed memory


def with_ui(test):
    def run(t):
        t.up()
        ui = Ui(t)
        try:
            test(t, ui)
            assert ui.end() == 0
        finally:
            ui.process.kill()
            ui.process.wait()
    return run


def refused(code, visit, method, **params):
    """It is answered with the code, and closed."""
    fails_with(code, visit.call, method, **params)
    assert visit.ends() == 1000


@with_ui
def test_files_come_with_a_strict_policy(t, ui):
    status, headers, body = ui.get("/")
    assert status == 200 and headers["Content-Type"] == "text/html" and b"<title>" in body, (status, headers)
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'", policy
    assert policy["connect-src"] == f"'self' ws://{ui.authority}", policy
    assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer" and "Set-Cookie" not in headers
    for path in ("/nothing", "/../main.c", "/index.html", "/%2e%2e/main.c"):
        assert ui.get(path)[0] == 404, path


@with_ui
def test_a_foreign_host_is_refused(t, ui):
    for host in ("evil.example", "127.0.0.1", f"localhost:{ui.port}", f"127.0.0.1:{ui.port + 1}", f"127.0.0.1:{ui.port}.evil.example"):
        assert ui.get("/", host=host)[0] == 403, host
        assert ui.visit(host=host).status == 403, host


@with_ui
def test_a_foreign_origin_is_refused(t, ui):
    for origin in ("", "null", "file://", "http://evil.example", "http://127.0.0.1", f"http://localhost:{ui.port}",
                   f"http://127.0.0.1:{ui.port + 1}", f"https://127.0.0.1:{ui.port}", f"http://127.0.0.1:{ui.port}.evil.example"):
        assert ui.visit(origin=origin).status == 403, origin
    assert ui.visit().status == 101


@with_ui
def test_a_link_opens_once(t, ui):
    first = ui.entered()
    assert len(first.session) == 43 and first.session != ui.link
    refused("LINK-USED", ui.visit(), "ui.enter", link=ui.link)
    again = ui.entered(session=first.session)  # as a page does that lost its connection
    assert again.session == first.session
    assert first.call("status") and again.call("status")


@with_ui
def test_nobody_enters_without_it(t, ui):
    wrong = ("A" if ui.link[0] != "A" else "B") + ui.link[1:]
    for params in ({}, {"link": ""}, {"link": wrong}, {"link": ui.link[:-1]}, {"link": ui.link + "A"}, {"link": 7},
                   {"session": ""}, {"session": ui.link}, {"session": wrong}):
        refused("LINK-USED", ui.visit(), "ui.enter", **params)
    refused("REFUSED", ui.visit(), "status")
    assert ui.entered().call("status")  # the link is still good


@with_ui
def test_what_is_no_request_does_not_get_in(t, ui):
    for text in ("", "{", "[]", "\0", "7", '{"jsonrpc":"2.0","method":"ui.enter"}', '{"jsonrpc":"2.0","id":1,"result":{}}',
                 f'{{"jsonrpc":"2.0","id":1,"method":"ui.enter","method":"ui.enter","params":{{"link":"{ui.link}"}}}}'):
        visit = ui.visit()
        visit.send(text)
        assert "error" in visit.receive()
        assert visit.ends() == 1000, text
    visit = ui.visit()
    visit.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ui.enter", "params": {"link": ui.link}}), BINARY)
    assert visit.receive()["error"]["data"]["code"] == "BAD-REQUEST" and visit.ends() == 1000
    assert ui.entered().call("status")


@with_ui
def test_another_link(t, ui):
    old = ui.link
    ui.another_link()
    refused("LINK-USED", ui.visit(), "ui.enter", link=old)
    first = ui.entered()
    ui.another_link()
    second = ui.entered()
    assert first.call("status") and second.call("status") and first.session != second.session


@with_ui
def test_methods_are_answered(t, ui):
    visit = ui.entered()
    assert visit.call("status")["supervisor"]["pid"] == t.process.pid
    fails_with("BAD-PARAMS", visit.call, "status", bad=1)  # judged as any client's
    fails_with("NOT-PROVISIONED", visit.call, "contacts.list")
    asked = {visit.ask("status") for _ in range(20)}
    assert {visit.receive()["id"] for _ in range(20)} == asked


@with_ui
def test_what_ends_or_opens_an_installation_is_not_the_pages(t, ui):
    visit = ui.entered()
    for method in ("down", "provision", "deprovision", "secret.change", "backup.begin", "backup.key", "store.repair",
                   "restart", "node.stop", "ui.enter", "nonsense", "chat.delete", "object.get", "object.put", "contact.forget",
                   "share.grant", "identity.add", "onedb.export", "settings.get"):
        fails_with("REFUSED", visit.call, method)
    for params in ({}, {"store": "somebody-else's"}, {"store": "tandem.ui\0"}, {"store": ["tandem.ui"]}):
        fails_with("REFUSED", visit.call, "settings.list", **params)
        fails_with("REFUSED", visit.call, "settings.set", key="x", value="y", **params)
    fails_with("NOT-PROVISIONED", visit.call, "settings.list", store="tandem.ui")
    for text in ("[]", "{", "7"):
        visit.send(text)
        assert "error" in visit.receive()
    assert visit.call("status") and is_alive(t.process.pid)


@with_ui
def test_an_event_arrives(t, ui):
    visit = ui.entered()
    position = visit.call("events.since", **{"from": "now"})
    waiting = visit.ask("events.since", bootId=position["bootId"], seq=position["next"], waitMs=30000, type="node.stopped")
    assert visit.call("status")  # the question that waits holds nothing up
    t.call("restart", node="sparse")
    answer = visit.receive()
    assert answer["id"] == waiting and answer["result"]["events"][0]["node"] == "sparse", answer


@with_ui
def test_long_messages_end_it(t, ui):
    stranger = ui.visit()
    stranger.send("x" * (MESSAGE_MAX + 1))
    assert stranger.ends() == TOO_BIG
    visit = ui.entered()
    room = MESSAGE_MAX - len('{"jsonrpc":"2.0","id":1,"method":"status","params":{"x":""}}')
    visit.send('{"jsonrpc":"2.0","id":1,"method":"status","params":{"x":"%s"}}' % ("x" * room))
    assert visit.receive()["error"]["data"]["code"] == "BAD-PARAMS"
    visit.send("x" * (MESSAGE_MAX + 1))
    assert visit.ends() == TOO_BIG
    assert ui.entered(session=visit.session).call("status")


@with_ui
def test_the_page_is_told_how_long_a_message_may_be(t, ui):
    assert ui.visit().call("ui.enter", link=ui.link)["messageMax"] == MESSAGE_MAX


def test_guesses_fill_no_log(t):
    t.up()
    with tempfile.TemporaryFile("w+") as said:
        ui = Ui(t, stderr=said)
        for _ in range(GUESSES):
            refused("LINK-USED", ui.visit(), "ui.enter", link="x")
        assert ui.end() == 0
        said.seek(0)
        first, rest = [line for line in said if "ui.refused" in line]
    assert "code=LINK-USED" in first and f"more={GUESSES - 1}" in rest, (first, rest)


@with_ui
def test_strangers_make_way(t, ui):
    """However many there are, whoever is in stays so, and whoever has the session comes in."""
    visit = ui.entered()
    strangers = [ui.visit() for _ in range(2 * STRANGERS_MAX)]
    silent = [ui.connect() for _ in range(STRANGERS_MAX)]
    assert visit.call("status")
    assert ui.entered(session=visit.session).call("status")
    assert len(os.listdir(f"/proc/{ui.process.pid}/fd")) < STRANGERS_MAX + 40
    for stranger in strangers:
        assert stranger.ends() in (1000, 1006)  # the last ones when they did not enter in time
    for one in silent:
        assert one.recv(1) == b""
    assert visit.call("status")


@with_ui
def test_so_many_pages_and_no_more(t, ui):
    first = ui.entered()
    others = [ui.entered(session=first.session) for _ in range(ENTERED_MAX - 1)]
    refused("BUSY", ui.visit(), "ui.enter", session=first.session)
    others.pop().close()
    def comes_in():
        try:
            return ui.entered(session=first.session)
        except RpcError:
            return None
    until(comes_in, "there is room for one again").close()


def most_memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


@with_ui
def test_who_does_not_read_is_closed(t, ui):
    """What is kept of answers for it is bounded: here the door's own, which no limit of the control endpoint holds back."""
    visit = ui.entered()
    kept = ui.entered(session=visit.session)
    text = json.dumps({"jsonrpc": "2.0", "id": "x" * 100000, "method": "down"})
    before = most_memory(ui.process.pid)
    def is_cut_off():
        try:
            visit.send(text)
        except OSError:
            return True
        return False
    for _ in range(UNREAD_MAX * 5 // len(text)):
        is_cut_off()
    until(is_cut_off, "it is closed")
    assert SANITIZED or most_memory(ui.process.pid) - before < 2 * UNREAD_MAX, most_memory(ui.process.pid) - before
    assert kept.call("status")


@with_ui
def test_the_supervisor_comes_back(t, ui):
    visit = ui.entered()
    ui.another_link()
    assert t.stop() == 0
    assert visit.ends() == 1000
    refused("NOT-RUNNING", ui.visit(), "ui.enter", session=visit.session)
    refused("NOT-RUNNING", ui.visit(), "ui.enter", link=ui.link)
    t.up()
    assert ui.entered(session=visit.session).call("status")["supervisor"]["pid"] == t.process.pid
    assert ui.entered().call("status")  # the link was not used up


def cli_fails(t, *arguments):
    status, result = t.cli_json("ui", *arguments)
    return status, result["error"]["code"]


def test_where_it_listens(t):
    assert cli_fails(t) == (3, "NOT-RUNNING")
    t.up()
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.7:0", "example.org:0", "nonsense"):
        assert cli_fails(t, "--listen", address) == (1, "BAD-ADDRESS"), address
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert cli_fails(t, "--listen", f"127.0.0.1:{taken.getsockname()[1]}") == (1, "PORT-TAKEN")
        port = taken.getsockname()[1]
    assert t.stop() == 0
    t.up(TANDEM_UI_LISTEN=f"127.0.0.1:{port}")
    ui = Ui(t)
    assert ui.port == port
    ui.process.send_signal(signal.SIGTERM)
    assert ui.process.wait(PATIENCE_S) == 0
    ui.end()
    assert t.stop() == 0
    del t.environment["TANDEM_UI_LISTEN"]
    t.up()
    for name in ("localhost", "LOCALhost"):
        ui = Ui(t, "--listen", f"{name}:0")
        assert ui.authority.startswith("localhost:") and ui.entered().call("status")
        assert ui.end() == 0


def listens_at(t):
    ui = Ui(t)
    assert ui.end() == 0
    return ui.authority.rsplit(":", 1)[0]


def test_its_setting_counts_at_once(t):
    """Changed while the supervisor runs; what that was started with stays above it."""
    t.up()
    assert listens_at(t) == "127.0.0.1"
    assert "from the next 'tandem ui' on" in t.cli("config", "set", "ui.listen", "localhost:0")[1]
    assert listens_at(t) == "localhost"
    assert "from the next 'tandem ui' on" in t.cli("config", "set", "ui.listen")[1]
    assert listens_at(t) == "127.0.0.1"
    assert t.cli("config", "set", "ui.listen", "localhost:0")[0] == 0 == t.stop()
    t.up(TANDEM_UI_LISTEN="[::1]:0")
    del t.environment["TANDEM_UI_LISTEN"]
    assert listens_at(t) == "[::1]"


def test_for_people(t):
    t.up()
    with subprocess.Popen([os.path.join(BIN, "tandem"), "ui"], env=t.environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as ui:
        line = ui.stdout.readline()
        assert line.startswith("Open this in a browser, once:  http://127.0.0.1:"), line
        ui.terminate()
        assert ui.wait(PATIENCE_S) == 0


def is_idle(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "S"


def waiting_bytes(terminal):
    return struct.unpack("i", fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)))[0]


def test_in_the_background_it_leaves_the_terminal_alone(t):
    t.up()
    links, go = t.path("links"), t.path("go")
    os.mkfifo(go)
    keys, terminal = pty.openpty()
    script = f"set -m; '{BIN}/tandem' ui --json > '{links}' & echo $! > '{links}.pid'; read x < '{go}'; fg"
    shell = subprocess.Popen(["bash", "-c", script], env=t.environment, stdin=terminal, stdout=subprocess.DEVNULL,
                             stderr=terminal, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    try:
        def printed():
            with open(links, encoding="utf-8") as file:
                return file.read().splitlines()
        until(lambda: os.path.exists(links) and printed(), "there is a link")
        with open(links + ".pid", encoding="utf-8") as file:
            pid = int(file.read())
        authority = json.loads(printed()[0])["url"][len("http://"):].split("/")[0]
        os.write(keys, b"\n")
        until(lambda: waiting_bytes(terminal) == 1, "something is typed")
        for _ in range(2):  # before the second one it has seen that
            with socket.create_connection(authority.split(":"), PATIENCE_S) as s:
                s.sendall(f"GET / HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
                assert s.recv(12) == b"HTTP/1.1 200"
        until(lambda: is_idle(pid), "it waits")
        assert waiting_bytes(terminal) == 1 and len(printed()) == 1
        with open(go, "w", encoding="utf-8") as file:
            file.write("\n")
        until(lambda: os.write(keys, b"\n") and len(printed()) > 1, "in front it prints another link")
    finally:
        os.close(keys)
        os.close(terminal)
        shell.wait(PATIENCE_S)


def sources(ending):
    for name in sorted(os.listdir(os.path.join(PAGE, "page"))):
        if name.endswith(ending):
            with open(os.path.join(PAGE, "page", name), encoding="utf-8") as file:
                yield name, file.read()


def test_the_page_may_ask_what_it_asks(t):
    with open(os.path.join(PAGE, "allowed.c"), encoding="utf-8") as file:
        allowed = set(re.findall(r'"([a-z.-]+)"', re.search(r"methods\[\] = \{(.*?)\}", file.read(), re.DOTALL).group(1)))
    asked = {method for _, text in sources(".js") for method in re.findall(r"\b(?:ask|act)\('([^']+)'", text)}
    assert asked - {"ui.enter"} == allowed, (asked, allowed)


def test_the_page_is_small(t):
    total = sum(len(text.encode()) for _, text in sources(""))
    ((_, index),) = sources(".html")
    assert 0 < total <= SIZE_MAX, total
    for name, text in sources(".js"):
        assert f'="/{name}"' in index, f"{name} is not asked for at once"
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b|new Function", text), name


main(globals())
