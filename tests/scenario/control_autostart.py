"""Opening by itself after a start: secrets from systemd and from a keyring; and what the service manager is told."""
import contextlib
import os
import signal
import socket
import stat

from control import SECRET, is_alive, main, until

TOOL = """#!/bin/sh
echo "$@" >>"$0.asked"
exec <"$0.says"
read -r how what
case $how in
wait) while [ ! -e "$0.go" ]; do sleep 0.05; done ;;
esac
printf %s "$what"
[ "$how" != fail ]
"""


def made(t):
    """There is an installation; nothing runs."""
    t.up()
    t.provision()
    assert t.stop() == 0


def credential(t, secret):
    folder = os.path.join(t.top, "credentials")
    os.makedirs(folder, 0o700, exist_ok=True)
    with open(os.path.join(folder, "tandem.secret"), "wb") as file:
        file.write(secret)
    t.environment.update(CREDENTIALS_DIRECTORY=folder, TANDEM_AUTOSTART_SECRET="credential")


def keyring(t, says):
    """A secret-tool that does as it is told, in place of the desktop's."""
    folder = os.path.join(t.top, "bin")
    os.makedirs(folder, exist_ok=True)
    tool = os.path.join(folder, "secret-tool")
    with open(tool, "w") as file:
        file.write(TOOL)
    os.chmod(tool, stat.S_IRWXU)
    with open(tool + ".says", "w") as file:
        file.write(says + "\n")
    t.environment.update(PATH=folder + ":" + os.environ["PATH"], TANDEM_AUTOSTART_SECRET="keyring")
    return tool


def autostart(t):
    return t.call("status")["supervisor"]["autostart"]


def fails(t, code):
    until(lambda: autostart(t)["failure"], "it says why")
    assert autostart(t)["failure"]["code"] == code, autostart(t)
    assert t.call("status")["archive"]["state"] == "unprovisioned"
    complaint = next(c for c in t.cli_json("doctor")[1]["checks"] if c["check"] == "autostart")
    assert not complaint["ok"] and code in complaint["message"] and complaint["advice"], complaint


def test_without_a_choice_nothing_is_opened(t):
    made(t)
    credential(t, SECRET.encode())
    del t.environment["TANDEM_AUTOSTART_SECRET"]
    t.up()
    assert autostart(t) is None and t.call("status")["archive"]["state"] == "unprovisioned"


def test_a_credential_opens_the_installation(t):
    made(t)
    credential(t, SECRET.encode() + b"\n")
    t.up()
    assert t.cli("wait", "federated")[0] == 0
    assert autostart(t) == {"from": "credential", "failure": None}
    assert t.call("status")["archive"]["state"] == "running"
    assert t.provision()["created"] is False  # it is so already
    for node in ("archive", "sparse"):  # what nodes are given to read holds none of it
        with open(f"/proc/{t.call('status')[node]['pid']}/environ") as file:
            assert SECRET not in file.read()


def test_a_change_of_the_secret_says_that_a_copy_is_kept(t):
    made(t)
    credential(t, SECRET.encode())
    t.up()
    assert t.cli("wait", "federated")[0] == 0
    status, out, err = t.cli("secret", "change", stdin=f"{SECRET}\nanother one\n")
    assert status == 0 and "from the credential: change it there as well" in err, err


def test_a_wrong_credential_changes_nothing(t):
    made(t)
    credential(t, b"something else")
    t.up()
    fails(t, "BAD-SECRET")
    assert t.provision()["federated"]


def test_a_credential_that_is_missing_is_named(t):
    made(t)
    credential(t, b"")
    t.up()
    fails(t, "SECRET-MISSING")
    t.stop()
    os.unlink(os.path.join(t.environment["CREDENTIALS_DIRECTORY"], "tandem.secret"))
    t.up()
    fails(t, "SECRET-MISSING")
    t.stop()
    del t.environment["CREDENTIALS_DIRECTORY"]
    t.up()
    fails(t, "SECRET-MISSING")
    assert t.provision()["federated"]


def test_nothing_is_made_unless_a_user_is_named(t):
    credential(t, SECRET.encode())
    t.up()
    fails(t, "NOT-PROVISIONED")
    assert not os.path.exists(t.path("keys.json")) and not os.path.exists(t.path("installation.json"))
    t.stop()
    t.up(TANDEM_AUTOSTART_USER="anna")
    assert t.cli("wait", "federated")[0] == 0
    first = t.call("status")["archive"]["personId"]
    t.stop()
    t.up()
    assert t.cli("wait", "federated")[0] == 0 and t.call("status")["archive"]["personId"] == first


def test_the_keyring_opens_the_installation(t):
    made(t)
    tool = keyring(t, "give " + SECRET)
    t.up()
    assert t.cli("wait", "federated")[0] == 0 and autostart(t) == {"from": "keyring", "failure": None}
    with open(tool + ".asked") as file:
        assert file.read() == f"lookup application tandem state-dir {t.dir}\n"


def test_a_keyring_without_the_secret_is_named(t):
    made(t)
    tool = keyring(t, "fail")
    t.up()
    fails(t, "SECRET-MISSING")
    assert "secret-tool store" in autostart(t)["failure"]["message"]
    t.stop()
    with open(tool + ".says", "w") as file:
        file.write("give " + "x" * 3000 + "\n")  # more than a secret can be
    t.up()
    fails(t, "BAD-INPUT")
    t.stop()
    os.unlink(tool)
    t.environment["PATH"] = os.path.join(t.top, "bin")
    t.up()
    fails(t, "SECRET-MISSING")
    assert t.provision()["federated"]


def test_whoever_is_quicker_than_the_keyring_is_not_disturbed(t):
    made(t)
    tool = keyring(t, "wait something else")
    t.up()
    assert t.provision()["federated"]  # it waits to be unlocked meanwhile
    before = t.call("status")["archive"]["pid"]
    open(tool + ".go", "w").close()
    until(lambda: not autostart_asks(t), "the keyring has answered")
    after = t.call("status")
    assert after["federated"] and after["archive"]["pid"] == before and after["supervisor"]["autostart"]["failure"] is None
    with open(tool + ".says", "w") as file:
        file.write("wait never\n")
    os.unlink(tool + ".go")
    t.stop()
    t.up()
    asking = until(lambda: tools(tool), "it asks")
    assert t.stop() == 0  # with the question still open
    until(lambda: not any(is_alive(pid) for pid in asking), "the question is withdrawn")


def tools(tool):
    """The processes that run it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                if tool in file.read():
                    found.append(int(pid))
        except OSError:
            pass  # gone meanwhile
    return found


def autostart_asks(t):
    with open(f"/proc/{t.process.pid}/task/{t.process.pid}/children") as file:
        return len(file.read().split()) > 2


class Manager:
    """The service manager's end of sd_notify."""

    def __init__(self, t, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(60)
        path = f"\0tandem-test-{os.getpid()}" if abstract else os.path.join(t.top, "manager")
        self.socket.bind(path)
        t.environment["NOTIFY_SOCKET"] = path.replace("\0", "@")
        self.ready = False

    def hears(self, words):
        """What was told, up to the words."""
        told = []
        while not told or words not in told[-1]:
            told.append(self.socket.recv(4096).decode())
            self.ready = self.ready or "READY=1" in told[-1]
        return "\n".join(told)


def test_the_manager_is_told_when_it_waits_for_a_secret(t):
    made(t)
    manager = Manager(t)
    t.up()
    manager.hears("Not provisioned")
    assert manager.ready
    t.provision()
    assert "READY=1" not in manager.hears("STATUS=Federated")  # once is enough
    pid = t.call("status")["archive"]["pid"]
    with open(f"/proc/{pid}/environ") as file:
        assert "NOTIFY_SOCKET" not in file.read()
    t.process.terminate()
    manager.hears("STOPPING=1")


def test_the_manager_is_told_that_it_lives(t):
    made(t)
    manager = Manager(t)
    t.environment["WATCHDOG_USEC"] = "200000"
    t.up()
    for _ in range(5):
        manager.hears("WATCHDOG=1")
    os.kill(t.process.pid, signal.SIGSTOP)  # one that stands still says nothing
    try:
        manager.socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                manager.socket.recv(4096)
        manager.socket.settimeout(1)
        try:
            raise AssertionError(manager.socket.recv(4096))
        except TimeoutError:
            pass
    finally:
        os.kill(t.process.pid, signal.SIGCONT)
    manager.socket.settimeout(60)
    manager.hears("WATCHDOG=1")


def test_the_watchdog_of_another_process_is_not_ours(t):
    made(t)
    manager = Manager(t)
    t.environment.update(WATCHDOG_USEC="200000", WATCHDOG_PID=str(os.getpid()))
    t.up()
    assert "WATCHDOG" not in manager.hears("Not provisioned")
    t.provision()
    assert "WATCHDOG" not in manager.hears("STATUS=Federated")


def test_the_manager_is_told_ready_when_the_nodes_are_federated(t):
    made(t)
    credential(t, SECRET.encode())
    manager = Manager(t, abstract=True)
    t.environment["FAKE_FEDERATE_MS"] = "300"
    t.up()
    manager.hears("not federated yet")
    assert not manager.ready
    manager.hears("STATUS=Federated")
    assert manager.ready


def test_the_manager_is_told_what_failed(t):
    made(t)
    credential(t, b"wrong")
    manager = Manager(t)
    t.up()
    manager.hears("(BAD-SECRET)")
    assert manager.ready  # starting it again would not help


main(globals())
