"""Contacts that know a direct address and a relay (point 4): they use either, and one connection at a time."""
import time
from urllib.parse import urlsplit

from live import NOT_TRIED, SECRET, Proxy, free_port, now_ms, slack, until
from live_pairing import at_relay, on_stage, registered
from live_servers import Cluster, Relay

FALLBACK_LIMIT_MS = 20000


def live_connections(s):
    return [c for c in s.items("connections.list") if c["live"] and c["remotePersonId"] == s.theirs]


def one_connection_lasts(s):
    """Both settle for the same connection and keep it; a late attempt of the peer may replace it before (WIRE.md 8.5)."""
    def lasts():
        before = [c["id"] for c in live_connections(s)]
        s.talk()
        return len(before) == 1 and [c["id"] for c in live_connections(s)] == before

    until(s.connected, "we are connected")
    until(lasts, "one connection lasts")
    return live_connections(s)[0]["transport"]


def our_address(s):
    return next(x["url"] for x in s.t.call("status")["archive"]["listeners"] if x["type"] == "websocket")


class BothWays:
    """Each side can be dialled directly and through a relay, and the other one knows both addresses."""

    def __init__(self, s, relay, proxy):
        self.s = s
        self.relay = relay
        self.proxy = proxy  # in front of the peer that listens
        if s.role == "browser":
            until(lambda: registered(s, relay.url), "our archive is registered")
            s.pair_up()
            self.direct = urlsplit(our_address(s)).port
            until(lambda: relay.url in s.peer.ask("urls", "urls", person=s.ours)["urls"], "the peer knows our relay")
        else:
            s.pair_up()
            s.peer.ask("profile", "profile", url=relay.url, share=s.ours)
            until(lambda: relay.url in [i["url"] for i in s.contact()["instances"]], "we know the peer's relay")

    def cut(self):
        if self.proxy is None:
            self.s.peer.ask("cut", "cut", port=self.direct)
        else:
            self.proxy.cut()

    def mend(self):
        if self.proxy is None:
            self.s.peer.ask("mend", "mended", port=self.direct)
        else:
            self.proxy.mend()

    def restart_peer_behind_the_cut(self):
        if self.proxy is None:
            self.s.restart_peer("--outgoing", "--cut", str(self.direct))
        else:
            self.proxy.cut()
            self.s.restart_peer()


def both_ways(role, play):
    relay = Relay()
    port = free_port()
    proxy = None if role == "browser" else Proxy(port)
    try:
        if role == "browser":
            return on_stage(role, lambda s: play(BothWays(s, relay, proxy)), up=("--relay", relay.url))
        return on_stage(role, lambda s: play(BothWays(s, relay, proxy)), "--listen", str(port), "--relay", relay.url,
                        "--url", f"ws://localhost:{proxy.port}")
    finally:
        if proxy is not None:
            proxy.close()
        relay.stop()


def falling_back_to_the_relay(role):
    """The direct way is blocked: a message sent then arrives through the relay, and later both ways go on."""
    def play(ways):
        s = ways.s
        one_connection_lasts(s)
        ways.cut()
        begun = now_ms()
        s.we_say("around the cut")
        ms = s.they_hear("around the cut")["t"] - begun
        assert one_connection_lasts(s) == "relay" or role == "node"
        ways.mend()  # the peer dials directly again some time, and that connection replaces the relayed one
        s.talk()
        until(lambda: len(live_connections(s)) == 1, "there is one connection")
        assert ms <= slack() * FALLBACK_LIMIT_MS, f"arrived after {ms:.0f} ms"
        return f"{ms / 1000:.1f} s"
    return both_ways(role, play)


def arriving_once_after_an_absence(role):
    """The peer is away while we send, and comes back where only the relay is left."""
    def play(ways):
        s = ways.s
        s.talk()
        s.peer.stop()
        until(lambda: not s.connected(), "we notice")
        s.we_say("for later")
        ways.restart_peer_behind_the_cut()
        begun = now_ms()
        s.they_hear("for later")
        ms = now_ms() - begun
        s.talk()
        texts = s.peer.ask("messages", "messages", other=s.ours, last=1000)["texts"]
        assert texts.count("for later") == 1, texts
        return f"{ms / 1000:.1f} s"
    return both_ways(role, play)


def losing_the_relay_only(role):
    """The direct connection does not mind, and the relay is used again once it is back."""
    def play(ways):
        s = ways.s
        one_connection_lasts(s)
        ways.relay.stop()
        time.sleep(1)
        one_connection_lasts(s)
        ways.relay.start()
        if role == "browser":
            until(lambda: registered(s, ways.relay.url), "our archive is registered again")
        ways.cut()
        s.we_say("around the cut")
        s.they_hear("around the cut")
        one_connection_lasts(s)
    return both_ways(role, play)


def both_at_the_relay(role):
    """Both are registered at the relay and dial each other through it; one connection is left, and it lasts."""
    if role == "node":
        return NOT_TRIED  # our sparse node is registered nowhere

    def play(s):
        s.pair_up(via="relay")
        for restart in (s.restart_peer, s.restart_ours):
            s.talk()
            restart()
            until(s.connected, "we are connected")
        one_connection_lasts(s)
    return at_relay(role, Relay(), play)


def away_from_home(role):
    """Three relays of a cluster: the side that does not dial is registered at the first, and our archive at the third as
    well; the other one asks at the second. Then the first is killed."""
    cluster = Cluster(3)
    first, second, third = cluster.relays

    def play(s):
        if role == "browser":
            until(lambda: registered(s, first.url) and registered(s, third.url), "our archive is registered")
        s.pair_up(via="relay", change_url=lambda _: second.url)
        s.talk()
        first.stop()
        if role == "node":
            first.start()
        begun = now_ms()
        s.we_say("one relay is gone")
        s.they_hear("one relay is gone")
        until(s.connected, "we are connected")
        s.talk()
        return f"{(now_ms() - begun) / 1000:.1f} s"

    try:
        if role == "browser":
            return on_stage(role, play, "--outgoing", up=("--relay", first.url, "--relay", third.url))
        return on_stage(role, play, "--relay", first.url, relay=first)
    finally:
        cluster.stop()


def losing_the_cluster(role):
    """Both are at different relays, and the NATS server between these restarts."""
    if role == "node":
        return NOT_TRIED  # it dials the relay where the peer is registered

    cluster = Cluster(2)
    first, second = cluster.relays

    def play(s):
        until(lambda: registered(s, first.url), "our archive is registered")
        s.pair_up(via="relay", change_url=lambda _: second.url)
        s.peer.ask("cut", "cut", port=urlsplit(our_address(s)).port)
        s.talk()
        cluster.stop_nats()
        s.we_say("while the relays were apart")
        cluster.start_nats()
        s.they_hear("while the relays were apart")
        until(s.connected, "we are connected")
        s.talk()

    try:
        return on_stage(role, play, "--outgoing", up=("--relay", first.url))
    finally:
        cluster.stop()


def port_that_changes(role):
    """Our archive comes back at another port: the peer, which only dials, finds it through the relay and learns the new
    address."""
    if role == "node":
        return NOT_TRIED  # endpoints_that_come_late_and_change of live_network

    def play(ways):
        s = ways.s
        s.talk()
        old = our_address(s)
        s.t.stop()
        s.t.up("--listen", f"localhost:{free_port()}", "--relay", ways.relay.url)
        s.pair.ok("provision", "--user", "joe", stdin=SECRET + "\n")
        assert our_address(s) != old
        until(lambda: our_address(s) in s.peer.ask("urls", "urls", person=s.ours)["urls"], "the peer knows the new address")
        s.talk()
        ways.relay.stop()
        s.restart_peer()
        until(s.connected, "the peer comes directly")
        s.talk()
    return both_ways(role, play)


CASES = [
    ("4", "direct way blocked: through the relay", falling_back_to_the_relay),
    ("4", "sent while the peer is away: once, through the relay", arriving_once_after_an_absence),
    ("4", "the relay restarts beside a direct connection", losing_the_relay_only),
    ("4", "both dial each other through the relay", both_at_the_relay),
    ("4", "three relays in a NATS cluster, one is killed", away_from_home),
    ("4", "the NATS server restarts", losing_the_cluster),
    ("4", "our port changes: found through the relay", port_that_changes),
]
