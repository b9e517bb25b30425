"""By which doors others come in: the listener that is shut or missing."""
import json
import socket
from urllib.parse import urlsplit

from control import Installation, main, until
from nodes import Pair


def with_ann(t, test, *options):
    """Joe with these options of 'up', and Ann."""
    second = Installation()
    try:
        test(Pair(t, *options), Pair(second, user="ann"))
        assert second.stop() == 0
    finally:
        second.clean()


def listeners(pair):
    return {l["type"]: l for l in pair.ok("status")["archive"]["listeners"]}


def answers(url):
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port), timeout=5).close()
        return True
    except OSError:
        return False


def meet(guest, host, *options):
    """guest accepts an invitation of host's archive with its own archive."""
    guest.ok("--node", "archive", "pair", "-", stdin=json.dumps(host.ok("invite", *options)))
    connected(guest, host)


def connected(pair, other):
    until(lambda: any(c["personId"] == other.archive and c["connected"] for c in pair.ok("--node", "archive", "contacts")),
          "they are connected")


def refused_at(guest, host, url):
    """Not even who holds an invitation gets in there."""
    invitation = {**host.ok("invite", "--for", host.sparse), "url": url}
    status, result = guest.cli("--node", "archive", "pair", "-", stdin=json.dumps(invitation))
    assert status != 0 and "Go Away" in result["error"]["message"], result


def test_the_listener_is_shut_and_opened_again(t):
    def run(joe, ann):
        meet(ann, joe)
        url = listeners(joe)["websocket"]["url"]
        assert joe.ok("listener", "stop") == {}
        joe.ok("wait", "federated")
        now = listeners(joe)
        assert (now["websocket"]["url"], now["websocket"]["state"]) == (url, "stopped"), now
        assert not answers(url)
        connected(ann, joe)  # Joe has dialled
        refused_at(ann, joe, now["own"]["url"])
        assert "listener start" in joe.fails("NOT-LISTENING", 1, "invite")["message"]
        assert joe.ok("listener", "stop") == {}

        joe.ok("restart", "archive")
        assert listeners(joe)["websocket"]["state"] == "stopped" and not answers(url)
        joe.send("sparse", "behind a shut door")
        joe.arrives("archive", "behind a shut door")
        checks = joe.ok("doctor")["checks"]
        assert any("stopped" in c["message"] and c["ok"] for c in checks), checks

        assert joe.ok("listener", "start") == {}
        assert listeners(joe) == {"websocket": {"type": "websocket", "url": url, "state": "listening"}}
        connected(ann, joe)
    with_ann(t, run)


def test_an_archive_without_a_listener_is_met_at_a_relay(t):
    relay = Installation()
    relay.environment["TANDEM_RELAY_LISTEN"] = "localhost:0"
    try:
        host = Pair(relay, user="host")
        at = next(l["url"] for l in host.ok("status")["archive"]["listeners"] if l["type"] == "relay-server")

        def run(joe, ann):
            joe.ok("wait", "federated")
            now = listeners(joe)
            assert "websocket" not in now and now["relay"]["url"] == at, now
            until(lambda: listeners(joe)["relay"]["state"] == "listening", "Joe is registered")
            refused_at(ann, joe, now["own"]["url"])
            assert joe.ok("invite")["url"] == at
            joe.fails("NOT-LISTENING", 1, "invite", "--via", "direct")
            joe.fails("NOT-LISTENING", 1, "listener", "stop")
            meet(ann, joe)
            joe.ok("restart", "archive")
            until(lambda: listeners(joe)["relay"]["state"] == "listening", "Joe is registered again")
            connected(ann, joe)
            reached = {e["personId"]: e["url"] for e in ann.ok("--node", "archive", "endpoints")}
            assert reached[joe.archive] == at, reached
        with_ann(t, run, "--listen", "none", "--relay", at)
        assert relay.stop() == 0
    finally:
        relay.clean()


if __name__ == "__main__":
    main(globals())
