"""Processes that are killed, clocks that jump, stores that are set back (point 3). Each case makes its own stage."""
import os
import shutil
import signal

import live_data
from clock import Clock
from live import SECRET, PeerEnded, now_ms, until
from live_pairing import on_stage
from live_relay import live_connections, one_connection_lasts

RECONNECTS = 20
FILE_SIZE = 20_000_000
UNDER_WAY = 3_000_000
GROWTH_LIMIT_KB = 16_000
DAY_S = 86_400


# ---- In the middle of a file ----------------------------------------------------------------------------------------


def sent_bytes(s):
    return sum(c["bytesSent"] for c in live_connections(s))


def killing_in_mid_file(role, kill):
    """A file of ours is on its way when one side is killed: it arrives whole afterwards."""
    def play(s):
        s.pair_up()
        live_data.recipes_are_registered(s)
        s.talk()
        before = sent_bytes(s)
        digest = live_data.store_file(s, live_data.pattern(FILE_SIZE))
        stored = live_data.our_doc(s, "with a file", "large", blob=digest)
        s.call("share.grant", id=stored["idHash"], **{"with": s.theirs})
        until(lambda: sent_bytes(s) > before + UNDER_WAY, "the file is on its way")
        begun = now_ms()
        kill(s)
        try:
            live_data.they_have(s, "with a file", "large")
        except PeerEnded:  # it answers to the closed connection (WIRE.md 13.18)
            s.restart_peer()
            live_data.they_have(s, "with a file", "large")
        got = s.peer.ask("getdoc", "got", id="with a file")
        assert (got["blobBytes"], got["blobHash"]) == (FILE_SIZE, digest), got
        s.talk()
        return f"{(now_ms() - begun) / 1000:.1f} s"
    return on_stage(role, play)


def kill_the_peer(s):
    s.peer.kill()
    s.peer.start(*s.peer_options)


def kill_our_node(s):
    os.kill(s.pid(), signal.SIGKILL)


def peer_killed_in_mid_file(role):
    return killing_in_mid_file(role, kill_the_peer)


def our_node_killed_in_mid_file(role):
    return killing_in_mid_file(role, kill_our_node)


# ---- Again and again ------------------------------------------------------------------------------------------------


def resident_kb(s):
    with open(f"/proc/{s.pid()}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def many_reconnects(role):
    """Twenty in a row: nothing is left over, and messages still arrive."""
    def reconnect(s):
        if role == "browser":
            s.restart_peer()
        else:
            s.call("contact.disable", person=s.theirs)
            until(lambda: not s.connected(), "we are apart")
            s.call("contact.enable", person=s.theirs)
        until(s.connected, "we are connected")

    def play(s):
        s.pair_up()
        s.talk()
        reconnect(s)
        before = resident_kb(s)
        for _ in range(RECONNECTS):
            reconnect(s)
        one_connection_lasts(s)
        growth = resident_kb(s) - before
        assert growth < GROWTH_LIMIT_KB, f"{growth} KB more"
    return on_stage(role, play)


# ---- Clocks ---------------------------------------------------------------------------------------------------------


def jumping_clock(role, whose):
    """Connections do not notice, every message arrives, and after a restart as well."""
    clock = Clock()

    def play(s):
        s.pair_up()
        s.talk()
        for seconds, first in ((DAY_S, "they"), (-DAY_S, "we"), (600, "they"), (0, "we")):
            mark = s.mark()
            clock.put(seconds)
            s.talk(first=first)
            assert not s.event_since(mark, "chum.stopped"), "the connection was lost"
        clock.put(-DAY_S)
        s.restart_ours()
        s.restart_peer()
        until(s.connected, "we are connected")
        s.talk()
        texts = [m["text"] for m in s.messages()]
        assert len(texts) == len(set(texts)) == 12, texts

    try:
        return on_stage(role, play, **{whose: clock.environment})
    finally:
        clock.clean()


def our_clock_jumps(role):
    return jumping_clock(role, "environment")


def their_clock_jumps(role):
    return jumping_clock(role, "peer_environment")


# ---- Stores that are set back ---------------------------------------------------------------------------------------


def set_back(folder, backup):
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)


def peer_from_a_backup(role):
    """The peer's store is an old copy: what it has lost comes back, and both go on."""
    def play(s):
        backup = os.path.join(s.peer.folder, "backup")
        s.pair_up()
        s.talk()
        s.peer.stop()
        shutil.copytree(s.peer.store(), backup)
        s.peer.start(*s.peer_options)
        s.talk()
        s.peer.stop()
        set_back(s.peer.store(), backup)
        s.peer.start(*s.peer_options)
        all_are_there(s)
    return on_stage(role, play)


def we_from_a_backup(role):
    """Our store is an old copy: what we have lost comes back, and both go on."""
    def again(s):
        s.t.up("--listen", address)
        s.pair.ok("provision", "--user", "joe", stdin=SECRET + "\n")

    def play(s):
        nonlocal address
        address = s.pair.provisioned["archive"]["url"].removeprefix("ws://")
        backup = os.path.join(s.t.top, "backup")
        s.pair_up()
        s.talk()
        s.t.stop()
        shutil.copytree(s.t.dir, backup)
        again(s)
        s.talk()
        s.t.stop()
        set_back(s.t.dir, backup)
        again(s)
        all_are_there(s)

    address = None
    return on_stage(role, play)


def we_are_restored(role):
    """Our folder is gone, and restored from a backup that was made while both talked."""
    def play(s):
        address = s.pair.provisioned["archive"]["url"].removeprefix("ws://")
        folder = os.path.join(s.t.top, "sealed")
        s.pair_up()
        s.talk()
        s.pair.ok("backup", folder)
        s.talk()
        s.t.stop()
        shutil.rmtree(s.t.dir)
        s.pair.ok("restore", folder, stdin=SECRET + "\n")
        s.t.up("--listen", address)
        s.pair.ok("provision", stdin=SECRET + "\n")
        all_are_there(s)
        ours = [m for m in s.messages() if m["sender"] == s.ours]
        until(lambda: all(m["state"] == "delivered" for m in s.messages() if m["sender"] == s.ours), "states are true")
        assert len(ours) == 3, ours
    return on_stage(role, play)


def recreated(role):
    """The folder of each of our nodes is lost and made again while the contact stays: it does not notice, and both have
    the whole conversation."""
    def play(s):
        address = s.pair.provisioned["archive"]["url"].removeprefix("ws://")
        s.pair_up()
        s.talk()
        for lost, node in enumerate(("archive", "sparse"), start=1):
            s.t.stop()
            shutil.rmtree(s.t.path(node))
            s.t.up("--listen", address)
            made = s.pair.ok("provision", "--recreate", node, stdin=SECRET + "\n")
            assert made["created"] and "pairAnew" not in made, made
            until(s.connected, f"we are connected after the {node} was lost")
            s.talk(first="we" if node == "archive" else "they")
            texts = until(lambda: whole(s, 2 + 2 * lost), "all messages are here")
            until(lambda: s.peer.ask("messages", "messages", other=s.ours, last=1000)["texts"] == texts, "and there")
            assert len(s.contact()["instances"]) == 1
    return on_stage(role, play)


def whole(s, count):
    texts = [m["text"] for m in s.messages()]
    return texts if len(texts) == count else None


def all_are_there(s):
    until(s.connected, "we are connected")
    s.talk()
    texts = [m["text"] for m in s.messages()]
    until(lambda: len(s.messages()) == 6, "all messages are here")
    until(lambda: sorted(s.peer.ask("messages", "messages", other=s.ours, last=1000)["texts"])
          == sorted(m["text"] for m in s.messages()), "all messages are there")
    assert len(set(texts)) == len(texts), texts


CASES = [
    ("3", "the peer is killed in the middle of a file", peer_killed_in_mid_file),
    ("3", "our node is killed in the middle of a file", our_node_killed_in_mid_file),
    ("3", f"{RECONNECTS} reconnects in a row", many_reconnects),
    ("3", "our clock jumps by a day, forth and back", our_clock_jumps),
    ("3", "the peer's clock jumps by a day, forth and back", their_clock_jumps),
    ("3", "the peer's store is an old copy", peer_from_a_backup),
    ("3", "our store is an old copy", we_from_a_backup),
    ("3", "we are restored from a backup", we_are_restored),
    ("3", "our archive, then our sparse node, is lost and made again", recreated),
]
