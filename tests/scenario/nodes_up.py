"""Real nodes on odd machines: few descriptors, half a loopback, no /etc/hosts."""
import fcntl
import os
import socket
import struct
import subprocess
import sys

from control import BIN, SECRET, Installation, main, until
from nodes import Pair

SIOCSIFADDR, SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8916, 0x8914, 0x41


def configure_loopback(what):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_RUNNING))
        if what == "only-ipv6":
            fcntl.ioctl(s, SIOCSIFADDR, struct.pack("16sH14x", b"lo", socket.AF_INET))
    if what == "only-ipv4":
        with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w") as file:
            file.write("1")


def inside(what):
    """In namespaces of its own, where the network and /etc/hosts are as the test wants them."""
    configure_loopback(what)
    if what == "no-hosts":
        subprocess.run(["mount", "--bind", "/dev/null", "/etc/hosts"], check=True)
    t = Installation()
    try:
        pair = Pair(t, "--listen", "localhost:0")
        pair.send("sparse", "hello")
        pair.arrives("archive", "hello")
        status, found = pair.cli("doctor")
        bad = [check for check in found["checks"] if not check["ok"]]
        assert status == 0 and not bad, bad
        assert t.stop() == 0
    finally:
        t.clean()


def in_namespaces(what):
    unshare = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        print("     this system allows no namespaces; not tried")
        return
    done = subprocess.run([*unshare, sys.executable, __file__, "inside", what], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_loopback_with_ipv6_only_will_do(t):
    in_namespaces("only-ipv6")


def test_a_loopback_with_ipv4_only_will_do(t):
    in_namespaces("only-ipv4")


def test_without_etc_hosts_everything_works_and_the_doctor_knows(t):
    in_namespaces("no-hosts")


def test_with_few_descriptors_it_works_and_says_so(t):
    up = ["bash", "-c", 'ulimit -n 64; exec "$@"', "bash", os.path.join(BIN, "tandem"), "up", "--listen", "localhost:0",
          "--stdin-lifetime"]
    t.process = subprocess.Popen(up, env=t.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert t.cli("wait", "ready")[0] == 0
    status, result = t.cli_json("provision", "--user", "joe", stdin=SECRET + "\n")
    assert status == 0 and result["federated"], result
    warnings = t.cli_json("status")[1]["archive"]["warnings"]  # builds with sanitizers have others, too
    assert any("only 64 files" in w and "ulimit -n" in w for w in warnings), warnings
    assert t.stop() == 0


def test_federated_is_not_said_of_a_node_that_was_killed(t):
    pair = Pair(t)
    for node in ("sparse", "archive") * 2:
        before = pair.ok("status")[node]
        os.kill(before["pid"], 9)
        assert t.cli("wait", "federated")[0] == 0
        after = pair.ok("status")
        assert after["federated"] and after[node]["state"] == "running" and after[node]["pid"] != before["pid"], after
        assert "signal 9" in after[node]["lastEnd"]["reason"] and after[node]["failure"] is None
        until(lambda: pair.ok("status")["federated"], "it stays so")


def test_after_a_boot_it_listens_without_any_command(t):
    pair = Pair(t)
    url = pair.provisioned["archive"]["url"]
    assert t.stop() == 0
    os.mkdir(os.path.join(t.top, "credentials"), 0o700)
    with open(os.path.join(t.top, "credentials", "tandem.secret"), "w") as file:
        file.write(SECRET)
    t.up("--listen", "localhost:0", CREDENTIALS_DIRECTORY=os.path.join(t.top, "credentials"),
         TANDEM_AUTOSTART_SECRET="credential")
    port = int(url.rsplit(":", 1)[1])
    until(lambda: listens(port), "somebody listens at " + url)
    assert t.cli("wait", "federated")[0] == 0
    pair.send("sparse", "good morning")
    pair.arrives("archive", "good morning")


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        inside(sys.argv[2])
    else:
        main(globals())
