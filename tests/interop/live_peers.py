"""Pairings that go wrong or are repeated, and several peers at once (points 1 and 3). Each case makes its own stage."""
import json
import shutil
import threading
import time
import urllib.parse

from live import NOT_TRIED, Proxy, RpcError, free_port, now_ms, slack, until
from live_pairing import CHUM_LIMIT_MS, on_stage
from live_relay import live_connections, one_connection_lasts


LINK = "https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#"


def they_accept(s, invitation):
    """What became of it at the peer: None, or its error."""
    s.peer.send("pair", invitation=invitation)
    answer = s.peer.wait(("pairdone", "error"), lambda e: e["event"] == "pairdone" or e["cmd"] == "pair")
    return answer.get("error")


def we_accept(s, invitation):
    try:
        s.call("pairing.accept", invitation=invitation)
    except RpcError as refused:
        return refused.code
    return None


def accept(s, invitation):
    return (they_accept if s.role == "browser" else we_accept)(s, invitation)


def invite(s):
    if s.role == "browser":
        return s.call("pairing.invite")
    return s.peer.ask("invite", "invitation")["invitation"]


def one_contact(s):
    return [c["personId"] for c in s.items("contacts.list")].count(s.theirs) == 1


def used_invitation(role):
    """An invitation serves once; trying it again does no harm."""
    def play(s):
        invitation = invite(s)
        assert accept(s, invitation) is None
        until(s.connected, "we are connected")
        assert accept(s, invitation) not in (None, "OK")
        one_connection_lasts(s)
        assert one_contact(s)
    return on_stage(role, play)


def link_of(invitation):
    """As LAMA writes and reads it (WIRE.md 6.2)."""
    return LINK + urllib.parse.quote(json.dumps(invitation), safe="!~*'()")


def invitation_as_link(role):
    def play(s):
        if role == "browser":
            link = s.t.cli("--node", "archive", "invite", "--link")[1].strip()
            assert link.startswith(LINK), link
            assert they_accept(s, json.loads(urllib.parse.unquote(link.split("#", 1)[1]))) is None
        else:
            assert s.pair.ok("--node", "sparse", "pair", link_of(invite(s)))["personId"] == s.theirs
        until(s.connected, "we are connected")
        s.talk()
    return on_stage(role, play)


def invitations_that_expire(role):
    """One has expired, one was lost in a restart; one was to be kept and serves."""
    if role == "node":
        return NOT_TRIED  # the peer's own business

    def play(s):
        brief, lost, kept = (s.call("pairing.invite", **how) for how in ({"ttl": 1}, {}, {"keep": True}))
        time.sleep(1.1)
        assert they_accept(s, brief) is not None
        s.restart_ours()
        assert they_accept(s, lost) is not None
        assert they_accept(s, kept) is None
        until(s.connected, "we are connected")
        s.talk()
    return on_stage(role, play)


def our_archive_is_invited(role):
    """Our archive, which can be dialled itself, takes the invitation of a peer that can be as well."""
    if role == "browser":
        return NOT_TRIED  # the peer has to listen

    def play(s):
        archive = s.through("browser")
        begun = now_ms()
        assert we_accept(archive, invite(s)) is None
        ms = archive.chum_after(begun)
        one_connection_lasts(archive)
        assert ms <= slack() * CHUM_LIMIT_MS, f"CHUM after {ms:.0f} ms"
        return f"CHUM after {ms:.0f} ms"
    return on_stage(role, play)


def pairing_again(role):
    """The same peer takes another invitation: nothing changes."""
    def play(s):
        s.pair_up()
        s.talk()
        s.restart_peer()
        until(lambda: len(live_connections(s)) == 1, "we are connected")
        assert accept(s, invite(s)) is None
        one_connection_lasts(s)
        assert one_contact(s)
    return on_stage(role, play)


def both_at_once(sides, invitation):
    """The sides that failed."""
    failures = {}
    threads = [threading.Thread(target=lambda s=s: failures.update({s: accept(s, invitation)})) for s in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [s for s in sides if failures[s]]


def forgotten_and_paired_again(role):
    """We forget the peer: it is turned away. A new invitation makes it a contact again, with the old conversation."""
    def play(s):
        s.pair_up()
        s.talk()
        s.call("contact.forget", person=s.theirs)
        until(lambda: not live_connections(s) and s.contact() is None, "we are apart")
        s.restart_peer()
        assert accept(s, invite(s)) is None
        until(s.connected, "we are connected")
        s.talk()
        assert len(s.messages()) == 4
    return on_stage(role, play)


def reinstall(s):
    s.peer.stop()
    shutil.rmtree(s.peer.store())
    s.peer.start(*s.peer_options)
    assert s.peer.person == s.theirs


def reinstalled_peer(role):
    """The same e-mail address with new keys is somebody else, until we forget the one we knew."""
    def play(s):
        s.pair_up()
        s.talk()
        reinstall(s)
        mark = s.mark()
        s.peer.send("pair", invitation=invite(s)) if role == "browser" else we_accept(s, invite(s))
        until(lambda: s.event_since(mark, "key.mismatch", lambda d: d["personId"] == s.theirs), "we are warned")
        s.call("contact.forget", person=s.theirs)
        s.restart_peer()
        assert accept(s, invite(s)) is None
        until(s.connected, "we are connected")
        s.talk()
    return on_stage(role, play)


def conversation_of_a_reinstalled_peer(role):
    """The peer gets back all that was said, its own last words too, before anybody says more."""
    def play(s):
        s.pair_up()
        s.talk(first="we")
        reinstall(s)
        s.call("contact.forget", person=s.theirs)
        s.pair_up()
        texts = [m["text"] for m in s.messages()]
        assert len(texts) == 2, texts
        until(lambda: s.they_list(texts[1]), "the peer lists what it had said")
        assert s.peer.ask("messages", "messages", other=s.ours)["texts"] == texts
    return on_stage(role, play)


def racing_for_a_token(role):
    """Two peers try the same invitation at the same moment: one of them is paired, the other one told so."""
    if role == "node":
        return NOT_TRIED  # the reference lets both in

    def play(s):
        sides = [s, s.beside("rival")]
        losers = both_at_once(sides, invite(s))
        assert len(losers) == 1, losers
        losers[0].restart_peer()
        assert accept(losers[0], invite(s)) is None
        for side in sides:
            until(side.connected, "we are connected")
            side.talk()
    return on_stage(role, play)


def interrupted_pairing(role):
    """The network is cut in the middle of a pairing, again and again, each time later; then the same invitation serves."""
    port = free_port()
    proxy = Proxy(port)

    def play(s):
        invitation = {**invite(s), "url": f"ws://localhost:{proxy.port}"}
        for limit in range(400, 2400, 400):  # bytes in either direction
            proxy.limit = limit
            if accept(s, invitation) is None:
                break
            s.peer.ask("connections", "connections")  # alive
        proxy.limit = None
        if s.contact() is None:
            assert accept(s, invitation) is None
        until(s.connected, "we are connected")
        s.talk()
        assert one_contact(s)

    try:
        if role == "browser":
            return on_stage(role, play, up=("--listen", f"localhost:{port}"))
        return on_stage(role, play, "--listen", str(port), "--url", f"ws://localhost:{proxy.port}")
    finally:
        proxy.close()


def both_of_our_nodes(role):
    """The peer is a contact of our archive and of our sparse node, and talks with each."""
    if role == "browser":
        return NOT_TRIED  # it has to listen as well

    def play(s):
        archive = s.through("browser")
        s.pair_up()
        s.talk()
        s.restart_peer()  # the reference stores one new contact per run
        archive.pair_up()
        for side in (archive, s, archive, s):
            until(side.connected, f"the {side.node} is connected")
            side.talk()
        assert len(live_connections(s)) == 1
        assert len(live_connections(archive)) == 1
    return on_stage(role, play)


def three_peers(role):
    """Three peers of the same node: each hears what is said to it, and nothing else."""
    def play(s):
        sides = [s, s.beside("second"), s.beside("third")]
        for side in sides:
            side.pair_up()
        for side in sides:
            side.talk()
            side.we_say(f"only for {side.peer.name}")
        for side in sides:
            side.they_hear(f"only for {side.peer.name}")
            side.restart_peer()
        for side in sides:
            side.talk()
            heard = side.peer.ask("messages", "messages", other=side.ours, last=1000)["texts"]
            assert [t for t in heard if t.startswith("only for")] == [f"only for {side.peer.name}"], heard
    return on_stage(role, play)


def person_keys(role):
    """The peer comes with its person key instead of its instance key, or asks for ours."""
    if role == "node":
        return NOT_TRIED  # it would have to dial our sparse node

    def play(s):
        s.pair_up()
        s.talk()
        types = s.peer.ask("debug", "debugged", person=s.ours)["types"]
        assert "id" in types and "unversioned" in types, types
        profile = s.call("profile.get")["profile"]
        assert "Profile" in s.peer.ask("data", "data", person=s.ours, hash=profile, type="id")["data"]
        for target, reason in (("person", "target public key"), ("instance", "you are unknown")):
            mark = s.mark()
            s.peer.send("knock", person=s.ours, target=target, group="chum")
            s.peer.wait(("error", "turned away"))
            until(lambda: s.event_since(mark, "connection.closed", lambda d: reason in d["reason"]), "we refused it")
        one_connection_lasts(s)
    return on_stage(role, play)


def several_identities(role):
    """Two peers, one of whom knows only a further identity of our node: neither hears of the other one."""
    def play(s):
        work = s.call("identity.add", email="work@identity.example")["personId"]
        s.pair_up()
        s.talk()
        other = s.beside("second", *(() if role == "browser" else ("--listen", str(free_port())))).speak_as(work)
        other.pair_up()
        other.talk(first="we")
        assert {c["personId"] for c in other.items("contacts.list")} == {other.theirs}
        assert other.theirs not in {c["personId"] for c in s.call("contacts.list", **{"as": s.ours})["items"]}
        for stage, unknown in ((s, work), (other, s.ours)):
            known = stage.peer.ask("contacts", "contacts")
            assert unknown not in json.dumps(known), known
        s.restart_ours()
        until(other.connected, "they come back to the further identity")
        other.talk()
        s.talk()
    return on_stage(role, play)


CASES = [
    ("1", "our archive takes the peer's invitation", our_archive_is_invited),
    ("1", "an invitation as a link", invitation_as_link),
    ("1", "an invitation is used twice", used_invitation),
    ("1", "invitations that expire, are lost or kept", invitations_that_expire),
    ("1", "the same peer pairs again", pairing_again),
    ("1", "forgotten, and paired again", forgotten_and_paired_again),
    ("1", "the same person with new keys", reinstalled_peer),
    ("1", "a peer with new keys gets the conversation back", conversation_of_a_reinstalled_peer),
    ("1", "two race for one invitation", racing_for_a_token),
    ("1", "the network is cut in the middle of a pairing", interrupted_pairing),
    ("1", "requests with and for a person key, debug group", person_keys),
    ("3", "paired with both of our nodes", both_of_our_nodes),
    ("3", "three peers at once", three_peers),
    ("3", "a further identity of our node", several_identities),
]
