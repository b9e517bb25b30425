"""What the scenarios share: an installation in a temporary folder, run with fake nodes (control_*) or the real ones
(nodes_*), and a client of the control endpoint in plain Python that speaks the SP bytes of docs/ipc.md itself.

Every scenario is a Python file with functions named test_*; each gets a fresh Installation. Conditions are awaited with
a deadline; nothing sleeps and hopes.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

BIN = os.environ["TANDEM_BIN"]            # folder of tandem and tandem-supervisor
FAKE_NODE = os.environ.get("TANDEM_FAKE_NODE")  # empty: the real nodes
GENTLE = bool(os.environ.get("TANDEM_GENTLE"))  # let everything end by itself: only then it tells what it covered
SECRET = "correct horse"


def busy():
    """How many times slower than alone this machine is about to be: processes that want to run, per processor."""
    with open("/proc/loadavg") as load:
        average, _, _, running, *_ = load.read().split()
    wanted = max(float(average), int(running.split("/")[0]))
    return min(max(1, wanted / os.cpu_count()), 10)


def within(seconds):
    """The bound of what takes less than this on a machine that does nothing else."""
    return seconds * busy()


def place():
    """Where installations live: in memory if it has room, as most of their time would be a disk's."""
    memory = "/dev/shm"
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK):
        return None
    return memory if shutil.disk_usage(memory).free >= ROOM else None


PATIENCE_S = 60 * min(busy(), 3)
ROOM = 2 << 30
PLACE = place()


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.number = error["code"]
        self.code = error["data"]["code"]


class Client:
    """One REQ connection. Several requests may be under way; answers come in any order."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path)
        self.socket.sendall(b"\0SP\0" + struct.pack(">HH", 0x30, 0))  # greeting: REQ
        greeting = self.read(8)
        assert greeting == b"\0SP\0" + struct.pack(">HH", 0x31, 0), greeting  # REP
        self.next_id = 1

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the supervisor closed the connection")
            data += piece
        return data

    def send_bytes(self, body):
        request = 0x80000000 | self.next_id
        self.next_id += 1
        payload = struct.pack(">I", request) + body
        self.socket.sendall(b"\1" + struct.pack(">Q", len(payload)) + payload)
        return request

    def send(self, method, **params):
        message = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}
        return self.send_bytes(json.dumps(message).encode())

    def receive(self):
        head = self.read(9)
        assert head[0] == 1
        payload = self.read(struct.unpack(">Q", head[1:])[0])
        return struct.unpack(">I", payload[:4])[0], json.loads(payload[4:])

    def call(self, method, **params):
        request = self.send(method, **params)
        answered, answer = self.receive()
        assert answered == request
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def close(self):
        self.socket.close()


class Installation:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="tandem-scenario-", dir=PLACE)
        self.dir = os.path.join(self.top, "state")
        self.process = None
        self.environment = dict(os.environ, TANDEM_STATE_DIR=self.dir, NO_COLOR="1")

    # --- the supervisor ---

    @staticmethod
    def fake_nodes():
        return ["--archive-binary", FAKE_NODE, "--sparse-binary", FAKE_NODE] if FAKE_NODE else []

    def spawn(self, *options):
        nodes = self.fake_nodes()
        self.process = subprocess.Popen([os.path.join(BIN, "tandem"), "up", "--json", "--stdin-lifetime", *nodes,
                                         *options], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def up(self, *options, **environment):
        self.environment.update(environment)
        self.spawn(*options)
        first = json.loads(self.process.stdout.readline())
        assert first["event"] == "ready", first
        self.socket_path = first["control"][len("ipc://"):]
        return first

    def stop(self):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_exit()

    def wait_exit(self):
        status = self.process.wait(PATIENCE_S)
        self.process.stdin.close()
        self.process.stdout.close()
        return status

    def clean(self):
        if self.process is not None and self.process.poll() is None:
            if GENTLE:
                self.process.terminate()
                try:
                    self.process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    pass
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)

    # --- asking ---

    def client(self):
        return Client(self.socket_path)

    def call(self, method, **params):
        client = self.client()
        try:
            return client.call(method, **params)
        finally:
            client.close()

    def provision(self, **params):
        return self.call("provision", **{"user": "joe", "secret": SECRET, **params})

    def cli(self, *arguments, stdin=""):
        done = subprocess.run([os.path.join(BIN, "tandem"), *arguments], env=self.environment, input=stdin, text=True,
                              capture_output=True, timeout=PATIENCE_S)
        return done.returncode, done.stdout, done.stderr

    def cli_json(self, *arguments, stdin=""):
        status, out, err = self.cli("--json", *arguments, stdin=stdin)
        return status, json.loads(out)

    def path(self, *names):
        return os.path.join(self.dir, *names)


def until(condition, what):
    """The first true value of condition()."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def fails_with(code, function, *arguments, **parameters):
    try:
        function(*arguments, **parameters)
    except RpcError as error:
        assert error.code == code, f"{error.code} instead of {code}: {error}"
        return error
    raise AssertionError(f"{code} was expected")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def snapshot(folder):
    """Names and contents of everything below a folder, except logs and sockets."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path) and f"{folder}/log" not in path and f"{folder}/run" not in path:
                try:
                    with open(path, "rb") as file:
                        found[path] = file.read()
                except FileNotFoundError:
                    pass  # removed meanwhile
                except PermissionError:
                    found[path] = None  # damaged on purpose
    return found


def main(namespace):
    """Runs the test_* functions of a scenario, or those named on the command line."""
    failed = 0
    tests = {name: function for name, function in namespace.items() if name.startswith("test_")}
    for name in sys.argv[1:] or tests:
        installation = Installation()
        began = time.monotonic()
        try:
            tests[name](installation)
            print(f"ok   {name} ({time.monotonic() - began:.2f} s)", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAIL {name}", flush=True)
            for log in ("supervisor", "archive", "sparse"):
                try:
                    with open(installation.path("log", log + ".log")) as file:
                        print(f"--- {log}.log\n{file.read()[-4000:]}", flush=True)
                except OSError:
                    pass
        finally:
            installation.clean()
    sys.exit(1 if failed else 0)
