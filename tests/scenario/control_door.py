"""The sockets of this machine: whoever connects, however badly, costs nothing afterwards; and who may connect at all."""
import glob
import json
import os
import shutil
import socket
import struct
import subprocess
import time

from control import BIN, FAKE_NODE, Client, fails_with, main, until, within

SPARE_KB = 320 * 1024 if os.environ.get("TANDEM_SANITIZE") else 0  # what AddressSanitizer keeps of freed memory
CLIENTS = int(os.environ.get("TANDEM_DOOR_CLIENTS", "10000"))
GREETING = b"\0SP\0" + struct.pack(">HH", 0x30, 0)
NOBODY = 65534
SOCKETS = ("control.sock", "events.sock", "archive.sock", "sparse.sock")


def message(body, length=None):
    return b"\1" + struct.pack(">Q", len(body) if length is None else length) + body


def request(text):
    return message(struct.pack(">I", 0x80000001) + text)


BAD = {
    "bare": b"",
    "half a greeting": GREETING[:5],
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
    "the wrong socket": b"\0SP\0" + struct.pack(">HH", 0x10, 0),
    "greeted, then gone": GREETING,
    "half a head": GREETING + b"\1\0\0",
    "oversized": GREETING + message(b"", 2**63),
    "announced, not sent": GREETING + message(b"abc", 8 * 1024 * 1024),
    "unknown kind of message": GREETING + b"\2" + bytes(8),
    "no request id": GREETING + message(b"\0\0"),
    "endless request id": GREETING + message(bytes(400)),
    "garbage": GREETING + request(b"\xff\xfe{{{"),
    "empty messages": GREETING + message(b"") * 50,
    "asked, then gone": GREETING + request(b'{"jsonrpc":"2.0","id":1,"method":"status"}') * 3,
    "waits, then gone": GREETING + request(b'{"jsonrpc":"2.0","id":1,"method":"wait","params":{"for":"idle"}}'),
}


def attack(path, data):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(5)
        one.connect(path)
        try:
            if data:
                one.sendall(data)
        except OSError:
            pass  # closed meanwhile: as it should be


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kilobytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def answers_promptly(t, times=200):
    client = t.client()
    took = []
    for _ in range(times):
        began = time.monotonic()
        client.call("events.since", limit=1)
        took.append(time.monotonic() - began)
    client.close()
    took.sort()
    assert took[int(times * 0.99)] < within(0.1), f"p99 is {took[int(times * 0.99)]:.3f} s"


def test_ten_thousand_bad_clients_cost_nothing_afterwards(t):
    pid = t.up()["pid"]
    folder = os.path.dirname(t.socket_path)
    answers_promptly(t)
    before = (descriptors(pid), kilobytes(pid))
    kinds = list(BAD.values())
    for i in range(CLIENTS):
        attack(os.path.join(folder, SOCKETS[i % 4]), kinds[(i // 4) % len(kinds)])
        if i % 1000 == 999:
            answers_promptly(t, 20)
    until(lambda: descriptors(pid) <= before[0], "all are closed")
    assert t.call("status")["supervisor"]["pid"] == pid
    answers_promptly(t)
    began = cpu_s(pid)
    time.sleep(1)  # of idleness, which is measured
    assert cpu_s(pid) - began < 0.1
    assert kilobytes(pid) - before[1] < 16 * 1024 + SPARE_KB
    status, out, err = t.cli("status")
    assert status == 0, err
    for node in ("archive", "sparse"):
        assert t.call("status")[node]["restarts"] == 0


def test_one_bare_connection_after_another(t):
    """The shortest way to end the listener of nng 1.5.2: to be gone before it greets."""
    t.up()
    for _ in range(50):
        attack(t.socket_path, b"")
        assert t.cli("status")[0] == 0


def test_killed_command_lines_are_no_harm(t):
    pid = t.up()["pid"]
    before = descriptors(pid)
    for i in range(30):
        one = subprocess.Popen([os.path.join(BIN, "tandem"), "status"], env=t.environment, stdout=subprocess.DEVNULL)
        time.sleep(i % 11 / 1000)  # somewhere between its start and its end
        one.kill()
        one.wait()
    answers_promptly(t)
    until(lambda: descriptors(pid) <= before, "all are closed")


def test_those_who_stay_and_say_nothing_give_way(t):
    pid = t.up()["pid"]
    folder = os.path.dirname(t.socket_path)
    before = descriptors(pid)
    held = []
    for name in SOCKETS:
        for data in (b"", GREETING[:3], GREETING, GREETING + message(b"x" * 1000, 100_000)):
            for _ in range(200):
                one = socket.socket(socket.AF_UNIX)
                one.connect(os.path.join(folder, name))
                held.append(one)
                try:
                    one.sendall(data)
                except OSError:
                    pass
                if len(held) % 100 == 0:
                    answers_promptly(t, 5)
    answers_promptly(t)
    assert descriptors(pid) < before + 400
    for one in held:
        one.close()
    until(lambda: descriptors(pid) <= before, "all are closed")


def test_a_client_that_does_not_read_holds_nobody_up(t):
    pid = t.up()["pid"]
    t.provision()
    before = kilobytes(pid)
    lazy = t.client()
    lazy.socket.settimeout(1)
    try:
        for _ in range(20000):
            lazy.send("events.since", limit=1000)
    except OSError:
        pass  # it is not heard any more
    answers_promptly(t)
    assert kilobytes(pid) - before < 64 * 1024 + SPARE_KB
    lazy.close()


def test_eight_large_halves_leave_room_for_a_whole(t):
    pid = t.up()["pid"]
    t.provision()
    before = kilobytes(pid)
    held = []
    for _ in range(30):
        one = Client(t.socket_path)
        try:
            one.socket.sendall(message(bytes(7 * 1024 * 1024), 8 * 1024 * 1024))
        except OSError:
            pass
        held.append(one)
    answers_promptly(t)
    assert kilobytes(pid) - before < 128 * 1024 + SPARE_KB
    text = "x" * (1024 * 1024)
    assert t.call("chat.send", to="01234567", text=text)
    for one in held:
        one.close()


def test_waiting_requests_of_one_are_no_burden_to_others(t):
    t.up(FAKE_FEDERATE_MS="-1")
    greedy = t.client()
    for _ in range(64):
        greedy.send("wait", **{"for": "federated", "timeoutMs": 30000})
    fails_with("BUSY", lambda: greedy.call("status"))
    assert t.call("status")["federated"] is False  # somebody else is answered
    greedy.close()
    for _ in range(40):  # and waits whose client has gone are gone, too
        another = t.client()
        for _ in range(60):
            another.send("wait", **{"for": "federated", "timeoutMs": 30000})
        another.close()
    answers_promptly(t)
    answer = t.cli("down")
    assert answer[0] == 0, answer


def test_a_message_in_many_pieces_and_many_in_one(t):
    t.up()
    client = t.client()
    body = b'{"jsonrpc":"2.0","id":1,"method":"events.since","params":{"limit":1}}'
    for byte in request(body):
        client.socket.sendall(bytes([byte]))
    assert "result" in client.receive()[1]
    whole = b""
    for i in range(60):
        whole += message(struct.pack(">I", 0x80000100 + i) + body)
    client.socket.sendall(whole)
    assert sorted(client.receive()[0] for _ in range(60)) == [0x80000100 + i for i in range(60)]
    # a request that came through devices has their words in front of its id, and so has its answer
    words = struct.pack(">II", 7, 9)
    client.socket.sendall(message(words + struct.pack(">I", 0x80000001) + body))
    size = struct.unpack(">Q", client.read(9)[1:])[0]
    assert client.read(size).startswith(words + struct.pack(">I", 0x80000001) + b"{")


def test_clients_of_nng_are_served(t):
    nngcat = shutil.which("nngcat")
    if nngcat is None:
        print("skipped: nngcat (package nng-utils) is not installed")
        return
    t.up()
    folder = os.path.dirname(t.socket_path)
    listener = subprocess.Popen([nngcat, "--sub", "--connect", f"ipc://{folder}/events.sock", "--subscribe", "",
                                 "--ascii", "--count", "1"], stdout=subprocess.PIPE, text=True)
    done = subprocess.run([nngcat, "--req", "--connect", f"ipc://{t.socket_path}", "--ascii", "--data",
                           '{"jsonrpc":"2.0","id":1,"method":"status"}'], capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout)["result"]["federated"] is False

    def something_happens():
        t.call("restart", node="sparse")
        return listener.poll() is not None
    until(something_happens, "the hint arrived")
    assert json.loads(listener.stdout.read())["bootId"]


# --- other users (these want root) -----------------------------------------------------------------------------------


def as_nobody(*command, **options):
    return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True,
                          timeout=60, **options)


def test_a_socket_that_somebody_removed_is_told(t):
    t.up()
    os.unlink(t.socket_path)
    status, out, err = t.cli("status")
    assert status == 3 and f"pid {t.process.pid}" in err and "SIGTERM" in err, (status, err)
    assert t.stop() == 0
    t.up()
    answers_promptly(t)


def test_somebody_else_who_listens_is_no_supervisor(t):
    if not is_root():
        return
    os.chmod(t.top, 0o755)
    os.makedirs(t.path("run"))
    path = t.path("run", "control.sock")
    with open(t.path("run", "control.json"), "w") as file:
        json.dump({"control": f"ipc://{path}"}, file)
    os.chown(t.dir, NOBODY, NOBODY)
    other = socket.socket(socket.AF_UNIX)  # root's, not nobody's
    other.bind(path)
    other.listen()
    os.chmod(path, 0o666)
    done = as_nobody(os.path.join(BIN, "tandem"), "status", env=t.environment)
    other.close()
    assert done.returncode == 4 and "NO-PERMISSION" in done.stderr, (done.returncode, done.stderr)


def is_root():
    if os.geteuid() == 0:
        return True
    print("skipped: only root can be two users")
    return False


def test_another_user_gets_no_connection(t):
    if not is_root():
        return
    t.up()
    os.chmod(t.top, 0o755)
    os.chmod(t.dir, 0o755)  # somebody opened the folders
    folder = os.path.dirname(t.socket_path)
    os.chmod(folder, 0o755)
    code = "import socket,sys\nfor p in sys.argv[1:]:\n try:\n  socket.socket(socket.AF_UNIX).connect(p)\n  print('in', p)\n except PermissionError: pass"
    paths = [os.path.join(folder, name) for name in SOCKETS]
    assert as_nobody("python3", "-c", code, *paths).stdout == ""
    for path in paths:
        os.chmod(path, 0o666)  # and the sockets, too: then each is judged
    code = "import socket,sys\nfor i in range(300):\n s=socket.socket(socket.AF_UNIX)\n s.settimeout(5)\n s.connect(sys.argv[1 + i % 4])\n try:\n  print(s.recv(8).decode(), end='')\n except OSError: pass"
    assert as_nobody("python3", "-c", code, *paths).stdout == ""
    answers_promptly(t)
    with open(t.path("log", "supervisor.log")) as log:
        assert log.read().count("control.refused") < 20  # counted, not told one by one
    tool = os.path.join(BIN, "tandem")
    done = as_nobody(tool, "--state-dir", t.dir, "status", env=t.environment)
    assert done.returncode != 0 and "NO-PERMISSION" in done.stderr, (done.returncode, done.stderr)


def test_root_reaches_the_installation_of_a_user(t):
    if not is_root():
        return
    os.mkdir(t.dir, 0o700)
    os.chown(t.dir, NOBODY, NOBODY)
    os.chmod(t.top, 0o755)
    options = ["--archive-binary", FAKE_NODE, "--sparse-binary", FAKE_NODE] if FAKE_NODE else []
    t.process = subprocess.Popen([os.path.join(BIN, "tandem"), "up", "--json", "--stdin-lifetime", *options],
                                 env=t.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 user=NOBODY, group=NOBODY, extra_groups=[])
    assert json.loads(t.process.stdout.readline())["event"] == "ready"
    status, out, err = t.cli("status")
    assert (status, err) == (0, ""), (status, err)
    answer = t.cli("down")
    assert answer[0] == 0, answer


if __name__ == "__main__":
    main(globals())
