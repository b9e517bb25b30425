"""How long it takes with a live peer: messages either way, and what asking costs the peer. Each case makes its own stage."""
import os
import random
import threading
import time

from live import now_ms, slack, until
from live_pairing import on_stage

SENDS = 24
PAUSE_S = 3             # at most, between two of them: each has its own place in the peer's interval
BURST = 100
BURST_LIMIT_MS = 18500  # what two reference peers take for so many
OURS_LIMIT_MS = 5500    # our send to the peer's event; the peer polls every 5 s
THEIRS_LIMIT_MS = 1200  # the peer's send to our event while somebody follows the conversation
IDLE_LIMIT_MS = 5500    # the same when nobody has for a minute
IDLE_S = 62
WATCHED_S = 10
SHARE_LIMIT = 0.05      # of a core, for our questions


class Follower(threading.Thread):
    """Notes when each message of the conversation became known."""

    def __init__(self, s):
        super().__init__(daemon=True)
        self.s = s
        self.arrived = {}
        self.cursor = self.ask()["next"]
        self.over = False

    def ask(self, **more):
        return self.s.call("chat.since", **{"with": self.s.theirs, "limit": 100, **more})

    def run(self):
        while not self.over:
            answer = self.ask(cursor=self.cursor, waitMs=1000)
            self.cursor = answer["next"]
            for message in answer["items"]:
                self.arrived[message["text"]] = now_ms()


class Times:
    """A sample of milliseconds."""

    def __init__(self, values):
        self.values = sorted(values)

    def at(self, share):
        return self.values[max(0, int(len(self.values) * share + 0.5) - 1)]

    def __str__(self):
        return f"p50 {self.at(.5):.0f}, p95 {self.at(.95):.0f}, max {self.values[-1]:.0f} ms"


def with_load(told):
    return told if slack() == 1 else f"{told}, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors"


def chat_latency(role):
    """Single messages at any moment. Of a burst each waits for those before it too, see burst_of_ours."""
    def play(s):
        s.pair_up()
        s.talk()
        follower = Follower(s)
        follower.start()
        ours, theirs = {}, {}
        for i in range(SENDS):
            ours[f"our {i}"] = now_ms()
            s.we_say(f"our {i}")
            theirs[f"their {i}"] = s.they_say(f"their {i}")
            time.sleep(random.uniform(0, PAUSE_S))
        until(lambda: all(text in follower.arrived for text in theirs), "every message of the peer arrives")
        follower.over = True
        follower.join(5)
        to_us = Times(follower.arrived[text] - sent for text, sent in theirs.items())
        to_them = Times(s.they_hear(text)["t"] - sent for text, sent in ours.items())
        told = with_load(f"to us {to_us}; to the peer {to_them}")
        assert to_us.at(.95) <= slack() * THEIRS_LIMIT_MS and to_them.at(.95) <= slack() * OURS_LIMIT_MS, told
        return told
    return on_stage(role, play)


def burst_of_ours(role):
    """How long the peer takes for many messages: it fetches object by object, and looks at all of a version for each."""
    def play(s):
        s.pair_up()
        s.talk()
        sent = now_ms()
        for i in range(BURST):
            s.we_say(f"of many {i}")
        arrived = [s.they_hear(f"of many {i}")["t"] for i in range(BURST)]
        assert arrived == sorted(arrived), "the peer hears them in another order"
        told = with_load(f"the last after {arrived[-1] - sent:.0f} ms")
        assert arrived[-1] - sent <= slack() * BURST_LIMIT_MS, told
        return told
    return on_stage(role, play)


def idle_latency(role):
    """A message after a minute in which nobody wanted to know anything."""
    def play(s):
        s.pair_up()
        s.talk()
        time.sleep(IDLE_S)
        mark = s.mark()
        sent = s.they_say("after a long silence")
        until(lambda: s.event_since(mark, "channel.changed"), "we hear of it")
        ms = now_ms() - sent
        assert ms <= slack() * IDLE_LIMIT_MS, f"{ms:.0f} ms"
        return f"{ms:.0f} ms"
    return on_stage(role, play)


def processor_seconds(s):
    used = s.peer.ask("usage", "usage")["cpu"]
    return (used["user"] + used["system"]) / 1e6


def share_while(s, seconds):
    begun, used = time.monotonic(), processor_seconds(s)
    time.sleep(seconds)
    return (processor_seconds(s) - used) / (time.monotonic() - begun)


def cost_of_asking(role):
    """What the peer spends while we follow a conversation, beyond what it spends when we are switched off."""
    def play(s):
        s.pair_up()
        s.talk()
        follower = Follower(s)
        follower.start()
        share = share_while(s, WATCHED_S)
        follower.over = True
        follower.join(5)
        s.call("contact.disable", person=s.theirs)
        until(lambda: not s.connected(), "we are apart")
        share -= share_while(s, WATCHED_S)
        assert share <= slack() * SHARE_LIMIT, f"{100 * share:.1f} % of a core"
        return f"{100 * max(share, 0):.1f} % of a core"
    return on_stage(role, play)


MEASURED = [  # to be run while nothing else is
    ("2", "chat latency", chat_latency),
    ("2", f"{BURST} messages of ours at once", burst_of_ours),
]
CASES = [
    ("2", "chat latency when idle", idle_latency),
    ("2", "what our questions cost the peer", cost_of_asking),
]
