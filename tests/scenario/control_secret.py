"""Changing the secret: as a whole or not at all, whoever dies on the way."""
import os
import pty
import resource
import signal
import subprocess

from control import BIN, SECRET, fails_with, main, snapshot, until

NEW = "battery staple"


def change(t, old=SECRET, new=NEW, **params):
    return t.call("secret.change", secret=old, newSecret=new, **params)


def opens_only_with(t, right):
    """Says so now and after a restart."""
    wrong = SECRET if right == NEW else NEW
    for restarted in (False, True):
        if restarted:
            t.stop()
            t.environment.pop("FAKE_SLOW_RESEAL", None)
            t.up()
        fails_with("BAD-SECRET", t.provision, secret=wrong)
        assert t.provision(secret=right)["created"] is False


def test_the_new_secret_replaces_the_old_one(t):
    t.up()
    before = t.provision()
    assert change(t) == {}
    after = t.provision(secret=NEW)
    assert after["archive"] == before["archive"] and after["sparse"] == before["sparse"]  # the same processes
    opens_only_with(t, NEW)


def test_it_needs_no_provisioned_nodes(t):
    t.up()
    t.provision()
    t.call("deprovision")
    assert change(t) == {}
    assert t.call("status")["archive"]["state"] == "unprovisioned"
    opens_only_with(t, NEW)


def test_a_node_that_starts_again_gets_the_new_key(t):
    t.up()
    t.provision()
    change(t)
    t.call("restart", node="sparse")
    assert t.call("status")["sparse"]["state"] == "running"


def test_the_wrong_old_secret_changes_nothing(t):
    t.up()
    t.provision()
    before = snapshot(t.dir)
    status, result = t.cli_json("secret", "change", stdin=f"wrong\n{NEW}\n")
    assert status == 4 and result["error"]["code"] == "BAD-SECRET" and result["error"]["hint"]
    assert snapshot(t.dir) == before
    opens_only_with(t, SECRET)


def test_before_the_first_provision(t):
    t.up()
    fails_with("NOT-PROVISIONED", change, t)
    assert not os.path.exists(t.path("keys.json"))


def test_a_repeat_changes_nothing_more(t):
    t.up()
    t.provision()
    assert change(t, opId="once") == {} and change(t, opId="once") == {}
    fails_with("BAD-SECRET", change, t, opId="twice")
    opens_only_with(t, NEW)


def stuck(t, **params):
    """A change that waits for the sparse node."""
    t.up(FAKE_SLOW_RESEAL="sparse")
    t.provision()
    client = t.client()
    client.send("secret.change", secret=SECRET, newSecret=NEW, **params)
    until(lambda: os.path.exists(t.path("sparse", "reached")), "the sparse node is asked")
    return client


def test_nothing_else_touches_the_keys_meanwhile(t):
    client = stuck(t)
    fails_with("BUSY", change, t)
    fails_with("BUSY", t.provision)
    fails_with("BUSY", t.call, "deprovision")
    assert t.call("status")["archive"]["state"] == "running"
    client.close()


def test_a_node_that_dies_on_the_way_ends_it(t):
    client = stuck(t)
    os.kill(t.call("status")["sparse"]["pid"], signal.SIGKILL)
    assert client.receive()[1]["error"]["data"]["code"] == "NODE-DOWN"
    client.close()
    until(lambda: t.call("status")["federated"], "the sparse node is back with the old key")
    opens_only_with(t, SECRET)


def test_a_supervisor_that_dies_on_the_way_ends_it(t):
    stuck(t).close()
    t.process.kill()
    t.wait_exit()
    t.up(FAKE_SLOW_RESEAL="")
    opens_only_with(t, SECRET)


def test_what_timed_out_did_not_happen(t):
    client = stuck(t, timeoutMs=200)
    assert client.receive()[1]["error"]["data"]["code"] == "TIMEOUT"
    client.close()
    os.kill(t.call("status")["sparse"]["pid"], signal.SIGCONT)
    until(lambda: change_is_over(t), "the change is given up")
    opens_only_with(t, SECRET)


def change_is_over(t):
    status, result = t.cli_json("provision", stdin=SECRET)
    return status == 0 or result["error"]["code"] != "BUSY"


# --- the command line ---


def secret_file(t, name, text, mode=0o600):
    path = os.path.join(t.top, name)
    with open(path, "w") as file:
        file.write(text + "\n")
    os.chmod(path, mode)
    return path


def test_two_lines_of_stdin(t):
    t.up()
    t.provision()
    status, result = t.cli_json("secret", "change", stdin=SECRET + "\n")
    assert status == 2 and result["error"]["code"] == "SECRET-MISSING"
    assert t.cli_json("secret", "change", stdin=f"{SECRET}\r\n{NEW}\r\n") == (0, {})
    opens_only_with(t, NEW)


def test_files(t):
    t.up()
    t.provision()
    old, new = secret_file(t, "old", SECRET), secret_file(t, "new", NEW)
    status, result = t.cli_json("secret", "change", "--secret-file", old, "--new-secret-file",
                                secret_file(t, "open", NEW, 0o644))
    assert status == 4 and result["error"]["code"] == "NO-PERMISSION"
    assert t.cli_json("secret", "change", "--secret-file", old, "--new-secret-file", new) == (0, {})
    assert t.cli_json("secret", "change", "--new-secret-file", old, stdin=NEW)[0] == 0
    opens_only_with(t, SECRET)


def typed(t, *lines, command=("secret", "change")):
    """Exit status and what the terminal showed; each line is typed when it is asked for."""
    terminal, end = pty.openpty()
    process = subprocess.Popen([os.path.join(BIN, "tandem"), *command], env=t.environment, stdin=end, stdout=end,
                               stderr=end)
    os.close(end)
    shown = b""
    for line in lines:
        asked = shown.count(b": ")
        while shown.count(b": ") == asked:
            shown += os.read(terminal, 4096)
        os.write(terminal, line.encode() + b"\n")
    status = process.wait(30)
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # everything is read
            break
    os.close(terminal)
    return status, shown.decode()


def test_a_terminal_asks_three_times_and_shows_nothing(t):
    t.up()
    t.provision()
    status, shown = typed(t, SECRET, NEW, "battery stable")
    assert status == 4 and "BAD-INPUT" in shown, shown
    status, shown = typed(t, SECRET, NEW, NEW)
    assert status == 0, shown
    assert SECRET not in shown and NEW not in shown
    opens_only_with(t, NEW)


def test_the_first_secret_is_typed_twice_and_later_once(t):
    t.up()
    provision = ("provision", "--user", "joe")
    status, shown = typed(t, SECRET, "correct hoarse", command=provision)
    assert status == 4 and "differ" in shown, shown
    assert not os.path.exists(t.path("keys.json"))
    status, shown = typed(t, SECRET, SECRET, command=provision)
    assert status == 0, shown
    assert SECRET not in shown
    status, shown = typed(t, SECRET, command=("provision",))
    assert status == 0, shown


def test_a_command_line_that_holds_a_secret_is_not_dumped(t):
    t.up()
    terminal, end = pty.openpty()
    process = subprocess.Popen([os.path.join(BIN, "tandem"), "provision", "--user", "joe"], env=t.environment, stdin=end,
                               stdout=end, stderr=end, preexec_fn=lambda: resource.setrlimit(
                                   resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    os.close(end)
    assert b": " in os.read(terminal, 4096)  # it asks
    with open(f"/proc/{process.pid}/limits") as limits:
        core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"], core
    process.kill()
    process.wait()
    os.close(terminal)


def test_no_secret_is_ever_written(t):
    t.up()
    t.provision()
    change(t)
    t.stop()
    for top, _, names in os.walk(t.dir):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                content = file.read()
                assert SECRET.encode() not in content and NEW.encode() not in content, name


if __name__ == "__main__":
    main(globals())
