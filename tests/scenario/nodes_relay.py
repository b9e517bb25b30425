"""An archive node as a relay for others: relay.listen of tandem.conf."""
import json
import socket
import threading

from control import Installation, SECRET, main, until
from nodes import Pair


def relay_of(installation):
    listeners = installation.call("status")["archive"]["listeners"]
    return next((l for l in listeners if l["type"] == "relay-server"), None)


def metric(installation, name):
    items = installation.call("metrics", node="archive")["items"]
    return next(i["samples"][0]["value"] for i in items if i["name"] == name)


def test_others_meet_at_the_embedded_relay(t):
    ann_installation = Installation()
    t.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
    joe = Pair(t)
    relay = relay_of(t)
    assert relay["state"] == "listening" and relay["url"].startswith("ws://localhost:"), relay
    try:
        ann = Pair(ann_installation, "--relay", relay["url"], user="ann")
        until(lambda: metric(t, "tandem_relay_spares") == 2, "Ann is registered")
        [registration] = [l for l in ann_installation.call("status")["archive"]["listeners"] if l["type"] == "relay"]
        assert registration == {"type": "relay", "url": relay["url"], "state": "listening", "spares": 2}
        assert f'{relay["url"]} (listening), through this relay\n' in ann_installation.cli("status")[1]
        assert f'{relay["url"]} (listening), a relay for others\n' in t.cli("status")[1]
        invitation = ann.ok("invite", "--via", "relay")
        assert invitation["url"] == relay["url"]
        assert joe.ok("--node", "sparse", "pair", json.dumps(invitation))["personId"] == ann.archive
        joe.ok("--node", "sparse", "chat", "send", "--to", ann.archive, "through our own relay")
        heard = lambda: ann.ok("--node", "archive", "chat", "list", "--with", joe.sparse)
        until(lambda: [m["text"] for m in heard()] == ["through our own relay"], "Ann hears it")
        assert metric(t, "tandem_relay_handovers_total") > 0
        for pair, node in ((joe, "sparse"), (ann, "archive")):  # who dialled cannot see it, and is told
            items = [c for c in pair.ok("--node", node, "connections", "--ended") if c["url"] == relay["url"]]
            assert items and {c["transport"] for c in items if c["openedAt"]} == {"relay"}, items
            assert pair.ok("--node", node, "stats")["transports"]["relay"]["connections"] >= 2
        assert ann_installation.stop() == 0
    finally:
        ann_installation.clean()


def test_further_identities_are_met_at_the_relay(t):
    """Their keys are registered beside the main one's, also after a restart."""
    ann_installation = Installation()
    t.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
    joe = Pair(t)
    url = relay_of(t)["url"]
    try:
        ann = Pair(ann_installation, "--listen", "none", "--relay", url, user="ann")
        work = ann.ok("identity", "add", "ann@work.example")["personId"]
        invitation = ann.ok("invite", "--as", work, "--via", "relay")
        assert invitation["url"] == url and invitation["publicKey"] != ann.ok("invite", "--via", "relay")["publicKey"]
        registered = lambda: metric(t, "tandem_relay_spares") == 4
        until(registered, "both keys are registered")
        assert joe.ok("pair", "-", stdin=json.dumps(invitation))["personId"] == work
        talk = lambda text: joe.ok("--timeout", "60", "chat", "send", "--to", work, text, "--wait")["state"] == "delivered"
        heard = lambda: [m["text"] for m in ann.ok("chat", "list", "--as", work, "--with", joe.archive)]
        assert talk("at work")
        until(lambda: heard() == ["at work"], "Ann hears it at work")
        ann.ok("restart", "archive")
        until(registered, "both are registered again")
        assert talk("again")
        until(lambda: heard() == ["at work", "again"], "Ann hears it again")
        assert ann_installation.stop() == 0
    finally:
        ann_installation.clean()


class Idlers:
    """As many sockets of one address as fit, upgraded, with nothing to say; one that is closed is opened again."""

    def __init__(self, port, count):
        self.port, self.over = int(port), threading.Event()
        self.threads = [threading.Thread(target=self.keep, args=(count // 8,), daemon=True) for _ in range(8)]
        for thread in self.threads:
            thread.start()

    def keep(self, count):
        sockets = [None] * count
        while not self.over.wait(0.05):
            for i, s in enumerate(sockets):
                if s is None or self.is_closed(s):
                    sockets[i] = self.open()
        for s in sockets:
            if s is not None:
                s.close()

    def open(self):
        try:
            s = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            s.setblocking(False)
            return s
        except OSError:
            return None

    def is_closed(self, s):
        try:
            return s.recv(4096) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_idlers_do_not_fill_the_relay(t):
    ann_installation = Installation()
    t.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
    Pair(t)
    url = relay_of(t)["url"]
    idlers = Idlers(url.rsplit(":", 1)[1], 560)
    try:
        until(lambda: metric(t, "tandem_relay_refused_limit_total") > 100, "they are turned away")
        assert metric(t, "tandem_relay_connections") <= 140
        Pair(ann_installation, "--relay", url, user="ann")
        until(lambda: metric(t, "tandem_relay_spares") == 2, "Ann is registered, from the same address")
        assert ann_installation.stop() == 0
    finally:
        idlers.close()
        ann_installation.clean()
    until(lambda: metric(t, "tandem_relay_connections") <= 2, "all is given back")


class Recorder:
    """Forwards connections to a port and keeps what comes back from there; WebSocket servers do not mask it."""

    def __init__(self, port):
        self.seen = b""
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("localhost", self.target))
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, target, keep):
        try:
            while data := source.recv(65536):
                self.seen += data if keep else b""
                target.sendall(data)
        except OSError:
            pass
        target.close()


def test_a_relay_sees_nothing_of_what_is_said(t):
    ann_installation = Installation()
    t.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
    joe = Pair(t)
    recorder = Recorder(relay_of(t)["url"].rsplit(":", 1)[1])
    try:
        ann = Pair(ann_installation, "--relay", recorder.url, user="ann")
        until(lambda: metric(t, "tandem_relay_spares") == 2, "Ann is registered")
        joe.ok("pair", json.dumps(ann.ok("invite", "--via", "relay")))
        sent = joe.ok("chat", "send", "--to", ann.archive, "for Ann's eyes only")
        heard = lambda: ann.ok("--node", "archive", "chat", "list", "--with", joe.archive)
        until(lambda: [m["text"] for m in heard()] == ["for Ann's eyes only"], "Ann hears it")
        assert b"communication_request" in recorder.seen  # clear text would be seen
        for secret in ("eyes only", sent["id"], sent["channel"], joe.archive, joe.ok("--node", "archive", "id")["email"]):
            assert secret.encode() not in recorder.seen, secret
    finally:
        ann_installation.stop()
        ann_installation.clean()


def addresses(pair):
    endpoints = pair.ok("--node", "archive", "profile", "get")["endpoints"]
    return {e["url"] for e in endpoints if e["type"] == "OneInstanceEndpoint"}


def test_contacts_learn_of_the_relay_while_it_is_configured(t):
    host = Installation()
    try:
        host.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
        Pair(host)
        relay = relay_of(host)["url"]
        joe = Pair(t, "--relay", relay)
        direct = joe.provisioned["archive"]["url"]
        until(lambda: addresses(joe) == {direct, relay}, "the profile names the relay as well")
        before = joe.ok("--node", "archive", "profile", "get")["endpoints"]
        t.call("restart", node="archive")
        until(lambda: relay in [l["url"] for l in t.call("status")["archive"]["listeners"]], "the archive is back")
        assert joe.ok("--node", "archive", "profile", "get")["endpoints"] == before
        t.stop()
        host.stop()
        t.up("--listen", "localhost:0")
        joe.ok("provision", "--user", "joe", stdin=SECRET + "\n")
        assert addresses(joe) == {direct}
    finally:
        host.clean()


def test_the_listener_is_preferred_to_the_relay(t):
    host, ann_installation = Installation(), Installation()
    try:
        host.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
        Pair(host)
        relay = relay_of(host)["url"]
        joe = Pair(t, "--relay", relay)
        ann = Pair(ann_installation, user="ann")
        ann.ok("--node", "sparse", "pair", json.dumps(joe.ok("invite")))

        def known():
            contact = next(c for c in ann.ok("--node", "sparse", "contacts") if c["personId"] == joe.archive)
            return {i["url"] for i in contact["instances"]}

        until(lambda: known() == {joe.provisioned["archive"]["url"], relay}, "Ann's node knows both addresses")

        def ways():
            items = t.call("connections.list", node="archive")["items"]
            return {c["id"]: c["transport"] for c in items if c["live"] and c["remotePersonId"] == ann.sparse}

        for _ in range(2):
            before = ways()
            ann_installation.call("restart", node="sparse")
            after = until(lambda: {i: way for i, way in ways().items() if i not in before}, "Ann's node comes back")
            assert list(after.values()) == ["websocket"], after
        ann_installation.stop()
        host.stop()
    finally:
        host.clean()
        ann_installation.clean()


def test_without_the_setting_there_is_none(t):
    Pair(t)
    assert relay_of(t) is None


def test_a_relay_that_goes_away_is_told(t):
    host = Installation()
    try:
        host.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
        Pair(host)
        joe = Pair(t, "--relay", relay_of(host)["url"])

        def registration():
            return next(l for l in t.call("status")["archive"]["listeners"] if l["type"] == "relay")

        until(lambda: registration()["state"] == "listening", "the archive is registered")
        host.stop()
        until(lambda: registration()["state"] == "connecting", "it is no longer")
        with open(t.path("log", "archive.log")) as log:
            assert '"relay.lost","code":"RELAY-LOST"' in log.read()
        joe.send("sparse", "without a relay")
        joe.arrives("archive", "without a relay")
    finally:
        host.clean()


def test_a_taken_port_is_named(t):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        t.environment["TANDEM_RELAY_LISTEN"] = f"127.0.0.1:{taken.getsockname()[1]}"
        t.up("--listen", "localhost:0")
        status, result = t.cli_json("provision", "--user", "joe", stdin=SECRET + "\n")
        assert status == 1 and result["error"]["code"] == "PORT-TAKEN", result


if __name__ == "__main__":
    main(globals())
