"""By which doors others come in: the listener that is shut or missing."""
import json
import socket
from urllib.parse import urlsplit

from control import SECRET, Installation, main, until
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
    connected_as(pair, other.archive)


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
        assert set(listeners(joe)) == {"websocket"}
        assert (listeners(joe)["websocket"]["url"], listeners(joe)["websocket"]["state"]) == (url, "listening")
        connected(ann, joe)
    with_ann(t, run)


def test_a_listener_whose_port_is_taken_stays_shut(t):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    joe = Pair(t, "--listen", f"localhost:{port}")
    assert joe.ok("listener", "stop") == {}
    with socket.create_server(("127.0.0.1", port)):
        for _ in range(2):
            assert str(port) in joe.fails("PORT-TAKEN", 1, "listener", "start")["message"]
        joe.ok("wait", "federated")
        assert listeners(joe)["websocket"]["state"] == "stopped"
        joe.send("sparse", "all else goes on")
        joe.arrives("archive", "all else goes on")
    joe.ok("listener", "start")
    assert listeners(joe)["websocket"]["state"] == "listening" and answers(f"ws://127.0.0.1:{port}")


def test_a_restart_says_why_a_node_does_not_open(t):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    joe = Pair(t, "--listen", f"localhost:{port}")
    t.stop()
    t.up("--listen", f"localhost:{port}")
    with socket.create_server(("127.0.0.1", port)):  # a moment later
        joe.fails("PORT-TAKEN", 1, "provision", stdin=SECRET)
        joe.fails("PORT-TAKEN", 1, "restart", "archive")
        assert str(port) in joe.fails("NODE-DOWN", 1, "--node", "archive", "contacts")["message"]
    joe.ok("restart", "archive")
    joe.ok("wait", "federated")


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
            assert joe.provisioned["archive"]["listening"] is False and ann.provisioned["archive"]["listening"] is True
            assert "ws://" not in joe.t.cli("provision", stdin=SECRET + "\n")[1], "nobody else is told that address"
            assert joe.ok("invite")["url"] == at
            assert "--listen HOST:PORT" in joe.fails("NOT-LISTENING", 1, "invite", "--via", "direct")["hint"]
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


def test_invitations_say_whom_they_reach(t):
    joe = Pair(t, "--relay", "ws://localhost:1")
    told = lambda *options: t.cli("--json", "invite", *options)[2]
    assert "this machine only" in told()
    assert "the relay ws://localhost:1 is away" in told("--via", "relay") and "this machine" not in told("--via", "relay")
    before = len(joe.ok("invite", "list"))
    status, result = joe.cli("invite", "--qr-file", t.path("qr.jpg"))
    assert status == 2 and len(joe.ok("invite", "list")) == before, result

    lasting = joe.ok("invite", "--ttl", "7200")  # longer than an hour: kept
    joe.ok("restart", "archive")
    assert [i["invitation"] for i in joe.ok("invite", "list")] == [lasting["token"][:12]]


def told(pair, event):
    events = pair.t.call("events.since", seq=0, limit=1000)["events"]
    return [e["data"] for e in events if e["event"] == event and e["node"] == "archive"]


def test_pairing_waits_for_a_peer_that_is_away(t):
    def run(joe, ann):
        invitation = json.dumps(joe.ok("invite", "--ttl", "7200"))
        token = json.loads(invitation)["token"][:12]
        assert joe.t.stop() == 0
        ann.fails("UNREACHABLE", 1, "pair", "-", stdin=invitation)
        waiting = ann.ok("pair", "--wait", "-", stdin=invitation)
        assert (waiting["state"], waiting["waiting"]) == ("waiting", token), waiting
        ann.ok("restart", "archive")
        [listed] = ann.ok("pair", "list")
        assert (listed["waiting"], listed["until"], listed["identity"]) == (token, waiting["until"], ann.archive), listed
        until(lambda: ann.ok("pair", "list")[0]["code"] == "UNREACHABLE", "it was tried again")

        joe.t.up("--listen", "localhost:0")  # the same port again; and the invitation was kept
        joe.ok("provision", stdin=SECRET + "\n")
        connected(ann, joe)
        until(lambda: ann.ok("pair", "list") == [], "nothing waits any more")
        assert told(ann, "pairing.done") == [{"waiting": token, "personId": joe.archive}]

        nowhere = json.dumps({**json.loads(invitation), "url": "ws://127.0.0.1:1", "publicKey": "ab" * 32})
        ann.ok("pair", "--wait-for", "1", "-", stdin=nowhere)
        until(lambda: [d["code"] for d in told(ann, "pairing.failed")] == ["TIMEOUT"], "its time is over")
        ann.ok("pair", "--wait", "-", stdin=nowhere)
        assert ann.ok("pair", "cancel", token) == {} and ann.ok("pair", "list") == []
        ann.fails("NOT-FOUND", 1, "pair", "cancel", token)
        used = ann.fails("INVITATION-UNKNOWN", 4, "pair", "--wait", "-", stdin=json.dumps({**joe.ok("invite"), "token": "used"}))
        assert used and ann.ok("pair", "list") == []  # what was refused does not wait
    with_ann(t, run)


def book(pair, *options):
    """Whose contact is whom, at the archive: other → identity of ours."""
    return {c["personId"]: c["identity"] for c in pair.ok("--node", "archive", "contacts", *options)}


def texts(pair, other, *options):
    return [m["text"] for m in pair.ok("--node", "archive", "chat", "list", "--with", other, *options)]


def shown(pair, person, *options):
    """What the person would be offered."""
    return {json.dumps(root, sort_keys=True) for root in pair.ok("--node", "archive", "roots", "--for", person, *options)}


def test_several_identities_have_contacts_and_conversations_of_their_own(t):
    third = Installation()

    def run(joe, ann):
        bob = Pair(third, user="bob")
        work = joe.ok("--node", "archive", "identity", "add", "joe@work.example")["personId"]
        key = joe.ok("invite", "--as", work)["publicKey"]
        assert key != joe.ok("invite")["publicKey"]
        assert joe.fails("NOT-FOUND", 1, "invite", "--as", "0123456789abcdef")

        meet(ann, joe)                                       # Ann knows Joe,
        paired = bob.ok("--node", "archive", "pair", "-", stdin=json.dumps(joe.ok("invite", "--as", work[:12])))
        assert paired["personId"] == work                    # and Bob whom he is at work
        all_three = {joe.sparse: joe.archive, ann.archive: joe.archive, bob.archive: work}
        until(lambda: book(joe) == all_three, "he has stored them, too")
        assert set(book(joe, "--as", work)) == {bob.archive}
        safety = next(c["safety"] for c in joe.ok("contacts", "--as", work))
        assert safety == paired["safety"]

        joe.ok("chat", "send", "--as", work, "--to", bob.archive, "from work")
        until(lambda: texts(bob, work) == ["from work"], "Bob hears it")
        bob.ok("--node", "archive", "chat", "send", "--to", work, "to work")
        until(lambda: texts(joe, bob.archive, "--as", work) == ["from work", "to work"], "he hears Bob")
        heard = joe.ok("chat", "list", "--as", work, "--with", bob.archive)
        assert [(m["sender"], m["verification"]) for m in heard] == [(work, "verified"), (bob.archive, "verified")]

        for other, options in ((ann.archive, ("--as", work)), (bob.archive, ())):  # neither has the other's
            joe.fails("NOT-FOUND", 1, "--node", "archive", "contact", "disable", other, *options)
        assert joe.archive not in {c["personId"] for c in bob.ok("--node", "archive", "contacts")}
        assert work not in {c["personId"] for c in ann.ok("--node", "archive", "contacts")}
        assert not {bob.archive, work} & {c["personId"] for c in joe.ok("--node", "sparse", "contacts")
                                          if c["personId"] == bob.archive}
        assert not shown(joe, bob.archive) & shown(joe, ann.archive)

        joe.ok("restart", "archive")
        connected_as(bob, work)
        assert book(joe)[bob.archive] == work
        joe.ok("chat", "send", "--as", work, "--to", bob.archive, "after a restart")
        until(lambda: texts(bob, work)[-1] == "after a restart", "Bob hears it")

        ann.ok("--node", "archive", "pair", "-", stdin=json.dumps(joe.ok("invite", "--as", work)))  # Ann at work, too
        connected_as(ann, work)
        assert book(joe, "--as", work)[ann.archive] == work and ann.archive in book(joe)
        invitation = bob.ok("invite")
        fresh = joe.ok("--node", "archive", "identity", "add", "joe@home.example")["personId"]
        assert joe.ok("pair", "--as", fresh, "-", stdin=json.dumps(invitation))["personId"] == bob.archive
        connected_as(bob, fresh)
        assert joe.fails("OWN-INVITATION", 4, "--node", "archive", "pair", "-", stdin=json.dumps(joe.ok("invite", "--as", work)))

    try:
        with_ann(t, run)
        assert third.stop() == 0
    finally:
        third.clean()


def connected_as(pair, person):
    until(lambda: any(c["personId"] == person and c["connected"] for c in pair.ok("--node", "archive", "contacts")),
          "they are connected")


if __name__ == "__main__":
    main(globals())
