"""An archive node as a relay for others: relay.listen of tandem.conf."""
import json
import socket

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
        invitation = ann.ok("invite", "--via", "relay")
        assert invitation["url"] == relay["url"]
        assert joe.ok("--node", "sparse", "pair", json.dumps(invitation))["personId"] == ann.archive
        joe.ok("--node", "sparse", "chat", "send", "--to", ann.archive, "through our own relay")
        heard = lambda: ann.ok("--node", "archive", "chat", "list", "--with", joe.sparse)
        until(lambda: [m["text"] for m in heard()] == ["through our own relay"], "Ann hears it")
        assert metric(t, "tandem_relay_handovers_total") > 0
        assert ann_installation.stop() == 0
    finally:
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


def test_without_the_setting_there_is_none(t):
    Pair(t)
    assert relay_of(t) is None


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
