"""The works of tests/bench/table.py on real nodes. Each yields rows; what they need of the machine lies in limits.py."""
import json
import os
import re
import signal
import statistics
import subprocess
import time

from control import SECRET, Installation, RpcError, until
from limits import MB, percentile
from nodes import Pair, Friend, dumps, write

KIB = 1024
OBJECTS_AT_A_TIME, LEAVES, PARALLEL = 10_000, 500, 60
LEAF = {"$type$": "Recipe", "name": "BenchLeaf", "rule": [{"itemprop": "text", "itemtype": {"type": "string"}}]}
TREE = {"$type$": "Recipe", "name": "BenchTree", "rule": [
    {"itemprop": "text", "itemtype": {"type": "string"}},
    {"itemprop": "parts", "itemtype": {"type": "bag", "item": {"type": "referenceToObj", "allowedTypes": ["*"]}}}]}


def ms(function):
    began = time.monotonic()
    result = function()
    return (time.monotonic() - began) * 1000, result


def memory_mb(pid, file, field):
    with open(f"/proc/{pid}/{file}") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) * KIB / MB


def node_pids(installation):
    status = installation.call("status")
    return {node: status[node]["pid"] for node in ("archive", "sparse")}


def processes(installation):
    return [installation.process.pid, *node_pids(installation).values()]


def pss(installation):
    return {node: memory_mb(pid, "smaps_rollup", "Pss") for node, pid in node_pids(installation).items()}


def processor_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wake_ups(pid):
    """Of all its threads: how often one began to run after it had waited."""
    count = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as status:
            count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)[1])
    return count


def wire_bytes(installation, node, person=None):
    items = installation.call("connections.list", node=node, limit=1000)["items"]
    return sum(c["bytesSent"] + c["bytesReceived"] for c in items if person is None or c["remotePersonId"] == person)


class Line:
    """One conversation, seen from the sending and the receiving node."""

    def __init__(self, sender, sends, receiver, hears, to, of):
        self.sender, self.sends, self.receiver, self.hears, self.to, self.of = sender, sends, receiver, hears, to, of
        self.out, self.into = sender.client(), receiver.client()
        self.cursor = self.since(0)["next"]

    def since(self, wait_ms, **more):
        return self.into.call("chat.since", node=self.hears, **{"with": self.of}, limit=1000, waitMs=wait_ms, **more)

    def one(self, text):
        """From the call that sends until the other node tells of it."""
        self.into.send("chat.since", node=self.hears, **{"with": self.of}, limit=1000, waitMs=30000, cursor=self.cursor)
        began = time.monotonic()
        self.out.call("chat.send", node=self.sends, to=self.to, text=text)
        _, answer = self.into.receive()
        took = (time.monotonic() - began) * 1000
        assert [m["text"] for m in answer["result"]["items"]] == [text], answer
        self.cursor = answer["result"]["next"]
        return took

    def until(self, text):
        while True:
            answer = self.since(30000, cursor=self.cursor)
            self.cursor = answer["next"]
            if any(m["text"] == text for m in answer["items"]):
                return

    def several(self, count, mark):
        return [self.one(f"{mark} {number}") for number in range(count)]

    def write(self, count, mark):
        lines = "".join(f"{mark} {number}\n" for number in range(count))
        command = [os.path.join(os.environ["TANDEM_BIN"], "tandem"), "--json", "--node", self.sends, "chat", "send",
                   "--to", self.to, "--stdin"]
        subprocess.run(command, env=self.sender.environment, input=lines, text=True, stdout=subprocess.DEVNULL, check=True)
        return f"{mark} {count - 1}"

    def write_at_once(self, count, mark):
        """Over one connection, many calls under way."""
        sent = answered = 0
        while answered < count:
            while sent < count and sent - answered < PARALLEL:
                self.out.send("chat.send", node=self.sends, to=self.to, text=f"{mark} {sent}")
                sent += 1
            self.out.receive()
            answered += 1

    def until_all(self, count):
        while count > 0:
            answer = self.since(30000, cursor=self.cursor)
            self.cursor = answer["next"]
            count -= len(answer["items"])

    def close(self):
        self.out.close()
        self.into.close()


def own_line(pair):
    return Line(pair.t, "sparse", pair.t, "archive", pair.archive, pair.sparse)


# --- Start ---


def start(sizes):
    ups, provisions, memory = [], [], []
    for _ in range(sizes["starts"]):
        t = Installation()
        try:
            ups.append(ms(lambda: t.up("--listen", "localhost:0"))[0])
            provisions.append(ms(lambda: t.cli("provision", "--user", "joe", stdin=SECRET + "\n"))[0])
            memory.append(max(pss(t).values()))
            t.stop()
        finally:
            t.clean()
    return {"upMs": statistics.median(ups), "provisionMs": statistics.median(provisions), "pssMB": statistics.median(memory)}


# --- Messages ---


def messages(line, count, mark):
    line.several(min(count, 5), f"warm {mark}")
    before = wire_bytes(line.sender, line.sends, line.to)
    times = line.several(count, mark)
    settled = until(lambda: quiet(line.sender, line.sends, line.to), "the line is quiet")
    return {"p50": statistics.median(times), "p99": percentile(times, 0.99), "bytes": (settled - before) / count}


def quiet(installation, node, person):
    """How many bytes have crossed, once none do for a while."""
    before = wire_bytes(installation, node, person)
    time.sleep(0.3)
    return before if wire_bytes(installation, node, person) == before else None


def burst(line, count, mark):
    def work():
        line.until(line.write(count, mark))
    return ms(work)[0]


def burst_at_once(line, count, mark):
    def work():
        line.write_at_once(count, mark)
        line.until_all(count)
    return ms(work)[0]


def apart(pair, line, count):
    pair.ok("--node", "archive", "contact", "disable", pair.sparse, "--yes")
    last = line.write(count, "apart")

    def meet():
        pair.ok("--node", "archive", "contact", "enable", pair.sparse)
        line.until(last)
    return ms(meet)[0]


# --- Objects ---


def put_all(installation, node, objects):
    """Many under way at a time; their hashes."""
    client, hashes, left = installation.client(), {}, iter(objects)
    order = []

    def send_one():
        value = next(left, None)
        if value is not None:
            order.append(client.send("object.put", node=node, object=value))
        return value is not None

    under_way = sum(send_one() for _ in range(PARALLEL))
    while under_way:
        request, answer = client.receive()
        hashes[request] = answer["result"]["hash"]
        under_way += send_one() - 1
    client.close()
    return [hashes[request] for request in order]


def plant(installation, node, count, mark):
    """A tree over count leaves of 300 bytes; the hash of its root."""
    leaves = put_all(installation, node, ({"$type$": "BenchLeaf", "text": f"{mark} {i} ".ljust(200, "x")}
                                          for i in range(count)))
    branches = [leaves[i:i + LEAVES] for i in range(0, count, LEAVES)]
    tree = lambda name, parts: {"$type$": "BenchTree", "text": name, "parts": parts}
    twigs = put_all(installation, node, (tree(f"{mark} twig {i}", part) for i, part in enumerate(branches)))
    return put_all(installation, node, [tree(mark, twigs)])[0], leaves[-1]


def know_trees(pair):
    for recipe in (LEAF, TREE):
        path = write(os.path.join(pair.t.top, recipe["name"]), dumps(recipe).encode())
        for node in ("archive", "sparse"):
            pair.ok("--node", node, "recipe", "add", path)


def has_object(client, node, digest):
    try:
        return client.call("object.get", node=node, hash=digest)
    except RpcError:
        return None


def cross(pair, count, mark):
    """Made on the archive while the nodes are apart; from the open connection until the sparse node has stored all: ms."""
    client = pair.t.client()
    stored = lambda: client.call("status")["sparse"]["objects"]
    pair.ok("--node", "archive", "contact", "disable", pair.sparse, "--yes")
    root, last = plant(pair.t, "archive", count, mark)
    client.call("share.grant", node="archive", object=root, **{"with": pair.sparse})
    before = stored()
    assert not has_object(client, "sparse", last), "it has crossed already"
    pair.ok("--node", "archive", "contact", "enable", pair.sparse)
    while stored() - before < count:
        time.sleep(0.002)
    arrived = time.time() * 1000
    took = arrived - opened_at(client)
    client.close()
    return took


def bulk(pair, count):
    return sum(cross(pair, min(OBJECTS_AT_A_TIME, count - first), f"bulk {count} {first}")
               for first in range(0, count, OBJECTS_AT_A_TIME))


def opened_at(client):
    """When the newest connection of the sparse node was open."""
    return max(c["openedAt"] or 0 for c in client.call("connections.list", node="sparse")["items"] if c["live"])


def reconnect(pair, changes):
    """The sparse node is killed, a few changes are made meanwhile: from the open connection until it has them all: ms, and
    the bytes on it."""
    client, sparse = pair.t.client(), node_pids(pair.t)["sparse"]
    os.kill(sparse, signal.SIGSTOP)
    root, last = plant(pair.t, "archive", changes, "changes")
    client.call("share.grant", node="archive", object=root, **{"with": pair.sparse})
    os.kill(sparse, signal.SIGKILL)
    while not (has_object(client, "sparse", last) and has_object(client, "sparse", root)):
        time.sleep(0.002)
    took = time.time() * 1000 - opened_at(client)
    client.close()
    return took, until(lambda: quiet(pair.t, "sparse", pair.archive), "the line is quiet")


# --- Files ---


def has_file(installation, node, digest):
    try:
        return installation.call("blob.stat", node=node, hash=digest)
    except RpcError:
        return None


def file(pair, size):
    path = os.path.join(pair.t.top, "big")
    with open(path, "wb") as out:
        for _ in range(size):
            out.write(os.urandom(MB))
    put_ms, put = ms(lambda: pair.ok("--node", "sparse", "blob", "put", path))
    line = own_line(pair)

    def across():
        attachment = {"hash": put["hash"], "name": "big", "type": "application/octet-stream"}
        pair.t.call("chat.send", node="sparse", to=pair.archive, text="big file", attachments=[attachment])
        line.until("big file")
        until(lambda: has_file(pair.t, "archive", put["hash"]), "the file is there")
    cross_ms = ms(across)[0]
    line.close()
    os.remove(path)
    return {"put": size / put_ms * 1000, "cross": size / cross_ms * 1000}


# --- Idle ---


def idle(pair, friends, seconds):
    """What an archive with so many connected contacts does while nothing happens."""
    others = [Friend(pair, "archive", f"friend{i}") for i in range(friends)]
    try:
        persons = [friend.person for friend in others]
        for person in persons:
            until(lambda p=person: quiet(pair.t, "archive", p), "nothing crosses")
        time.sleep(min(seconds, 5))
        pids = processes(pair.t)
        before = [(processor_s(pid), wake_ups(pid)) for pid in pids]
        bytes_before = sum(wire_bytes(pair.t, "archive", person) for person in persons)
        time.sleep(seconds)
        after = [(processor_s(pid), wake_ups(pid)) for pid in pids]
        crossed = sum(wire_bytes(pair.t, "archive", person) for person in persons) - bytes_before
    finally:
        for friend in others:
            friend.end()
    used = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(before, after)]
    return {"kBperMinute": crossed / friends / 1000 * 60 / seconds, "percent": sum(u[0] for u in used) / seconds * 100,
            "wakeUpsPerS": max(u[1] for u in used) / seconds}


# --- Relay ---


def relay(build, smoke):
    command = [os.path.join(build, "bench_relay"), os.path.join(build, "tandem-relay"), *(["--smoke"] if smoke else [])]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    find = lambda pattern: float(re.search(pattern, shown)[1])
    return {"percent": find(r"while they idle +([\d.]+) %"), "roundTripMs": find(r"through the relay +([\d.]+) us") / 1000,
            "registered": find(r"still registered +(\d+)")}
