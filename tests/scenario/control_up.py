"""What 'tandem up' says at once, what it finds by itself, and how it is found."""
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import time

from control import BIN, SECRET, Client, is_alive, main, until

USUAL = 8765


def taken_port(port=0):
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", port))
        taken.listen()
    except OSError:
        pass  # by somebody else already
    return taken


def address(t):
    return t.cli_json("config", "show", "--origin")[1]["listen.address"]


def test_a_port_that_was_asked_for_and_is_taken_ends_it(t):
    with taken_port() as taken:
        port = taken.getsockname()[1]
        status, result = t.cli_json("up", "--listen", f"localhost:{port}")
        assert (status, result["error"]["code"]) == (1, "PORT-TAKEN") and str(port) in result["error"]["message"], result
        status, out, err = t.cli("up", "--listen", f"127.0.0.1:{port}")
        assert status == 1 and "PORT-TAKEN" in err and "--listen HOST:PORT" in err, err


def test_without_a_wish_the_next_free_port_is_taken_and_kept(t):
    with taken_port(USUAL):
        port = t.up()["port"]
        assert USUAL < port < USUAL + 100
        assert address(t) == {"value": f"localhost:{port}", "origin": "default"}
        t.provision()
        [listener] = t.call("status")["archive"]["listeners"]
        assert listener["url"] == f"ws://localhost:{port}"
        t.stop()
    assert t.up()["port"] == port  # where contacts look for it, although the usual one may be free
    t.stop()
    with taken_port(port):
        assert t.up().get("port") != port


def test_a_port_that_was_taken_before_there_was_an_installation_is_left(t):
    """By a second one, say, which was started at once and made first."""
    t.up()
    before = address(t)["value"]
    with taken_port(int(before.split(":")[1])):
        t.provision()
        [listener] = t.call("status")["archive"]["listeners"]
        assert listener["url"] == "ws://" + address(t)["value"] != "ws://" + before, (listener, before)


def test_a_listener_for_everybody_wants_names_at_once(t):
    for where in ("0.0.0.0:0", "[::]:0"):
        status, result = t.cli_json("up", "--listen", where)
        assert (status, result["error"]["code"]) == (1, "HOSTS-MISSING"), result
    status, result = t.cli_json("up", "--listen", "192.0.2.1:0")
    assert (status, result["error"]["code"]) == (1, "BAD-ADDRESS"), result
    t.up("--listen", "0.0.0.0:0", "--host", "anna.example")
    assert t.cli_json("config", "show", "--origin")[1]["listen.hosts"] == {"value": "anna.example", "origin": "flag"}


def test_odd_entries_of_an_older_file_stop_no_start(t):
    os.makedirs(t.dir, 0o700)
    with open(t.path("tandem.conf"), "w") as file:
        file.write("[listen]\naddress = 0.0.0.0:0\nhosts = home:8765\norigins = https://a.example/ https://b.example\n")
    [finding] = [check["message"] for check in t.cli_json("doctor")[1]["checks"] if "home:8765" in check["message"]]
    assert "'home:8765' of listen.hosts is left out; write names" in finding, finding
    assert "https://a.example/" in t.cli("config", "show")[2]
    with open(os.path.join(t.top, "said"), "w+") as file:
        t.process = subprocess.Popen([os.path.join(BIN, "tandem"), "up", "--json", "--stdin-lifetime", *t.fake_nodes()],
                                     env=t.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
                                     text=True)
        assert json.loads(t.process.stdout.readline())["event"] == "ready"
        file.seek(0)
        said = file.read()
    for line, entry, key in ((3, "home:8765", "listen.hosts"), (4, "https://a.example/", "listen.origins")):
        what = f"{t.path('tandem.conf')} line {line}: '{entry}' of {key} is left out; write "
        assert what in said and what in logged(t, "config.left-out", entry), (said, entry)
    shown = t.cli_json("config", "show")[1]
    assert (shown["listen.hosts"], shown["listen.origins"]) == ("localhost", "https://b.example"), shown


def test_settings_shown_are_those_in_force(t):
    os.makedirs(t.dir, 0o700)
    with open(t.path("tandem.conf"), "w") as file:
        file.write("[log]\nlevel = debug\n")
    t.up("--listen", "localhost:0", TANDEM_RESTART_DEATHS="9")
    del t.environment["TANDEM_RESTART_DEATHS"]
    t.environment["TANDEM_RESTART_DEATHS"] = "8"  # of whoever asks, not of the supervisor
    with open(t.path("tandem.conf"), "w") as file:
        file.write("[log]\nlevel = error\n")  # not read yet
    shown = t.cli_json("config", "show", "--origin")[1]
    assert shown["listen.address"] == {"value": "localhost:0", "origin": "flag"}
    assert shown["restart.deaths"] == {"value": "9", "origin": "environment"}
    assert shown["log.level"] == {"value": "debug", "origin": "file", "line": 2}
    t.process.send_signal(signal.SIGHUP)
    until(lambda: t.cli_json("config", "show")[1]["log.level"] == "error", "the file was read again")
    t.stop()
    status, out, err = t.cli("config", "show", "--origin")
    assert status == 0 and "restart.deaths           = 8    (environment)" in out and "No supervisor" in err


def test_no_option_is_too_many(t):
    hosts = [f"host{n}.lan" for n in range(40)]
    t.up(*(word for host in hosts for word in ("--host", host)), "--listen", "localhost:0")
    shown = t.cli_json("config", "show", "--origin")[1]
    assert shown["listen.hosts"]["value"].split() == hosts and shown["listen.address"]["value"] == "localhost:0", shown


def test_waiting_begins_before_there_is_a_supervisor(t):
    waiting = subprocess.Popen([os.path.join(BIN, "tandem"), "wait", "ready"], env=t.environment,
                               stdout=subprocess.PIPE, text=True)
    time.sleep(0.2)  # enough to fail in; waiting longer proves no more
    assert waiting.poll() is None
    t.up()
    assert waiting.communicate(timeout=60)[0] == "It is so.\n" and waiting.returncode == 0
    t.stop()
    status, result = t.cli_json("wait", "ready", "--timeout", "1")
    assert (status, result["error"]["code"]) == (3, "NOT-RUNNING"), result


def test_both_lines_of_the_readme_may_be_typed_at_once(t):
    provisioning = subprocess.Popen([os.path.join(BIN, "tandem"), "provision", "--user", "joe"], env=t.environment,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    provisioning.stdin.write(SECRET + "\n")
    provisioning.stdin.flush()
    time.sleep(0.2)  # enough to fail in; waiting longer proves no more
    assert provisioning.poll() is None
    t.up(*t.fake_nodes())
    assert "created" in provisioning.communicate(timeout=60)[0] and provisioning.returncode == 0
    t.stop()
    status, result = t.cli_json("provision", stdin=SECRET + "\n")
    assert (status, result["error"]["code"]) == (3, "NOT-RUNNING"), result


def test_removed_sockets_are_made_again(t):
    t.up()
    before = t.client()
    shutil.rmtree(t.path("run"))
    assert t.cli_json("status")[1]["supervisor"]["pid"] == t.process.pid  # waits for it
    assert before.call("status")["supervisor"]["pid"] == t.process.pid  # who was connected stays so
    before.close()
    os.unlink(t.path("run", "control.sock"))
    t.process.send_signal(signal.SIGHUP)  # at once
    until(lambda: os.path.exists(t.path("run", "control.sock")), "the socket is there again")
    Client(t.socket_path).close()
    t.provision()
    t.call("restart", node="archive")  # its socket is made there, too
    assert t.cli_json("down")[0] == 0 and t.wait_exit() == 0
    assert os.listdir(t.path("run")) == []


def in_a_terminal(t):
    """The supervisor in a terminal of its own, whose window can be closed."""
    window, terminal = pty.openpty()
    process = subprocess.Popen([os.path.join(BIN, "tandem"), "up", "--json", "--listen", "localhost:0",
                                *t.fake_nodes()], env=t.environment, stdin=terminal, stdout=terminal, stderr=terminal,
                               start_new_session=True)
    os.close(terminal)
    t.process = process
    assert t.cli("wait", "ready")[0] == 0
    return window


def test_it_ends_with_the_window_it_was_started_in(t):
    window = in_a_terminal(t)
    t.process.send_signal(signal.SIGHUP)  # while the window is there: settings
    assert "config.reloaded" in until(lambda: logged(t, "config.reloaded"), "it reads its settings")
    os.close(window)
    t.process.send_signal(signal.SIGHUP)  # as the kernel and the shell do then
    assert t.process.wait(60) == 0
    assert "the terminal is gone" in logged(t, "supervisor.stopping")


def test_it_outlives_the_window_where_that_was_asked_for(t):
    t.environment["HOME"] = t.top
    out = open(os.path.join(t.top, "out"), "w")
    t.process = subprocess.Popen(["nohup", os.path.join(BIN, "tandem"), "up", "--json", "--listen", "localhost:0",
                                  *t.fake_nodes()], env=t.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    out.close()
    assert t.cli("wait", "ready")[0] == 0
    t.process.send_signal(signal.SIGHUP)
    until(lambda: logged(t, "config.reloaded"), "it reads its settings")
    assert is_alive(t.process.pid) and t.cli("down")[0] == 0 and t.process.wait(60) == 0


def logged(t, event, word=""):
    with open(t.path("log", "supervisor.log")) as file:
        return next((line for line in file if json.loads(line)["event"] == event and word in line), None)


def test_too_few_descriptors_are_named(t):
    for limit in (10, 32, 63):
        done = subprocess.run(["bash", "-c", f'ulimit -n {limit}; exec "$@"', "bash", os.path.join(BIN, "tandem"),
                               "--json", "up", *t.fake_nodes()], env=t.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "FILE-LIMIT", (limit, done)
        assert f"the system allows {limit}" in done.stderr


def test_why_a_node_cannot_start_is_said(t):
    t.environment["FAKE_FAILS"] = "it has no keyboard"
    t.environment["TANDEM_RESTART_DEATHS"] = "2"
    status, out, err = t.cli("up", *t.fake_nodes())
    assert status == 1 and "cannot be started: ended with status 1: it has no keyboard" in err, err


main(globals())
