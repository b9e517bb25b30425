"""A contact that writes more than anybody needs: endpoints, channels, topics, profiles, versions, and complaints about
types. What it makes this node dial, work and keep is bounded, and everybody else goes on meanwhile.

TANDEM_GROWTH=full takes the sizes of docs/security.md; the default is a smoke of a few seconds each."""
import json
import os
import socket
import threading
import time

from control import PATIENCE_S, main, until
from hostile import (SANITIZER, Peer, Victim, befriend, digest, edge, id_of, id_thing, link, links, offer_profile, text,
                     thing)

FULL = os.environ.get("TANDEM_GROWTH") == "full"
GROWTH_KIB = 64 * 1024
DISK_TIMES = 20
P99_S, SEND_S = 0.1, 1  # asserted of the full sizes, which run on an idle machine; the smoke runs beside other tests


def size(small, full):
    return full if FULL else small


# ---- Who is not to notice ----

class Bystander(Peer):
    """Another contact, which asks for its roots again and again and notes how long the answers take."""

    def __init__(self, email="bob@example.org"):
        super().__init__(email)
        self.sent, self.took, self.stop = {}, [], threading.Event()

    def heard(self, message):
        if '"responseId"' in message:
            answer = json.loads(message)
            if answer.get("responseId") in self.sent:
                self.took.append(time.monotonic() - self.sent.pop(answer["responseId"]))
                return
        super().heard(message)

    def ask(self):
        number = 1000
        while not self.stop.wait(0.05):
            if self.sent:
                continue
            number += 1
            self.sent[number] = time.monotonic()
            try:
                self.do("text", message='{"requestId":%d,"type":"request","serviceId":2,"args":[]}' % number)
            except OSError:
                return  # it was killed meanwhile

    def watch(self, victim):
        befriend(victim, self)
        threading.Thread(target=self.ask, daemon=True).start()

    def p99(self):
        waiting = [time.monotonic() - at for at in self.sent.values()]
        return sorted(self.took + waiting)[int(0.99 * (len(self.took) + len(waiting) - 1))]


class Watch:
    """What an attack may cost: looked at while it runs."""

    def __init__(self, victim, bystander):
        self.victim, self.bystander = victim, bystander
        bystander.watch(victim)
        until(lambda: len(bystander.took) > 10, "somebody else is served")
        self.calm = bystander.p99()
        bystander.took.clear()
        self.disk = disk(victim)
        self.slowest = 0

    def send(self):
        begun = time.monotonic()
        self.victim.ok("--node", "archive", "chat", "send", "--to", self.victim.sparse, f"at {begun}")
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def during(self, condition, what, patience=PATIENCE_S):
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, what
            self.send()
            time.sleep(0.2)

    def judge(self, sent):
        self.bystander.stop.set()
        grown = disk(self.victim) - self.disk
        p99 = self.bystander.p99()
        print(f"     sent {sent} bytes, the store grew by {grown} ({grown / max(sent, 1):.1f} times), p99 of others "
              f"{1000 * p99:.0f} ms of {len(self.bystander.took)}, chat send {1000 * self.slowest:.0f} ms, memory "
              f"{self.victim.peak() - self.victim.resident} KiB", flush=True)
        assert grown <= DISK_TIMES * sent, (grown, sent)
        if FULL and not SANITIZER:
            assert p99 <= P99_S and self.slowest <= SEND_S, (self.calm, p99, self.slowest)
        self.victim.is_well(growth=GROWTH_KIB)


def disk(victim):
    total = 0
    for folder, _, names in os.walk(os.path.join(victim.t.dir, "archive")):
        for name in names:
            if name.endswith(("-wal", "-shm")):
                continue  # of the database; as long as what is committed between two checkpoints
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                pass
    return total


def sockets(victim):
    count = 0
    for fd in os.listdir(f"/proc/{victim.pid}/fd"):
        try:
            count += os.readlink(f"/proc/{victim.pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:
            pass
    return count


def bytes_offered(peer):
    """What a node that takes everything is sent."""
    lists = sum(len(json.dumps(c)) for c in peer.exports.children.values())
    return sum(len(t) for t in peer.exports.texts.values()) + lists + len(json.dumps(peer.exports.roots))


# ---- Endpoints ----

class Silence:
    """Ports that take connections and say nothing."""

    def __init__(self, ports):
        self.listeners = []
        self.accepted = []
        for _ in range(ports):
            listener = socket.create_server(("127.0.0.1", 0), backlog=512)
            self.listeners.append(listener)
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()
        self.ports = [s.getsockname()[1] for s in self.listeners]

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.accepted.append((connection, listener.getsockname()[1]))

    def close(self):
        for s in self.listeners:
            s.close()
        for s, _ in self.accepted:
            s.close()


def endpoint(peer, number, url):
    """An endpoint of a device of the peer, and what lies below it; most dependent first."""
    x = peer.exports
    person = x.put(id_thing("Person", text("email", peer.email)))
    instance = x.put(id_thing("Instance", text("name", f"device {number}"), link("owner", "id", person)))
    own = peer.keys()  # a device with other person keys is none of the peer's
    pairs = ((person, own["person"], own["sign"]),
             (instance, digest(f"{number} {peer.email}"), digest(f"sign {number} {peer.email}")))
    keys = [x.put(thing("Keys", link("owner", "id", owner), text("publicKey", key), text("publicSignKey", sign)))
            for owner, key, sign in pairs]
    body = x.put(thing("OneInstanceEndpoint", link("personId", "id", person), link("instanceId", "id", instance),
                       link("personKeys", "obj", keys[0]), link("instanceKeys", "obj", keys[1]), text("url", url)))
    return body, [{"type": "object", "hash": body}, {"type": "object", "hash": keys[0]},
                  {"type": "object", "hash": keys[1]}, {"type": "id", "hash": instance}, {"type": "id", "hash": person}]


def profile_with(peer, name, endpoints):
    identity = (text("profileId", name), link("personId", "id", peer.person), link("owner", "id", peer.person))
    below = [part for _, parts in endpoints for part in parts]
    return peer.exports.version(
        "Profile", identity, thing("Profile", *identity, links("communicationEndpoint", "obj", [h for h, _ in endpoints]),
                                   links("personDescription", "obj", [])), *below)


def test_endpoints_by_the_thousand(t):
    victim = Victim(t)
    silence = Silence(40)
    with Peer("eve@example.org") as eve, Bystander() as bob:
        for profile in range(size(10, 30)):
            endpoints = [endpoint(eve, f"{profile}.{i}", f"ws://127.0.0.1:{silence.ports[(profile + i) % 40]}/{profile}/{i}")
                         for i in range(size(30, 100))]
            profile_with(eve, f"profile {profile}", endpoints)
        watch = Watch(victim, bob)
        before = sockets(victim)
        most = 0
        befriend(victim, eve)

        def dialled():
            nonlocal most
            most = max(most, sockets(victim) - before)
            return len({port for _, port in silence.accepted}) >= 3 and eve.exports.times_asked(2) > 3

        watch.during(dialled, "the endpoints are dialled")
        until_time = time.monotonic() + size(6, 30)
        watch.during(lambda: dialled() and time.monotonic() > until_time, "some time passes")
        ports = {port for _, port in silence.accepted}
        print(f"     {len(silence.accepted)} dials, {most} sockets more at once, {len(ports)} ports", flush=True)
        assert most <= 32 + 4, most
        assert len(ports) <= 8, "a contact leads us to few places of this machine"
        [known] = [c["instances"] for c in victim.ask("contacts.list")["items"] if c["personId"] == eve.person]
        assert len(known) == 16, "so many instances of a person are known"
        watch.judge(bytes_offered(eve))
    silence.close()


# ---- Many of a kind ----

def channels(peer, count):
    for i in range(count):
        identity = (text("id", f"channel {i}"), link("owner", "id", peer.person))
        peer.exports.version("ChannelInfo", identity, thing("ChannelInfo", *identity))


def topics(peer, count):
    for i in range(count):
        identity = (text("id", f"topic {i}"), link("owner", "id", peer.person))
        channel = peer.exports.put(id_thing("ChannelInfo", *identity))
        peer.exports.unversioned("Topic", thing("Topic", text("name", f"Topic {i}"), text("id", f"topic {i}"),
                                                link("channel", "id", channel)), {"type": "id", "hash": channel})


def profiles(peer, count):
    for i in range(count):
        profile_with(peer, f"profile {i}", [])


def flood(t, offer, count, patience=PATIENCE_S):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Bystander() as bob:
        watch = Watch(victim, bob)
        eve.exports.put(id_thing("Person", text("email", eve.email)))
        offer(eve, count)
        _, last, _ = offer_profile(eve, "Eve")
        befriend(victim, eve)
        watch.during(lambda: victim.has(last) and eve.exports.times_asked(2) > 3, "all is gone through", patience)
        watch.judge(bytes_offered(eve))
        return victim, eve


def test_channels_by_the_hundred(t):
    victim, eve = flood(t, channels, size(300, 3000), patience=600)
    listed = victim.ask("channel.list", limit=1000)["items"]
    assert len([c for c in listed if json.dumps(c).count("channel ")]) >= size(300, 900), len(listed)


def test_topics_by_the_hundred(t):
    victim, eve = flood(t, topics, size(300, 3000), patience=600)
    listed = victim.ask("topic.list", limit=1000)["items"]
    assert len([c for c in listed if json.dumps(c).count("topic ")]) >= size(300, 900), len(listed)


def test_profiles_by_the_hundred(t):
    flood(t, profiles, size(300, 3000), patience=600)


def test_what_a_contact_may_bring_has_an_end(t):
    t.environment["TANDEM_PEERS_STORE_MB"] = "1"
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("bob@example.org") as bob:
        for i in range(30):
            name = eve.exports.put(thing("PersonName", text("name", f"{i} " + 100000 * "x")))
            identity = (text("profileId", f"{i}"), link("personId", "id", eve.person), link("owner", "id", eve.person))
            eve.exports.version("Profile", identity,
                                thing("Profile", *identity, links("communicationEndpoint", "obj", []),
                                      links("personDescription", "obj", [name])),
                                {"type": "object", "hash": name},
                                {"type": "id", "hash": eve.exports.put(id_thing("Person", text("email", eve.email)))})
        before = disk(victim)
        befriend(victim, eve)
        refused = victim.tells("sync.failed", code="OVER-BUDGET")
        assert refused["personId"] == eve.person, refused
        until(lambda: eve.exports.times_asked(2) > 2, "the session goes on")
        assert disk(victim) - before < 3 << 20, disk(victim) - before
        _, good, _ = offer_profile(bob, "Bob")
        befriend(victim, bob)
        until(lambda: victim.has(good), "what others bring is taken over")
    victim.is_well()


# ---- Complaints ----

def names_of(peer, profile, count):
    """A profile with many names: count + 1 things of the peer."""
    names = [peer.exports.put(thing("PersonName", text("name", f"{profile} {i}"))) for i in range(count)]
    person = peer.exports.put(id_thing("Person", text("email", peer.email)))
    identity = (text("profileId", f"{profile}"), link("personId", "id", peer.person), link("owner", "id", peer.person))
    return peer.exports.version(
        "Profile", identity, thing("Profile", *identity, links("communicationEndpoint", "obj", []),
                                   links("personDescription", "obj", names)),
        *({"type": "object", "hash": name} for name in names), {"type": "id", "hash": person})


def answer_time(peer):
    """How long its roots take to be told."""
    heard, begun = len(peer.answers), time.monotonic()
    peer.do("text", message='{"requestId":7,"type":"request","serviceId":2,"args":[]}')
    until(lambda: len(peer.answers) > heard, "the roots are told")
    return time.monotonic() - begun


def test_complaints_by_the_dozen(t):
    """Error texts that a node answers with are the peer's to choose: each names a type that it cannot take over."""
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Bystander() as bob:
        for profile in range(size(10, 40)):
            _, last, _ = names_of(eve, profile, 250)
        watch = Watch(victim, bob)
        invitation = befriend(victim, eve)
        watch.during(lambda: victim.has(last), "there are many things of one type", 300)
        calm = min(answer_time(eve) for _ in range(5))
        for i in range(size(40, 60)):
            kind = ("PersonName", "Profile")[i % 8 == 7]
            asked = eve.exports.times_asked(2)
            until(lambda: eve.exports.times_asked(2) > asked, "the node asks")
            eve.do("text", message=json.dumps({"requestId": 8, "type": "request", "serviceId": 6, "args": [last]}))
            eve.do("close", reason=f'Chum ended [2] with error: Error: OR-ET1: Type "{kind}" not found in recipes')
            eve.wait("closed")
            if i % 8 == 0:
                watch.send()
            eve.chum(invitation)
        late = max(answer_time(eve) for _ in range(5))  # the first one is not in a cache
        withheld = victim.told("share.withheld", eve)
        print(f"     {len(withheld)} complaints heard; roots take {1000 * calm:.0f} ms before and {1000 * late:.0f} ms after",
              flush=True)
        assert withheld, "they do not reach the node"
        assert SANITIZER or not FULL or late < 5 * calm + 1.5, (calm, late)
        watch.judge(bytes_offered(eve))


if __name__ == "__main__":
    main(globals())
