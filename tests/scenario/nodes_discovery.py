"""Finding each other in a local network: machines are network namespaces, each with a D-Bus and an avahi-daemon of its
own, on one link."""
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import control
from control import BIN, SECRET, Installation, main, until
from nodes import Pair

TOOLS = ("unshare", "ip", "dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
CLONE_NEWNET = 0x40000000
BUS = """<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""
AVAHI = """[server]
host-name={}
use-ipv6=no
allow-interfaces={}
ratelimit-interval-usec=1000000
ratelimit-burst=1000
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
[rlimits]
"""


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def answers(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


class Machine:
    """A network namespace with an address on the link; what is started in on() lives there."""

    def __init__(self, top, name, interface, address):
        self.name, self.interface, self.address = name, interface, address
        self.folder = os.path.join(top, name)
        os.mkdir(self.folder)
        self.bus_path = os.path.join(self.folder, "bus")
        self.keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        self.namespace = os.open(f"/proc/{self.keeper.pid}/ns/net", os.O_RDONLY)
        self.daemons = {}

    @contextlib.contextmanager
    def on(self):
        """Processes inherit the namespace of the thread that forks."""
        libc = ctypes.CDLL(None, use_errno=True)
        before = os.open("/proc/self/ns/net", os.O_RDONLY)
        assert libc.setns(self.namespace, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        bus, os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", ""), "unix:path=" + self.bus_path
        try:
            yield
        finally:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus
            assert libc.setns(before, CLONE_NEWNET) == 0
            os.close(before)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)
        return file.name

    def start(self, name, *command):
        with self.on(), open(os.path.join(self.folder, name + ".log"), "a") as log:
            self.daemons[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self, name):
        self.daemons[name].send_signal(signal.SIGKILL)
        self.daemons.pop(name).wait()

    def start_bus(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.bus_path)
        self.start("bus", "dbus-daemon", "--nofork", "--nopidfile", "--config-file",
                   self.write("bus.conf", BUS.format(self.bus_path)))
        until(lambda: answers(self.bus_path), "D-Bus listens")

    def start_avahi(self):
        """With a /run of its own, where it writes its number, and as the only user there is in the namespace."""
        config = self.write("avahi.conf", AVAHI.format(self.name, self.interface))
        passwd = self.write("passwd", "root:x:0:0::/:/bin/sh\navahi:x:0:0::/:/bin/sh\n")
        group = self.write("group", "root:x:0:\navahi:x:0:\n")
        self.start("avahi", "unshare", "--mount", "sh", "-c",
                   f"mount -t tmpfs tmpfs /run && mount --bind {passwd} /etc/passwd && mount --bind {group} /etc/group && "
                   f"exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f {config}")

    def set_address(self, address):
        with self.on():
            run("ip", "addr", "flush", "dev", self.interface)
            run("ip", "addr", "add", address + "/24", "broadcast", "+", "dev", self.interface)
        self.address = address

    def open(self):
        with self.on():
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "set", self.interface, "multicast", "on", "up")
        self.set_address(self.address)
        self.start_bus()
        self.start_avahi()
        with self.on():
            until(lambda: subprocess.run(["avahi-browse", "-tp", "_one._tcp"], capture_output=True).returncode == 0,
                  "Avahi answers")

    def browse(self):
        """What avahi-browse resolves: (name, address, port, TXT) of each."""
        with self.on():
            lines = subprocess.run(["avahi-browse", "-rtp", "_one._tcp"], capture_output=True, text=True).stdout
        rows = [line.split(";") for line in lines.splitlines() if line.startswith("=")]
        return {(row[3], row[7], int(row[8]), row[9]) for row in rows}

    def close(self):
        for name in list(self.daemons):
            self.kill(name)
        self.keeper.stdin.close()
        self.keeper.wait()
        os.close(self.namespace)


class Side:
    """An installation on a machine."""

    def __init__(self, machine, user):
        self.machine, self.user = machine, user
        self.t = Installation()
        self.t.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + machine.bus_path

    def up(self, *options):
        with self.machine.on():
            self.t.up(*options)
        return self

    def cli(self, *arguments, stdin=""):
        with self.machine.on():
            return self.t.cli_json(*arguments, stdin=stdin)

    def ok(self, *arguments, stdin=""):
        status, result = self.cli(*arguments, stdin=stdin)
        assert status == 0, (arguments, result)
        return result

    def open(self):
        return self.ok("provision", "--user", self.user, stdin=SECRET + "\n")

    def open_at_address(self):
        """With a listener that others reach."""
        self.up("--listen", self.machine.address + ":0")
        self.open()
        return self

    def found(self):
        return {item["name"]: item for item in self.ok("discovery", "list")}

    def end(self):
        self.t.stop()
        self.t.clean()


@contextlib.contextmanager
def two_machines():
    top = control.tempfile.mkdtemp(prefix="tandem-network-", dir="/tmp")
    machines = [Machine(top, "left", "d0", "192.168.77.1"), Machine(top, "right", "d1", "192.168.77.2")]
    try:
        run("ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1")
        for machine in machines:
            run("ip", "link", "set", machine.interface, "netns", str(machine.keeper.pid))
        for machine in machines:
            machine.open()
        sides = [Side(machines[0], "joe"), Side(machines[1], "ann")]
        try:
            yield sides
        finally:
            for side in sides:
                side.end()
    except BaseException:
        for machine in machines:
            for log in ("bus", "avahi"):
                with contextlib.suppress(OSError), open(os.path.join(machine.folder, log + ".log")) as file:
                    print(f"--- {machine.name} {log}\n{file.read()[-3000:]}")
        raise
    finally:
        for machine in machines:
            machine.close()
        shutil.rmtree(top)


def inside_found():
    with two_machines() as (left, right):
        left.open_at_address()
        right.up("--listen", "localhost:0")
        assert left.ok("discovery", "list") == [] and left.machine.browse() == set()  # off
        on = left.ok("discovery", "on")
        port = on["port"]
        assert on["state"] == "announced" and on["reason"] is None and re.fullmatch("one-[a-z2-9]{8}", on["name"]), on
        # What strangers see: where it listens, and what every peer of the protocol says.
        expected = {(on["name"], "192.168.77.1", port, '"chum=8" "txtvers=1"')}
        until(lambda: right.machine.browse() == expected, "the neighbour's avahi-browse shows it")
        # The other one has nothing to announce, and finds it.
        quiet = right.ok("discovery", "on")
        assert quiet["state"] == "looking" and "this machine only" in quiet["reason"], quiet
        item = until(lambda: right.found().get(on["name"]), "the neighbour finds it")
        assert item["own"] is False and item["url"] == f"ws://192.168.77.1:{port}" and item["port"] == port, item
        assert item["addresses"] == ["192.168.77.1"] and item["host"] == "left.local", item
        assert item["txt"] == {"txtvers": "1", "chum": "8"} and abs(item["seenAt"] / 1000 - time.time()) < 100, item
        assert until(lambda: left.found(), "it finds itself")[on["name"]]["own"] is True
        assert set(right.found()) == {on["name"]}
        # No rights come of it: a connection still wants an invitation.
        assert right.ok("discovery", "list") and not left.ok("contacts")[1:], left.ok("contacts")
        # Withdrawn at once.
        assert left.ok("discovery", "off")["state"] == "off"
        until(lambda: right.found() == {} and right.machine.browse() == set(), "it is gone from the network")
        assert left.ok("discovery", "list") == []


def inside_lasting():
    with two_machines() as (left, right):
        left.open_at_address()
        right.up("--listen", "localhost:0")
        right.ok("discovery", "on")
        first = left.ok("discovery", "on")["name"]
        until(lambda: first in right.found(), "it is found")
        # A listener that is shut is no more announced, and is again when it opens.
        left.ok("listener", "stop")
        until(lambda: right.found() == {}, "the shut listener is gone")
        left.ok("listener", "start")
        again = until(lambda: set(right.found()), "the open listener is there again")
        assert again != {first}, "a name lasts no longer than a run of the program"
        # Stopped without a word: the network is told all the same.
        left.t.process.kill()
        left.t.process.wait()
        until(lambda: right.found() == {}, "it ended with its supervisor")
        left.open_at_address()
        second = until(lambda: set(right.found()), "it is on after a restart")
        assert second != {first}, "a name lasts no longer than a run"
        with open(left.t.path("tandem.conf")) as file:
            assert file.read() == "[discovery]\non = true\n"
        # The same by the file.
        with open(left.t.path("tandem.conf"), "w") as file:
            file.write("[discovery]\non = false\n")
        left.t.process.send_signal(signal.SIGHUP)
        until(lambda: right.found() == {}, "SIGHUP reads the setting")


def inside_trouble():
    with two_machines() as (left, right):
        left.open_at_address()
        right.up("--listen", "localhost:0")
        right.ok("discovery", "on")
        name = left.ok("discovery", "on")["name"]
        until(lambda: name in right.found(), "it is found")
        names = [name]

        def unavailable():
            status, result = left.cli("discovery", "list")
            return status == 1 and result["error"]["code"] == "DISCOVERY-UNAVAILABLE" and result["error"]

        def announced():
            """Under another name each time."""
            status, result = left.cli("discovery", "list")
            own = {item["name"] for item in result if item["own"]} - set(names) if status == 0 else set()
            names.extend(own)
            return own
        left.machine.kill("avahi")
        error = until(unavailable, "it says that Avahi is away")
        assert "apt install avahi-daemon" in error["hint"], error
        status, findings = left.cli("doctor")
        finding = next(check for check in findings["checks"] if check["check"] == "discovery")
        assert status == 1 and not finding["ok"] and "avahi-daemon" in finding["advice"], finding
        left.machine.start_avahi()
        until(announced, "it is announced again")
        until(lambda: names[-1] in right.found(), "and found")
        left.machine.kill("bus")
        left.machine.kill("avahi")
        until(unavailable, "it says that D-Bus is away")
        left.machine.start_bus()
        left.machine.start_avahi()
        until(announced, "it is announced again")
        # Its program is killed.
        with left.machine.on():
            children = run("ps", "-o", "pid=,args=", "--ppid", str(left.t.process.pid)).splitlines()
        seeker = next(int(line.split()[0]) for line in children if "tandem-discovery" in line)
        os.kill(seeker, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{seeker}"), "it is gone")
        until(announced, "another one is there")
        until(lambda: names[-1] in right.found(), "and found")


@contextlib.contextmanager
def announcer(machine, name, *arguments):
    """The program alone, so that its name is known beforehand: what it says, line by line."""
    with machine.on():
        process = subprocess.Popen([os.path.join(BIN, "tandem-discovery"), "--name", name, "--host", machine.address, "--port",
                                    "4443"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield (json.loads(line) for line in process.stdout)
        process.stdin.close()


def inside_refused():
    """D-Bus lets nobody announce: others are found all the same, and later it is asked again."""
    with two_machines() as (left, right):
        right.open_at_address()
        neighbour = right.ok("discovery", "on")["name"]
        denied = '<deny send_interface="org.freedesktop.Avahi.Server" send_member="EntryGroupNew"/></policy>'

        def allow(bus):
            left.machine.write("bus.conf", bus.format(left.machine.bus_path))
            left.machine.daemons["bus"].send_signal(signal.SIGHUP)
        allow(BUS.replace("</policy>", denied))
        left.open_at_address()
        until(lambda: (lambda on: on["state"] == "looking" and "refuses" in on["reason"])(left.ok("discovery", "on")),
              "it says that it is not announced")
        until(lambda: neighbour in left.found(), "others are found")
        shown = left.t.call("discovery.list")
        assert shown["state"] == "looking" and shown["code"] is None, shown
        allow(BUS)
        until(lambda: any(item["own"] for item in left.found().values()), "it is announced once it may be")


def inside_collision():
    with two_machines() as (left, right):
        left.open_at_address()
        thief = ("avahi-publish", "-s", "one-taken", "_one._tcp", "4444", "evil=\x1b[31mred")
        # On the same machine Avahi says so at once.
        left.machine.start("thief", *thief)
        until(lambda: left.machine.browse(), "somebody else has the name")
        with announcer(left.machine, "one-taken") as said:
            assert next(line["name"] for line in said if line.get("state") == "announced") == "one-taken #2"
        left.ok("discovery", "on")
        found = until(lambda: len(left.found()) == 2 and left.found(), "both are there")
        assert found["one-taken"]["own"] is False and found["one-taken"]["txt"] == {"evil": "\x1b[31mred"}
        left.machine.kill("thief")
        # On another one it is settled by asking, and one of the two gives way.
        name = until(lambda: len(left.found()) == 1 and left.found(), "the thief is gone").popitem()[0]
        right.machine.start("thief", "avahi-publish", "-s", name, "_one._tcp", "4444")
        until(lambda: sorted(left.found()) == [name, name + " #2"], "they go by two names")
        assert sum(item["own"] for item in left.found().values()) == 1
        # What others call themselves reaches no terminal as it is.
        right.machine.kill("thief")
        right.machine.start("thief", "avahi-publish", "-s", "\x1b]0;owned\x07\u202etxt", "_one._tcp", "4445")
        until(lambda: any("owned" in one for one in left.found()), "the odd one is there")
        with left.machine.on():
            status, out, err = left.t.cli("discovery", "list")
        assert status == 0 and "owned" in out, (out, err)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out), repr(out)


def dns_name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(name, kind, data, unique=True, seconds=1200):
    return name + struct.pack(">HHIH", kind, 0x8001 if unique else 1, seconds, len(data)) + data


def answer_of_a_stranger(name, text, address, seconds=1200):
    """PTR, SRV, TXT and A of a service that nobody asked for; 0 seconds: it is gone."""
    service = (b"_one", b"_tcp", b"local")
    host = dns_name(b"crowd", b"local")
    return (record(dns_name(*service), 12, dns_name(name, *service), unique=False, seconds=seconds) +
            record(dns_name(name, *service), 33, struct.pack(">HHH", 0, 0, 4444) + host) +
            record(dns_name(name, *service), 16, text) + record(host, 1, socket.inet_aton(address)))


def shout(machine, services):
    with machine.on(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(machine.address))
        s.bind(("", 5353))
        for one in services:
            s.sendto(struct.pack(">HHHHHH", 0, 0x8400, 0, 4, 0, 0) + one, ("224.0.0.251", 5353))


def inside_crowd():
    with two_machines() as (left, right):
        left.open_at_address()
        name = left.ok("discovery", "on")["name"]
        until(lambda: name in left.found(), "it finds itself")
        # Odd ones: a name and TXT of any bytes, many entries, an address that would lead to ourselves.
        many = b"".join(b"\x03k=%c" % (97 + i) for i in range(20))
        odd = [answer_of_a_stranger(b"odd\n\x1b[2J", many, "192.168.77.2"),
               answer_of_a_stranger(b"binary", b"\x06a=\0\xff\xfe\n\x05b=\xff\xfe\x07", "192.168.77.2")]
        crowd = [answer_of_a_stranger(b"crowd-%d" % i, b"\0", "192.168.77.2") for i in range(300)]

        def after(services, condition, what):
            """Told again now and then, as packets get lost."""
            last = [0]

            def heard():
                if time.monotonic() - last[0] > 5:
                    shout(right.machine, services)
                    last[0] = time.monotonic()
                return condition(left.t.call("discovery.list"))
            return until(heard, what)
        after(odd, lambda listed: len(listed["items"]) == 3, "the odd ones are there")
        found = left.found()
        assert found["binary"]["txt"] == {"b": "\ufffd\ufffd\x07"}, found
        assert len(found["odd\n\x1b[2J"]["txt"]) <= 8, found
        items = after(crowd, lambda listed: listed["leftOut"] > 0 and listed["items"], "not all of them have room")
        assert len(items) == 256, len(items)
        found = {item["name"]: item for item in items}
        assert found[name]["own"] is True and sum(item["own"] for item in items) == 1
        assert all(item["addresses"] and len(item["txt"]) <= 8 for item in items)
        # When some go there is room for those that were left out, though the network does not tell of them again.
        farewell = [answer_of_a_stranger(b"crowd-%d" % i, b"\0", "192.168.77.2", 0) for i in range(0, 300, 3)]

        def all_have_room(listed):
            crowd_of = lambda names: {one for one in names if one.startswith("crowd-")}
            return listed["leftOut"] == 0 and crowd_of(item["name"] for item in listed["items"]) == \
                crowd_of(row[0] for row in left.machine.browse())
        after(farewell, all_have_room, "all that Avahi has left have room")
        shout(right.machine, [answer_of_a_stranger(b"crowd-1", b"\0", "127.0.0.1")])
        assert left.ok("status")["archive"]["state"] == "running"
        assert left.ok("discovery", "off")["state"] == "off"


def inside_addresses():
    with two_machines() as (left, right):
        left.up("--listen", "0.0.0.0:0", "--host", "box.local")
        left.open()
        right.up("--listen", "localhost:0")
        right.ok("discovery", "on")
        on = left.ok("discovery", "on")
        assert on["state"] == "announced", on
        until(lambda: right.found().get(on["name"], {}).get("addresses") == ["192.168.77.1"], "it is found")
        for machine, address in ((left.machine, "10.9.8.1"), (right.machine, "10.9.8.2")):
            machine.set_address(address)
        item = until(lambda: (lambda one: one and one["addresses"] == ["10.9.8.1"] and one)(right.found().get(on["name"])),
                     "both are in another network, and look anew")
        assert item["url"] == f"ws://10.9.8.1:{on['port']}", item


def in_namespaces(what):
    environment = dict(os.environ, PATH=PATH, TMPDIR="/tmp")
    done = subprocess.run([*UNSHARE, sys.executable, __file__, "inside", what], capture_output=True, text=True,
                          env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_neighbour_finds_it_and_no_more(t):
    in_namespaces("found")


def test_it_lasts_over_restarts_and_ends_with_the_listener(t):
    in_namespaces("lasting")


def test_a_daemon_that_dies_is_waited_for(t):
    in_namespaces("trouble")


def test_a_name_that_is_taken_and_one_that_is_odd(t):
    in_namespaces("collision")


def test_a_crowd_has_no_more_than_its_room(t):
    in_namespaces("crowd")


def test_who_may_not_announce_finds_others_all_the_same(t):
    in_namespaces("refused")


def test_who_comes_to_another_network_looks_anew(t):
    in_namespaces("addresses")


def test_without_avahi_it_says_what_to_do(t):
    t.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + os.path.join(t.top, "nothing")
    t.up("--listen", "localhost:0")
    for command in ("on", "list"):
        status, result = t.cli_json("discovery", command)
        error = result["error"]
        assert status == 1 and error["code"] == "DISCOVERY-UNAVAILABLE", result
        assert "apt install avahi-daemon" in error["hint"] and "is on" in error["message"], error
    assert t.cli_json("config", "show")[1]["discovery.on"] == "true"  # and waits
    assert t.cli_json("discovery", "off")[1]["state"] == "off"
    assert t.cli_json("discovery", "list") == (0, [])
    assert t.stop() == 0
    # Without a supervisor it is for the next one.
    status, result = t.cli_json("discovery", "on")
    assert status == 0 and "next start" in result["reason"], result
    assert t.cli_json("config", "show")[1]["discovery.on"] == "true"


def test_a_file_out_of_reach_is_left_to_its_user(t):
    """The supervisor's walls let it read what 'up --config' names."""
    t.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + os.path.join(t.top, "nothing")
    folder = os.path.join(t.top, "elsewhere")
    os.mkdir(folder)
    path = os.path.join(folder, "my.conf")
    with open(path, "w") as file:
        file.write("[log]\nlevel = debug\n")
    t.up("--listen", "localhost:0", "--config", path)
    status, result = t.cli_json("discovery", "on")
    if status != 0 and result["error"]["code"] == "NO-PERMISSION":  # not without walls
        assert f"config set --config {path} discovery.on true" in result["error"]["message"], result
        assert t.cli_json("discovery", "list") == (0, [])
        assert t.cli("config", "set", "--config", path, "discovery.on", "true")[0] == 0
        t.process.send_signal(signal.SIGHUP)
    until(lambda: t.cli_json("discovery", "list")[0] == 1, "it is on, and has no Avahi")
    with open(path) as file:
        assert file.read() == "[log]\nlevel = debug\n\n[discovery]\non = true\n"
    assert t.stop() == 0


def test_a_build_without_it_says_so(t):
    """Programs find each other by where they are."""
    folder = os.path.join(t.top, "bin")
    os.mkdir(folder)
    for name in ("tandem", "tandem-supervisor", "tandem-archive", "tandem-sparse"):
        shutil.copy2(os.path.join(BIN, name), folder)
    control.BIN = folder
    try:
        t.up("--listen", "localhost:0")
        status, result = t.cli_json("discovery", "on")
        assert status == 1 and result["error"]["code"] == "DISCOVERY-NOT-BUILT", result
        assert t.cli_json("config", "show")[1]["discovery.on"] == "false"
        assert t.cli_json("discovery", "list") == (0, [])
        assert t.stop() == 0
    finally:
        control.BIN = BIN


def what_is_lacking():
    if not os.path.exists(os.path.join(BIN, "tandem-discovery")):
        return "this build has no tandem-discovery"
    lacking = [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]
    if lacking:
        return "not installed: " + ", ".join(lacking)
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
        return "this system allows no namespaces"
    return None


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        globals()["inside_" + sys.argv[2]]()
        sys.exit(0)
    if what_is_lacking():
        print("skipped:", what_is_lacking())
        sys.exit(77)
    main(globals())
