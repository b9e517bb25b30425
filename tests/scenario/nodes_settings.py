"""Settings of tandem.conf that shape what nodes do with their peers."""
import time

from control import SECRET, main, until
from hostile import Peer
from nodes import Pair


def with_settings(t, **settings):
    """Two nodes with settings given in the environment: peers_pairing="false" for peers.pairing."""
    t.environment.update({f"TANDEM_{name.upper()}": value for name, value in settings.items()})
    return Pair(t)


def start_again(t, wait=True, **settings):
    assert t.stop() == 0
    t.up("--listen", "localhost:0", **{f"TANDEM_{name.upper()}": value for name, value in settings.items()})
    t.call("provision", secret=SECRET, wait=wait)


def test_nobody_new_when_pairing_is_off(t):
    pair = Pair(t)
    with Peer("known@peer.test") as known, Peer("stranger@peer.test") as stranger:
        assert known.pair(pair.ok("invite"))["event"] == "paired"
        kept = pair.ok("invite", "--keep")
        start_again(t, peers_pairing="false")
        pair.fails("PAIRING-OFF", 4, "invite")
        stranger.do("pair", invitation=kept)
        assert "I do not want to communicate with you" in stranger.wait("closed")["message"]
        known.chum(kept)  # contacts come and go as before
        assert not [c for c in pair.ok("--node", "archive", "contacts") if c["personId"] == stranger.person]
        start_again(t, peers_pairing="true")
        assert stranger.pair(kept)["event"] == "paired"


def test_own_nodes_meet_though_pairing_is_off(t):
    pair = with_settings(t, peers_pairing="false")
    assert pair.provisioned["federated"]


def test_debug_requests_can_be_switched_off(t):
    pair = Pair(t)
    with Peer("curious@peer.test") as curious:
        invitation = pair.ok("invite")
        assert curious.pair(invitation)["event"] == "paired"
        curious.do("debug", invitation=invitation)
        curious.wait("ready")
        curious.close()
        start_again(t, peers_debug="false")
        curious.do("debug", invitation=dict(invitation, url=pair.ok("--node", "archive", "id")["url"]))
        assert "Debug requests are off" in curious.wait("closed")["message"]


def test_a_node_that_does_not_dial_waits(t):
    pair = Pair(t)
    start_again(t, wait=False, peers_no_dial="sparse")
    [there] = pair.ok("endpoints")
    assert there["state"] == "incoming" and there["failures"] == 0
    pair.fails("TIMEOUT", 5, "wait", "federated", "--timeout", "1")
    start_again(t, peers_no_dial="")
    pair.ok("wait", "federated")


def test_one_way_synchronisation(t):
    pair = with_settings(t, sync_no_import="sparse")
    pair.send("archive", "kept from the sparse node")
    pair.send("sparse", "on its way")
    pair.arrives("archive", "on its way")
    assert pair.texts("sparse") == ["on its way"]
    start_again(t, sync_no_import="", sync_no_export="archive")
    pair.send("sparse", "on its way, too")
    pair.arrives("archive", "on its way, too")
    assert pair.texts("sparse") == ["on its way", "on its way, too"]
    start_again(t, sync_no_export="")
    pair.arrives("sparse", "kept from the sparse node")


def passes(pair):
    return pair.ok("stats")["passes"]


def test_the_interval_between_questions(t):
    pair = with_settings(t, sync_interval_ms="50")
    start = passes(pair)
    until(lambda: passes(pair) >= start + 60, "60 passes; by itself it makes one a second")
    start_again(t, sync_interval_ms="600000")
    pair.ok("wait", "idle")
    start = passes(pair)
    over = time.monotonic() + 2.5
    until(lambda: time.monotonic() > over, "time goes by")
    assert passes(pair) == start


def test_news_is_told_without_being_asked_for(t):
    pair = with_settings(t, sync_interval_ms="600000")
    for i in range(4):  # each start is another race of the nodes for each other
        pair.send("archive", f"news {i}")
        pair.arrives("sparse", f"news {i}")
        pair.send("sparse", f"more news {i}")
        pair.arrives("archive", f"more news {i}")
        start_again(t)


def traffic(pair):
    [connection] = pair.ok("connections")
    return [connection[f"{what}Sent"] + connection[f"{what}Received"] for what in ("messages", "bytes")]


def test_idle_own_nodes_do_not_repeat_their_lists(t):
    pair = with_settings(t, sync_interval_ms="50")
    for node in "archive", "sparse":
        pair.send_lines(node, [f"{node} {i}" for i in range(25)])
    until(lambda: len(pair.texts("archive")) == len(pair.texts("sparse")) == 50, "all messages cross")
    pair.ok("wait", "idle")
    start = traffic(pair)
    until(lambda: traffic(pair)[0] >= start[0] + 200, "questions and answers")
    messages, size = (now - then for now, then in zip(traffic(pair), start))
    assert size / messages < 5000 / 16  # 5,000 bytes a minute, when both ask every 15 s


def test_how_long_invitations_are_valid(t):
    pair = with_settings(t, peers_invitation_s="60")
    begin = time.time()
    pair.ok("invite")
    [listed] = pair.ok("invite", "list")
    assert begin + 59 < listed["expiresAt"] / 1000 < time.time() + 61


if __name__ == "__main__":
    main(globals())
