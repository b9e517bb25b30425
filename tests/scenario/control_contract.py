"""The words of the command line's contract that no other scenario takes up: places, bounds, terminals, streams."""
import json
import os
import pty
import re
import signal
import stat
import subprocess

from control import BIN, SECRET, main, until

TANDEM = os.path.join(BIN, "tandem")


def refused(t, code, exit_status, *arguments, stdin="", environment=None):
    done = subprocess.run([TANDEM, "--json", *arguments], env=environment or t.environment, input=stdin, text=True,
                          capture_output=True, timeout=60)
    error = json.loads(done.stdout)["error"]
    assert (error["code"], done.returncode) == (code, exit_status), (arguments, error)
    assert error["message"] and error["hint"] and done.stdout.count("\n") == 1
    return error


# --- the state directory ---


def test_where_the_state_lies(t):
    bare = {name: value for name, value in t.environment.items() if name not in ("TANDEM_STATE_DIR", "XDG_STATE_HOME")}
    home, xdg = os.path.join(t.top, "home"), os.path.join(t.top, "xdg")
    for environment, options, expected in (
            ({"HOME": home}, [], home + "/.local/state/tandem"),
            ({"HOME": home, "XDG_STATE_HOME": xdg}, [], xdg + "/tandem"),
            ({"HOME": home, "XDG_STATE_HOME": xdg, "TANDEM_STATE_DIR": t.dir}, [], t.dir),
            ({"TANDEM_STATE_DIR": t.dir}, ["--state-dir", t.top + "/other"], t.top + "/other")):
        error = refused(t, "NOT-RUNNING", 3, *options, "status", environment={**bare, **environment})
        assert error["message"].endswith(expected), error
    bare.pop("HOME")
    refused(t, "USAGE", 2, "status", environment=bare)


def test_the_state_is_for_its_user_alone(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    for top, folders, files in os.walk(t.dir):
        assert stat.S_IMODE(os.stat(top).st_mode) == 0o700, top
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(top, name)).st_mode) == 0o600, name
        folders[:] = [name for name in folders if name not in ("archive", "sparse")]  # what the fake nodes leave
    with open(t.path("run", "control.json")) as file:
        control = json.load(file)
    assert set(control) == {"control", "events", "pid", "version", "bootId"} and control["pid"] == t.process.pid
    with open(t.path("format")) as file:
        assert json.load(file) == {"tandem": 1}


def test_a_full_log_is_rotated(t):
    os.makedirs(t.path("log"), 0o700)
    os.chmod(t.dir, 0o700)
    with open(t.path("log", "supervisor.log"), "w") as file:
        os.chmod(file.name, 0o600)
        file.truncate(10 * 1024 * 1024)
    t.up()
    until(lambda: os.path.exists(t.path("log", "supervisor.log.1")), "the log is rotated")
    new = t.path("log", "supervisor.log")
    until(lambda: os.path.exists(new) and os.path.getsize(new) < 1024 * 1024, "a new one begins")


# --- settings ---


def test_who_wins_among_settings(t):
    os.makedirs(t.dir, 0o700)
    other = os.path.join(t.top, "other.conf")
    for path, level in ((t.path("tandem.conf"), "error"), (other, "warn")):
        with open(path, "w") as file:
            file.write(f"[log]\nlevel = {level}\n[listen]\naddress = localhost:1\n")
    assert t.cli_json("config", "show")[1]["log.level"] == "error"
    assert t.cli_json("config", "show", "--config", other)[1]["log.level"] == "warn"
    t.environment["TANDEM_LISTEN_ADDRESS"] = "localhost:2"
    shown = t.cli_json("config", "show", "--origin")[1]["listen.address"]
    assert shown == {"value": "localhost:2", "origin": "environment"}
    t.up("--listen", "localhost:0")
    status, result = t.cli_json("provision", "--user", "joe", stdin=SECRET)
    assert status == 0 and not result["archive"]["url"].endswith((":1", ":2"))


def test_wrong_settings_end_up_at_once(t):
    refused(t, "BAD-CONFIG", 1, "up", "--listen", "nonsense")
    refused(t, "BAD-CONFIG", 1, "up", "--public-url", "https://home.example.org")
    refused(t, "BAD-CONFIG", 1, "up", "--relay", "http://relay.example")
    refused(t, "IO", 1, "up", "--config", os.path.join(t.top, "none"))


# --- secrets ---


def test_the_end_of_a_line_is_not_part_of_the_secret(t):
    t.up()
    assert t.cli_json("provision", "--user", "joe", stdin=SECRET + "\r\nnot this")[0] == 0
    for ending in ("", "\n", "\r\n"):
        status, result = t.cli_json("provision", stdin=SECRET + ending)
        assert status == 0 and result["created"] is False
    refused(t, "BAD-SECRET", 4, "provision", stdin=SECRET + " \n")


def test_a_secret_has_1_to_1024_bytes(t):
    t.up()
    refused(t, "SECRET-MISSING", 2, "provision", "--user", "joe", stdin="\r\n")
    refused(t, "BAD-INPUT", 4, "provision", "--user", "joe", stdin="s" * 1025 + "\n")
    assert t.cli_json("provision", "--user", "joe", stdin="s" * 1024 + "\r\n")[0] == 0


# --- terminals ---


def on_a_terminal(t, *arguments, typed="", **environment):
    """Output and exit status of a command whose stdin, stdout and stderr are a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(TANDEM, [TANDEM, *arguments], {**t.environment, **environment})
    shown = b""
    answered = 0
    while True:
        if typed and len(re.findall(b"(ecret|again): ", shown)) > answered:
            os.write(terminal, typed.encode() + b"\n")
            answered += 1
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_colours_only_on_a_terminal_and_never_with_no_color(t):
    del t.environment["NO_COLOR"]
    assert "\x1b[" in on_a_terminal(t, "--help")[0]
    assert "\x1b" not in on_a_terminal(t, "--help", NO_COLOR="1")[0]
    assert "\x1b" not in t.cli("--help")[1]


def test_a_secret_is_typed_without_echo(t):
    t.up()
    shown, status = on_a_terminal(t, "provision", "--user", "joe", typed=SECRET)
    assert status == 0 and SECRET not in shown, shown
    assert t.cli_json("provision", stdin=SECRET)[1]["created"] is False


def test_wiping_is_confirmed(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    refused(t, "CONFIRMATION-MISSING", 4, "deprovision", "--wipe")
    assert t.cli_json("provision", stdin=SECRET)[1]["created"] is False
    assert t.cli_json("deprovision", "--wipe", "--yes") == (0, {"wiped": True})


# --- text and time ---


def test_text_is_utf8_whatever_the_locale(t):
    t.environment["LC_ALL"] = "C"
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    assert t.cli_json("chat", "send", "--to", "01234567", "grüße €")[0] == 0
    done = subprocess.run([TANDEM, "--json", "chat", "send", "--to", "01234567", b"\xff\xfe"], env=t.environment,
                          capture_output=True)
    assert done.returncode == 4 and json.loads(done.stdout)["error"]["code"] == "BAD-TEXT"


def test_waiting_ends_with_exit_5(t):
    t.up(FAKE_FEDERATE_MS="-1")
    t.cli("provision", "--user", "joe", "--no-wait", stdin=SECRET)
    assert t.cli_json("wait", "ready") == (0, {})
    refused(t, "TIMEOUT", 5, "--timeout", "1", "wait", "federated")


# --- streams ---


def test_a_follower_that_slept_is_told_how_much_it_missed(t):
    t.up()
    t.provision()
    follower = subprocess.Popen([TANDEM, "--json", "events", "--follow"], env=t.environment, stdout=subprocess.PIPE,
                                text=True)
    seen = [json.loads(follower.stdout.readline())]
    follower.send_signal(signal.SIGSTOP)
    for _ in range(3):
        t.call("object.put", object={"$type$": "Burst", "count": 9000})
    until(lambda: t.call("events.since", seq=1)["gap"] and t.call("events.since", seq=15000)["events"], "27,000 came")
    follower.send_signal(signal.SIGCONT)
    while seen[-1]["event"] != "stream.gap":
        seen.append(json.loads(follower.stdout.readline()))
    behind = json.loads(follower.stdout.readline())
    follower.kill()
    follower.wait()
    follower.stdout.close()
    assert seen[-1]["lost"] == behind["seq"] - seen[-2]["seq"] - 1 > 0


def test_a_relay_says_where_it_is(t):
    relay = subprocess.Popen([TANDEM, "--json", "relay", "--listen", "localhost:0"], env=t.environment,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    first = json.loads(relay.stdout.readline())
    assert first["event"] == "ready" and first["url"].startswith("ws://localhost:")
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(20) == 0
    relay.stdout.close()


main(globals())
