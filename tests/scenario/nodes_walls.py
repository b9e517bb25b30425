"""What somebody can do who got into a running process: intruder.c is preloaded into all six programs and tries."""
import ctypes
import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import control
from control import BIN, is_alive, main, until
from nodes import Pair

ATTEMPTS = ["read", "write", "create", "truncate", "chmod", "unix", "abstract", "tcp", "listen", "fork", "exec", "kill",
            "ptrace"]
LANDLOCK = {"read": 2, "write": 2, "create": 2, "abstract": 6, "tcp": 4, "exec": 2, "kill": 6}  # the version that an attempt needs to fail
ENDED = "ended"  # by the kernel, SIGSYS
EACCES, EPERM = errno.EACCES, errno.EPERM
FILES = {"read": EACCES, "write": EACCES, "create": EACCES, "truncate": EPERM, "chmod": EPERM}
PROCESSES = {"fork": ENDED, "exec": ENDED, "kill": ENDED, "ptrace": ENDED}
NODE = {**FILES, "unix": EACCES, "abstract": EACCES, "listen": EPERM, **PROCESSES}


class World:
    """What is outside: a file, two Unix sockets, a TCP port, a process."""

    def __init__(self, t):
        self.top = os.path.join(t.top, "outside")
        os.mkdir(self.top)
        self.file = os.path.join(self.top, "file")
        with open(self.file, "w") as file:
            file.write("content")
        os.chmod(self.file, 0o600)
        path = os.path.join(self.top, "socket")
        self.victim = subprocess.Popen(["sleep", "1000"])
        self.sockets = [self.listen(socket.AF_UNIX, path),
                        self.listen(socket.AF_UNIX, f"\0tandem-test-{self.victim.pid}"),
                        self.listen(socket.AF_INET, ("127.0.0.1", 0))]
        port = self.sockets[2].getsockname()[1]
        library = os.path.realpath(os.environ["TANDEM_INTRUDER"])
        assert os.path.exists(library), library
        self.environment = {"LD_PRELOAD": library,
                            "INTRUDER_WORLD": f"{self.top} {self.file} {path} {port} {self.victim.pid}"}

    @staticmethod
    def listen(family, address):
        listener = socket.socket(family)
        listener.bind(address)
        listener.listen(64)
        return listener

    def untouched(self):
        with open(self.file) as file:
            assert file.read() == "content"
        assert os.stat(self.file).st_mode & 0o777 == 0o600
        assert sorted(os.listdir(self.top)) == ["file", "socket"], os.listdir(self.top)

    def clean(self):
        self.victim.kill()
        self.victim.wait()
        for listener in self.sockets:
            listener.close()


def said(read, name):
    """The last outcome of an attempt in what a process wrote, or None."""
    found = re.findall(rf"INTRUDER {name} (\d+)", read())
    return int(found[-1]) if found else None


def attempt(pid, name, read):
    """The errno; 0 where it was possible."""
    before = len(re.findall(rf"INTRUDER {name} ", read()))
    os.kill(pid, signal.SIGRTMIN + 1 + ATTEMPTS.index(name))
    until(lambda: len(re.findall(rf"INTRUDER {name} ", read())) > before or not is_alive(pid), f"{name} is answered")
    return said(read, name) if len(re.findall(rf"INTRUDER {name} ", read())) > before else ENDED


def file_reader(path):
    def read():
        with open(path, errors="replace") as file:
            return file.read()
    return read


def landlock_version():
    return ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset, LANDLOCK_CREATE_RULESET_VERSION


def try_all(pid, expected, read):
    landlock = landlock_version()
    wrong = {}
    for name in expected:
        if landlock < LANDLOCK.get(name, 0) or expected[name] == ENDED:
            continue
        outcome = attempt(pid, name, read)
        if outcome != expected[name]:
            wrong[name] = outcome
    assert not wrong, (wrong, expected)


def start(t, world):
    t.environment.update(world.environment, TANDEM_RESTART_DEATHS="50")
    pair = Pair(t)
    status = t.call("status")
    return pair, status


def with_world(test):
    def run(t):
        world = World(t)
        try:
            test(t, world)
            world.untouched()
        finally:
            world.clean()
    return run


def node_withstands(t, world, node):
    pair, status = start(t, world)
    log = file_reader(t.path("log", f"{node}.log"))
    try_all(status[node]["pid"], NODE, log)
    for name in PROCESSES:
        pid = t.call("status")[node]["pid"]
        assert attempt(pid, name, log) == ENDED, name
        until(lambda: t.call("status")[node]["pid"] not in (pid, None), "it is started again")
        t.call("wait", **{"for": "federated"})
    deaths = [json.loads(line) for line in file_reader(t.path("log", "supervisor.log"))().splitlines() if "node.died" in line]
    assert [d["signal"] for d in deaths] == [signal.SIGSYS] * len(PROCESSES), deaths
    assert is_alive(world.victim.pid)
    pair.send("archive", "still here")
    pair.arrives("sparse", "still here")
    assert '"event":"wall.refused","code":"SANDBOX"' in log()  # and it is told


@with_world
def _archive(t, world):
    node_withstands(t, world, "archive")


@with_world
def _sparse(t, world):
    node_withstands(t, world, "sparse")


@with_world
def _supervisor(t, world):
    own = os.dup(2)
    with open(os.path.join(t.top, "stderr"), "w") as stderr:
        os.dup2(stderr.fileno(), 2)  # the supervisor inherits it
    try:
        pair, status = start(t, world)
    finally:
        os.dup2(own, 2)
        os.close(own)
    log = file_reader(os.path.join(t.top, "stderr"))
    try_all(t.process.pid, {**FILES, "abstract": EPERM, "fork": 0, "exec": EACCES, "kill": EPERM}, log)
    pair.send("archive", "still here")
    pair.arrives("sparse", "still here")
    assert attempt(t.process.pid, "ptrace", log) == ENDED
    assert t.process.wait(10) == -signal.SIGSYS
    until(lambda: not is_alive(status["archive"]["pid"]), "its nodes go with it")


@with_world
def _relay(t, world):
    path = os.path.join(t.top, "stderr")
    with open(path, "w") as stderr:
        relay = subprocess.Popen([os.path.join(BIN, "tandem-relay"), "--listen", "localhost:0", "--json"], stderr=stderr,
                                 env=dict(os.environ, **world.environment), stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(relay.stdout.readline())["event"] == "ready"
        expected = {**FILES, "unix": EPERM, "abstract": EPERM, "tcp": EPERM, "listen": EPERM}
        try_all(relay.pid, expected, file_reader(path))
        assert attempt(relay.pid, "fork", file_reader(path)) == ENDED
        assert relay.wait(10) == -signal.SIGSYS
    finally:
        relay.kill()
        relay.wait()
        relay.stdout.close()


@with_world
def _ui(t, world):
    start(t, world)
    path = os.path.join(t.top, "stderr")
    with open(path, "w") as stderr:
        ui = subprocess.Popen([os.path.join(BIN, "tandem"), "ui", "--json"], stderr=stderr, env=t.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(ui.stdout.readline())["event"] == "ready"
        try_all(ui.pid, {**FILES, "abstract": EPERM, "tcp": EACCES, "listen": EACCES}, file_reader(path))
        assert attempt(ui.pid, "fork", file_reader(path)) == ENDED
        assert ui.wait(10) == -signal.SIGSYS
    finally:
        ui.kill()
        ui.wait()
        ui.stdout.close()


@with_world
def _command_line(t, world):
    pair, status = start(t, world)
    path = os.path.join(t.top, "stderr")
    with open(path, "w") as stderr:
        follower = subprocess.Popen([os.path.join(BIN, "tandem"), "--json", "events", "--follow"], env=t.environment, stderr=stderr,
                                    stdout=subprocess.PIPE, text=True)
    try:
        pair.send("archive", "an event")
        assert follower.stdout.readline()
        try_all(follower.pid, {"truncate": EPERM, "chmod": EPERM, "abstract": EPERM, "listen": EACCES, "tcp": EACCES},
                file_reader(path))
        assert attempt(follower.pid, "fork", file_reader(path)) == ENDED
        assert follower.wait(10) == -signal.SIGSYS
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()


test_the_archive_withstands_from_inside = _archive
test_the_sparse_node_withstands_from_inside = _sparse
test_the_supervisor_withstands_from_inside = _supervisor
test_the_relay_withstands_from_inside = _relay
test_the_page_s_program_withstands_from_inside = _ui
test_the_command_line_withstands_from_inside = _command_line


def test_every_process_says_what_walls_it_has(t):
    Pair(t)
    status = t.call("status")
    for name, pid in (("supervisor", t.process.pid), ("archive", status["archive"]["pid"]),
                      ("sparse", status["sparse"]["pid"])):
        with open(f"/proc/{pid}/status") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2", (name, fields)
        assert status[name]["walls"] == {"seccomp": True, "landlock": max(landlock_version(), 0)}, status[name]


def test_a_node_goes_on_seeing_itself(t):
    """When memory is short the kernel forgets what it knows of /proc, and the walls with it."""
    Pair(t)
    try:
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("2")
    except OSError:
        print("     not tried: this user cannot make the kernel forget")
        return
    for node in ("archive", "sparse"):
        assert t.call("stats", node=node)["rssBytes"] > 1 << 20, node


def test_a_program_that_an_update_replaced_is_started_again(t):
    programs = os.path.join(t.top, "bin")
    os.mkdir(programs)
    for name in ("tandem", "tandem-supervisor", "tandem-archive", "tandem-sparse"):
        shutil.copy(os.path.join(BIN, name), programs)
    kept, control.BIN = control.BIN, programs
    try:
        pair = Pair(t)
        pid = t.call("status")["archive"]["pid"]
        shutil.copy(os.path.join(programs, "tandem-archive"), os.path.join(programs, "new"))
        os.rename(os.path.join(programs, "new"), os.path.join(programs, "tandem-archive"))
        os.kill(pid, signal.SIGKILL)
        until(lambda: t.call("status")["archive"]["pid"] not in (pid, None), "it is started again")
        t.call("wait", **{"for": "federated"})
        with open(f"/proc/{t.call('status')['archive']['pid']}/comm") as file:
            assert file.read() == "tandem-archive\n"
        pair.send("archive", "still here")
        pair.arrives("sparse", "still here")
    finally:
        control.BIN = kept


def test_a_new_ca_file_out_of_reach_is_told(t):
    outside = os.path.join(t.top, "outside")
    os.mkdir(outside)
    with open(os.path.join(outside, "ca.pem"), "w") as file:
        file.write("")
    t.up("--listen", "localhost:0")
    with open(t.path("tandem.conf"), "w") as file:
        file.write(f"[tls]\nca_file = {outside}/ca.pem\n")
    t.process.send_signal(signal.SIGHUP)
    log = file_reader(t.path("log", "supervisor.log"))
    until(lambda: "config.reloaded" in log(), "the settings are read")
    assert ("config.out-of-reach" in log()) == (landlock_version() >= 2), log()


if __name__ == "__main__":
    main(globals())
