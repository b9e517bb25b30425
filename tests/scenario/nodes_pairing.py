"""Pairing with somebody else's installation, and every way in which it can go wrong."""
import http.server
import json
import socket
import threading

from control import Installation, main, until
from nodes import Pair


def with_two(t, test):
    second = Installation()
    try:
        test(Pair(t), Pair(second, user="ann", mails=("node-ann@lama.local", "ann@lama.local")))
        assert second.stop() == 0
    finally:
        second.clean()


def failures(pair):
    """What the events say of pairings that failed: code and person."""
    page = pair.t.call("events.since", limit=1)
    events = pair.t.call("events.since", bootId=page["bootId"], seq=0, limit=1000)["events"]
    return [(e["data"]["code"], e["data"]["personId"]) for e in events if e["event"] == "pairing.failed"]


def test_two_people_pair_and_chat(t):
    def run(joe, ann):
        invitation = joe.ok("invite")
        assert set(invitation) == {"token", "publicKey", "url"}
        paired = ann.ok("--node", "archive", "pair", json.dumps(invitation))
        assert paired["personId"] == joe.archive
        contact = until(lambda: next((c for c in ann.ok("--node", "archive", "contacts") if c["name"] == "joe"), None),
                        "Ann knows Joe's name")
        assert contact["trusted"] and contact["personId"] == joe.archive
        assert contact["email"] == joe.ok("--node", "archive", "id")["email"]
        until(lambda: any(c["personId"] == ann.archive and c["connected"] for c in joe.ok("--node", "archive", "contacts")),
              "they are connected")
        ann.ok("--node", "archive", "chat", "send", "--to", joe.archive, "hello Joe")
        joe_hears = lambda: joe.ok("--node", "archive", "chat", "list", "--with", ann.archive)
        until(lambda: [m["text"] for m in joe_hears()] == ["hello Joe"], "Joe hears Ann")
        joe.ok("--node", "archive", "chat", "send", "--to", ann.archive, "hello Ann")
        ann_hears = lambda: ann.ok("--node", "archive", "chat", "list", "--with", joe.archive)
        until(lambda: [m["text"] for m in ann_hears()] == ["hello Joe", "hello Ann"], "Ann hears Joe")
        assert all(m["verification"] == "verified" for m in ann_hears())

        joe.ok("--node", "archive", "contact", "disable", ann.archive)
        until(lambda: not any(c["connected"] for c in ann.ok("--node", "archive", "contacts") if c["personId"] == joe.archive),
              "Joe is away for Ann")
        joe.ok("--node", "archive", "contact", "enable", ann.archive)
        until(lambda: any(c["connected"] for c in ann.ok("--node", "archive", "contacts") if c["personId"] == joe.archive),
              "they are connected again")
        joe.ok("--node", "archive", "contact", "forget", ann.archive)
        assert not any(c["personId"] == ann.archive for c in joe.ok("--node", "archive", "contacts"))
    with_two(t, run)


def test_somebody_with_new_keys_is_another_until_forgotten(t):
    def run(joe, ann):
        heard = lambda: {m["text"]: m["verification"]
                         for m in joe.ok("--node", "archive", "chat", "list", "--with", ann.archive)}
        says = lambda text: ann.ok("--node", "archive", "chat", "send", "--to", joe.archive, text)
        pairs = lambda: ann.cli("--node", "archive", "pair", json.dumps(joe.ok("invite")))
        assert pairs()[0] == 0
        says("before")
        until(lambda: heard() == {"before": "verified"}, "Joe hears Ann")
        ann.ok("deprovision", "--wipe", "--yes")
        again = ann.ok("provision", "--user", "ann", *ann.mails, stdin="another secret\n")
        assert again["archive"]["personId"] == ann.archive and again["created"]
        status, result = pairs()
        assert result["error"]["code"] == "EP-KEYMISSMATCH" and "other side has you" in result["error"]["message"], result
        assert ("EP-KEYMISSMATCH", ann.archive) in failures(joe), "who invites hears of it, too"
        error = joe.fails("EP-KEYMISSMATCH", 4, "--node", "archive", "pair", json.dumps(ann.ok("invite")))
        assert ann.archive[:12] in error["message"] and "contact forget" in error["hint"], error
        joe.ok("--node", "archive", "contact", "forget", ann.archive)
        assert heard() == {"before": "unsigned"}
        until(lambda: pairs()[0] == 0, "they pair again")
        says("after")
        until(lambda: heard().get("after") == "verified", "Joe hears Ann again")
        assert heard()["before"] == "unsigned", "the old key is trusted again"
        reasons = {k["reason"] for k in joe.ok("--node", "archive", "trust", "list", ann.archive) if not k["trusted"]}
        assert reasons == {"the contact was forgotten since"}, reasons
    with_two(t, run)


def reads(pair, topic):
    """What a node shows of a topic; nothing as long as it does not know it."""
    status, found = pair.cli("--node", "archive", "topic", "read", topic)
    return [message["text"] for message in found] if status == 0 else []


def test_a_topic_for_everyone_and_one_for_a_group(t):
    def run(joe, ann):
        archive = lambda pair, *words: pair.ok("--node", "archive", *words)
        archive(ann, "pair", json.dumps(joe.ok("invite")))
        assert archive(joe, "topic", "create", "--everyone")["topicId"] == "EveryoneTopic"
        archive(joe, "topic", "send", "EveryoneTopic", "hello all")
        until(lambda: reads(ann, "EveryoneTopic") == ["hello all"], "a contact is told")
        archive(ann, "topic", "send", "EveryoneTopic", "hello Joe")
        until(lambda: reads(joe, "EveryoneTopic") == ["hello all", "hello Joe"], "and answers")

        archive(joe, "group", "create", "friends")
        archive(joe, "topic", "create", "--name", "Empty", "--group", "friends")
        archive(joe, "group", "add", "friends", ann.archive)
        archive(joe, "topic", "create", "--name", "Tea Club", "--group", "friends")
        archive(joe, "topic", "send", "Empty", "nobody here")
        archive(joe, "topic", "send", "Tea Club", "welcome")
        until(lambda: reads(ann, "Tea Club") == ["welcome"], "who is in the group reads its topic")
        archive(ann, "topic", "send", "Tea Club", "thanks")
        until(lambda: reads(joe, "Tea Club") == ["welcome", "thanks"], "and is heard")
        assert reads(ann, "Empty") == [], "who was not in the group reads its topic"
    with_two(t, run)


def test_links_work_like_json(t):
    def run(joe, ann):
        status, out, err = t.cli("invite", "--link")
        assert status == 0 and "#" in out
        assert ann.ok("pair", "-", stdin=out.strip() + "\n")["personId"] == joe.archive
    with_two(t, run)


def test_an_invitation_works_once(t):
    def run(joe, ann):
        invitation = json.dumps(joe.ok("invite"))
        ann.ok("--node", "archive", "pair", invitation)
        ann.fails("INVITATION-UNKNOWN", 4, "--node", "sparse", "pair", invitation)
    with_two(t, run)


def test_who_cannot_be_reached_cannot_invite(t):
    pair = Pair(t)
    pair.fails("NO-RELAY", 1, "invite", "--via", "relay")
    pair.fails("NOT-LISTENING", 1, "--node", "sparse", "invite")


def test_expired_and_foreign_invitations_are_refused(t):
    def run(joe, ann):
        short = joe.ok("invite", "--ttl", "1")
        until(lambda: ann.cli("pair", json.dumps({**short, "token": "x" * 64}))[0] == 4, "a wrong token is refused")
        import time
        expiry = time.monotonic() + 1.2
        until(lambda: time.monotonic() > expiry, "the second is over")
        ann.fails("INVITATION-UNKNOWN", 4, "pair", json.dumps(short))
        other = joe.ok("invite")
        ann.fails("INVITATION-UNKNOWN", 4, "pair", json.dumps({**other, "publicKey": joe.ok("id")["instanceKeys"]["publicKey"]}))
        assert [c["personId"] for c in ann.ok("contacts")] == [ann.archive]
    with_two(t, run)


def test_malformed_invitations_are_refused(t):
    pair = Pair(t)
    good = pair.ok("invite")
    bad = ["hello", "{}", json.dumps({**good, "url": "http://localhost"}),
           json.dumps({**good, "publicKey": "zz"}), json.dumps(list(good.values())), "https://example.org/#%zz"]
    for text in bad:
        pair.fails("BAD-INVITATION", 4, "pair", "-", stdin=text + "\n")
    for node in ("archive", "sparse"):
        pair.fails("OWN-INVITATION", 4, "--node", node, "pair", json.dumps(good))


def invitation_to(pair, port):
    return json.dumps({**pair.ok("invite"), "url": f"ws://127.0.0.1:{port}", "publicKey": "ab" * 32})


def test_listeners_that_are_no_nodes_are_named(t):
    pair = Pair(t)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pair.fails("NOT-A-NODE", 1, "pair", invitation_to(pair, server.server_address[1]))
    server.shutdown()
    server.server_close()

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        pair.fails("TIMEOUT", 5, "pair", invitation_to(pair, silent.getsockname()[1]))
        closed = silent.getsockname()[1]
    pair.fails("UNREACHABLE", 1, "pair", invitation_to(pair, closed))


def test_an_invitation_survives_a_restart_only_if_asked(t):
    second = Installation()
    try:
        joe, ann = Pair(t), Pair(second, user="ann")
        usual, kept = joe.ok("invite"), joe.ok("invite", "--keep", "--ttl", "600")
        joe.ok("restart", "archive")
        ann.fails("INVITATION-UNKNOWN", 4, "pair", json.dumps(usual))
        assert ann.ok("pair", json.dumps(kept))["personId"] == joe.archive
        until(lambda: ann.archive in [c["personId"] for c in joe.ok("--node", "archive", "contacts")], "both have stored it")
        joe.ok("restart", "archive")
        ann.fails("INVITATION-UNKNOWN", 4, "pair", json.dumps(kept))  # used once, gone for good
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
