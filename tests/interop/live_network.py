"""Connections that break and come back (point 3) with a live peer. Each case makes its own stage."""
import os
import signal
import time
from urllib.parse import urlsplit

from live import NOT_TRIED, Proxy, free_port, now_ms, until
from live_pairing import at_relay, on_stage
from live_servers import Relay

FROZEN_S = 3
SLEEP_S = 28  # connections end after 25 s of silence


def back_again(s, begun):
    """Waits until both are connected once more; the milliseconds since begun."""
    ms = s.chum_after(begun)
    s.talk()
    return f"{ms / 1000:.1f} s"


def restarting_the_peer(role):
    def play(s):
        s.pair_up()
        s.talk()
        s.peer.stop()
        until(lambda: not s.connected(), "we notice")
        s.we_say("while you were away")
        s.restart_peer()
        begun = now_ms()
        s.they_hear("while you were away")
        return back_again(s, begun)
    return on_stage(role, play)


def restarting_our_node(role):
    def play(s):
        s.pair_up()
        s.talk()
        s.restart_ours()
        return back_again(s, now_ms())
    return on_stage(role, play)


def was_disabled(closed):
    return "Route is disabled" in closed["reason"]


def disabling_here(role):
    def play(s):
        s.pair_up()
        s.call("contact.disable", person=s.theirs)
        until(lambda: not s.connected(), "we are apart")
        s.we_say("kept back")
        if role == "browser":  # it has to come back although it has dialled in vain meanwhile
            mark = s.mark()
            until(lambda: s.event_since(mark, "connection.closed", was_disabled), "it has dialled in vain")
        s.call("contact.enable", person=s.theirs)
        begun = now_ms()
        s.they_hear("kept back")
        return back_again(s, begun)
    return on_stage(role, play)


def disabling_there(role):
    def play(s):
        s.pair_up()
        s.peer.ask("enable", "enabled", on=False)
        until(lambda: not s.connected(), "we are apart")
        s.we_say("kept back")
        s.peer.ask("enable", "enabled", on=True)
        begun = now_ms()
        s.they_hear("kept back")
        return back_again(s, begun)
    return on_stage(role, play)


def cutting_the_network(role):
    """A proxy between both drops every connection and lets none through for a while."""
    if role == "browser":
        return on_stage(role, cut_at_the_peer)
    port = free_port()
    proxy = Proxy(port)
    url = f"ws://localhost:{proxy.port}"
    try:
        return on_stage(role, lambda s: through_a_gap(s, proxy.cut, proxy.mend), "--listen", str(port), "--url", url)
    finally:
        proxy.close()


def cut_at_the_peer(s):
    port = urlsplit(s.pair.provisioned["archive"]["url"]).port
    return through_a_gap(s, lambda: s.peer.ask("cut", "cut", port=port), lambda: s.peer.ask("mend", "mended", port=port))


def through_a_gap(s, cut, mend, **pairing):
    s.pair_up(**pairing)
    s.talk()
    cut()
    until(lambda: not s.connected(), "we notice")
    s.we_say("sent during the gap")
    s.they_say("sent during the gap as well")
    mend()
    begun = now_ms()
    s.they_hear("sent during the gap")
    s.we_hear("sent during the gap as well")
    return back_again(s, begun)


def losing_the_relay(role):
    relay = Relay()
    return at_relay(role, relay, lambda s: through_a_gap(s, relay.stop, relay.start, via="relay"))


def freezing_the_peer(role):
    def play(s):
        s.pair_up()
        s.talk()
        s.peer.signal(signal.SIGSTOP)
        s.we_say("said to a frozen peer")
        time.sleep(FROZEN_S)
        assert s.connected(), "we gave up too early"
        s.peer.signal(signal.SIGCONT)
        s.they_hear("said to a frozen peer")
        s.talk()
    return on_stage(role, play)


def freezing_our_node(role):
    def play(s):
        s.pair_up()
        s.talk()
        pid = s.pid()
        os.kill(pid, signal.SIGSTOP)
        s.they_say("said to a frozen node")
        time.sleep(FROZEN_S)
        os.kill(pid, signal.SIGCONT)
        s.we_hear("said to a frozen node")
        s.talk()
        assert s.pid() == pid
    return on_stage(role, play)


def sleeping_peer(role):
    """Longer than a silent connection lasts: both give it up, and find each other again."""
    def play(s):
        s.pair_up()
        s.talk()
        s.peer.signal(signal.SIGSTOP)
        s.we_say("said to a sleeping peer")
        until(lambda: not s.connected(), "we notice")
        s.peer.signal(signal.SIGCONT)
        begun = now_ms()
        s.they_hear("said to a sleeping peer")
        return back_again(s, begun)
    return on_stage(role, play)


def our_processes(s):
    status = s.t.call("status")
    return [status["supervisor"]["pid"], status["archive"]["pid"], status["sparse"]["pid"]]


def our_machine_sleeps(role):
    """The supervisor and both nodes stand still for so long that the peer gives the connection up."""
    def play(s):
        s.pair_up()
        s.talk()
        pids = our_processes(s)
        s.peer.send("say", other=s.ours, text="said to a sleeping machine")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(SLEEP_S)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
        begun = now_ms()
        s.we_hear("said to a sleeping machine")
        ms = now_ms() - begun
        s.talk()
        assert our_processes(s) == pids, "a node was restarted"
        return f"{ms / 1000:.1f} s"
    return on_stage(role, play)


def endpoints_that_come_late_and_change(role):
    """The peer paired without an address; later it announces one, then another: both reach us over CHUM, and we dial."""
    def play(s):
        s.pair_up()
        for port in (free_port(), free_port()):
            url = f"ws://localhost:{port}"
            s.peer.ask("profile", "profile", url=url, share=s.ours)
            until(lambda: url in [i["url"] for i in s.contact()["instances"]], "we know the peer's new address")
            mark = s.mark()
            s.restart_peer("--listen", str(port))
            until(lambda: s.event_since(mark, "chum.started"), "CHUM runs")
            s.talk()
    return on_stage(role, play) if role == "browser" else NOT_TRIED


def dialling_each_other(role):
    """Both have an address and dial; one connection is left, and it lasts."""
    def play(s):
        s.pair_up()
        s.talk()
        for restart in (s.restart_peer, s.restart_ours):
            restart()
            begun = now_ms()
            s.chum_after(begun)
            s.talk()
        active = [c for c in s.items("connections.list") if c["live"] and c["remotePersonId"] == s.theirs]
        assert len(active) == 1, active
    return on_stage(role, play, "--listen", str(free_port())) if role == "browser" else NOT_TRIED


CASES = [
    ("3", "the peer restarts", restarting_the_peer),
    ("3", "our node restarts", restarting_our_node),
    ("3", "contact disabled and enabled here", disabling_here),
    ("3", "connections disabled and enabled there", disabling_there),
    ("3", "the network is cut and comes back", cutting_the_network),
    ("3", "the peer is frozen for 3 s", freezing_the_peer),
    ("3", "our node is frozen for 3 s", freezing_our_node),
    ("3", "the peer sleeps for half a minute", sleeping_peer),
    ("3", "our machine sleeps for half a minute", our_machine_sleeps),
    ("3", "endpoints that come late and change", endpoints_that_come_late_and_change),
    ("3", "both listen and dial each other", dialling_each_other),
    ("4", "the relay goes away and comes back", losing_the_relay),
]
