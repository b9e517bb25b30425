"""Provisioning: once, again, interrupted, refused, lost, forgotten."""
import json
import os
import re
import shutil
import signal
import subprocess

from control import BIN, RpcError, SECRET, fails_with, main, snapshot, until


def test_the_result_has_the_members_of_the_contract(t):
    t.up()
    status, result = t.cli_json("provision", "--user", "joe", stdin=SECRET + "\r\n")
    assert status == 0
    assert set(result) == {"archive", "sparse", "created", "paired", "federated", "milliseconds"}
    assert set(result["archive"]) == {"personId", "instanceId", "url", "listening", "pid"}
    assert set(result["sparse"]) == {"personId", "instanceId", "pid"}
    assert result["created"] and result["paired"] and result["federated"]
    assert t.provision()["created"] is False  # CR and LF did not count


def test_again_changes_nothing(t):
    t.up()
    first = t.provision()
    before = snapshot(t.dir)
    again = t.call("provision", secret=SECRET)
    assert again["archive"] == first["archive"] and again["created"] is False
    assert snapshot(t.dir) == before


def test_a_restart_needs_only_the_secret(t):
    t.up()
    first = t.provision()
    assert t.stop() == 0
    t.up()
    second = t.call("provision", secret=SECRET)
    assert second["archive"]["personId"] == first["archive"]["personId"] and second["created"] is False


def test_a_wrong_secret_changes_nothing(t):
    t.up()
    t.provision()
    t.stop()
    t.up()
    before = snapshot(t.dir)
    status, result = t.cli_json("provision", stdin="wrong\n")
    assert status == 4 and result["error"]["code"] == "BAD-SECRET" and result["error"]["hint"]
    assert snapshot(t.dir) == before
    assert t.call("status")["archive"]["state"] == "unprovisioned"
    t.provision()
    fails_with("BAD-SECRET", t.provision, secret="wrong")
    assert t.call("status")["archive"]["state"] == "running"


def test_both_mails_can_be_chosen(t):
    t.up()
    chosen = "--archive-email", "node@x.org", "--sparse-email", "me@x.org"
    status, result = t.cli_json("provision", "--user", "joe", *chosen, stdin=SECRET)
    assert status == 0 and mails(t) == ("node@x.org", "me@x.org")
    assert t.cli_json("provision", "--user", "joe", *chosen, stdin=SECRET)[1]["archive"] == result["archive"]


def test_another_user_is_refused(t):
    t.up()
    t.provision()
    fails_with("ALREADY-PROVISIONED", t.provision, user="jim")
    fails_with("ALREADY-PROVISIONED", t.provision, archiveEmail="other@x.org")


def test_equal_emails_are_refused_before_anything_is_written(t):
    t.up()
    before = snapshot(t.dir)
    status, result = t.cli_json("provision", "--user", "joe", "--archive-email", "a@b.c", "--sparse-email", "a@b.c",
                                stdin=SECRET)
    assert status == 4 and result["error"]["code"] == "EMAILS-EQUAL"
    assert snapshot(t.dir) == before


def test_the_user_is_needed_the_first_time(t):
    t.up()
    assert "user" in str(fails_with("BAD-PARAMS", t.call, "provision", secret=SECRET))
    for odd in ("jo\ne", "jo\u0085e", "\u202eeoj", "jo\u2066e"):
        assert "user name" in str(fails_with("BAD-PARAMS", t.provision, user=odd))
        for which in ("archiveEmail", "sparseEmail"):
            assert "e-mail" in str(fails_with("BAD-PARAMS", t.provision, **{which: odd + "@x.org"}))


def test_a_missing_secret_is_a_usage_error(t):
    t.up()
    status, result = t.cli_json("provision", "--user", "joe")
    assert status == 2 and result["error"]["code"] == "SECRET-MISSING"


def test_a_secret_file_must_be_private(t):
    t.up()
    path = os.path.join(t.top, "secret")
    with open(path, "w") as file:
        file.write(SECRET + "\n")
    os.chmod(path, 0o644)
    status, result = t.cli_json("provision", "--user", "joe", "--secret-file", path)
    assert status == 4 and result["error"]["code"] == "NO-PERMISSION"
    os.chmod(path, 0o600)
    assert t.cli_json("provision", "--user", "joe", "--secret-file", path)[0] == 0


def test_a_secret_file_may_be_a_pipe_that_somebody_writes_to(t):
    t.up()
    path = os.path.join(t.top, "pipe")
    os.mkfifo(path, 0o600)
    status, result = t.cli_json("provision", "--user", "joe", "--secret-file", path)
    assert status == 2 and result["error"]["code"] == "SECRET-MISSING", "nobody writes to it"
    writer = os.open(path, os.O_RDWR)
    asking = subprocess.Popen([os.path.join(BIN, "tandem"), "provision", "--user", "joe", "--secret-file", path],
                              env=t.environment, stdout=subprocess.DEVNULL)
    os.write(writer, SECRET.encode() + b"\n")
    assert asking.wait(60) == 0
    os.close(writer)


def test_a_second_call_meanwhile_is_busy(t):
    t.up(FAKE_FEDERATE_MS="-1")
    client = t.client()
    client.send("provision", user="joe", secret=SECRET)
    until(lambda: t.call("status")["sparse"]["state"] == "running", "both are open")
    fails_with("BUSY", t.provision)
    fails_with("BUSY", t.call, "deprovision")


def test_no_wait_returns_before_federation(t):
    t.up(FAKE_FEDERATE_MS="-1")
    status, result = t.cli_json("provision", "--user", "joe", "--no-wait", stdin=SECRET)
    assert status == 0 and result["paired"] and not result["federated"]


def test_a_timeout_is_exit_5_and_the_work_goes_on(t):
    t.up(FAKE_FEDERATE_MS="2500")
    status, result = t.cli_json("provision", "--user", "joe", "--timeout", "1", stdin=SECRET)
    assert status == 5 and result["error"]["code"] == "TIMEOUT", result
    assert t.cli("wait", "federated", "--timeout", "20")[0] == 0
    assert t.cli("wait", "idle", "--timeout", "20")[0] == 0


def test_a_taken_port_leaves_nothing(t):
    t.up(FAKE_PORT_TAKEN="1")
    before = snapshot(t.dir)
    status, result = t.cli_json("provision", "--user", "joe", stdin=SECRET)
    assert status == 1 and result["error"]["code"] == "PORT-TAKEN"
    assert snapshot(t.dir) == before
    t.stop()
    del t.environment["FAKE_PORT_TAKEN"]
    t.up()
    assert t.provision(secret="a different one")["created"] is True


def record_of(t):
    with open(t.path("installation.json")) as file:
        return json.load(file)


def mails(t):
    record = record_of(t)
    return record["archive"]["email"], record["sparse"]["email"]


def test_two_users_of_one_name_are_two_persons(t):
    t.up()
    first = t.provision()
    one = mails(t)
    assert all(re.fullmatch("(node-)?joe-[a-z2-9]{8}@lama.local", mail) for mail in one), one
    assert t.cli_json("deprovision", "--wipe", "--yes") == (0, {"wiped": True})
    second = t.provision()
    assert not set(one) & set(mails(t)) and second["archive"]["personId"] != first["archive"]["personId"]


def has_content(path):
    return os.path.exists(path) and os.path.getsize(path) > 0


def test_an_interrupted_creation_is_resumed(t):
    t.up(FAKE_FEDERATE_MS="-1")
    client = t.client()
    client.send("provision", user="joe", secret=SECRET)
    until(lambda: has_content(t.path("archive", "key-hash")), "the archive's store")
    os.kill(t.process.pid, signal.SIGKILL)
    t.wait_exit()
    persons = mails(t)
    t.up(FAKE_FEDERATE_MS="0")
    fails_with("BAD-SECRET", t.provision, secret="wrong")
    assert t.provision()["federated"] is True
    assert mails(t) == persons


def test_a_lost_store_is_made_anew_only_when_asked(t):
    t.up()
    first = t.provision()
    t.stop()
    shutil.rmtree(t.path("sparse"))
    t.up()
    fails_with("STORE-MISSING", t.provision)
    assert os.listdir(t.path("sparse")) == []
    result = t.provision(recreate="sparse")
    assert result["sparse"]["personId"] == first["sparse"]["personId"]
    assert result["created"] is True and result["federated"] is True
    with open(t.path("archive", "forgot")) as file:  # the survivor forgot the old key
        assert file.read() == first["sparse"]["personId"]
    t.stop()
    t.up()
    assert t.provision()["created"] is False


def test_deprovision_forgets_the_key_and_keeps_the_stores(t):
    t.up()
    first = t.provision()
    assert t.call("deprovision") == {"wiped": False}
    assert t.call("status")["archive"]["state"] == "unprovisioned"
    fails_with("NOT-PROVISIONED", t.call, "contacts.list")
    fails_with("BAD-SECRET", t.provision, secret="wrong")
    assert t.provision()["archive"]["personId"] == first["archive"]["personId"]


def test_wipe_deletes_and_resumes_after_a_crash(t):
    t.up()
    t.provision()
    status, result = t.cli_json("deprovision", "--wipe")
    assert status == 4 and result["error"]["code"] == "CONFIRMATION-MISSING"
    assert t.cli_json("deprovision", "--wipe", "--yes") == (0, {"wiped": True})
    assert not os.path.exists(t.path("keys.json")) and os.listdir(t.path("archive")) == []
    assert t.provision(user="jim", secret="new")["created"] is True
    t.stop()
    open(t.path("wiping"), "w").close()  # as if it had crashed here
    t.up()
    assert not os.path.exists(t.path("keys.json")) and os.listdir(t.path("sparse")) == []
    assert not os.path.exists(t.path("wiping"))


def source(t):
    folder = os.path.join(t.top, "OneDB")
    os.makedirs(os.path.join(folder, "objects"), exist_ok=True)
    with open(os.path.join(folder, "objects", "a"), "w") as file:
        file.write("x")
    return folder


def test_a_storage_directory_is_adopted(t):
    t.up()
    before = snapshot(source(t))
    status, result = t.cli_json("import", "--one-db", source(t), stdin=SECRET)
    assert status == 0 and result["imported"] == {"objects": 17} and result["federated"], result
    record = record_of(t)
    assert record["user"] == "ann" and record["archive"]["email"] == "node-ann@example.org"
    assert record["archive"]["instanceName"] == "ann's instance" and re.fullmatch("ann-[a-z2-9]{8}@lama.local", record["sparse"]["email"])
    assert record["adopting"] is None and record["recreating"] is None
    with open(t.path("archive", "forgot")) as file:  # it may have known that person with other keys
        assert file.read() == result["sparse"]["personId"]
    assert snapshot(source(t)) == before and not os.path.exists(t.path("archive", "import"))
    status, again = t.cli_json("import", "--one-db", source(t), stdin=SECRET)
    assert status == 4 and again["error"]["code"] == "ALREADY-PROVISIONED"
    t.stop()
    t.up()
    assert t.call("provision", secret=SECRET)["archive"]["personId"] == result["archive"]["personId"]


def unless_busy(call):
    try:
        return call()
    except RpcError as error:
        assert error.code == "BUSY", error
        return None


def test_a_failed_adoption_leaves_nothing(t):
    t.up()
    status, result = t.cli_json("import", "--one-db", source(t), stdin="wrong")
    assert status == 4 and result["error"]["code"] == "BAD-SECRET"
    until(lambda: t.call("status")["archive"]["state"] == "unprovisioned" and not os.listdir(t.path("archive")), "clean")
    assert not os.path.exists(t.path("keys.json")) and not os.path.exists(t.path("installation.json"))
    assert until(lambda: unless_busy(t.provision), "the clearing up is over")["created"] is True


def test_an_interrupted_adoption_is_undone(t):
    t.up(FAKE_SLOW_IMPORT="1")
    os.makedirs(t.path("archive", "import", "x"))
    t.client().send("provision", secret=SECRET, importName="x", importSecret=SECRET)
    until(lambda: os.path.exists(t.path("archive", "half")), "it has begun")
    os.kill(t.process.pid, signal.SIGKILL)
    t.wait_exit()
    del t.environment["FAKE_SLOW_IMPORT"]
    t.up()
    assert not os.path.exists(t.path("keys.json")) and os.listdir(t.path("archive")) == []
    assert t.provision()["created"] is True


def test_a_damaged_file_is_replaced_by_its_copy(t):
    t.up()
    first = t.provision()
    t.stop()
    for name in ("keys.json", "installation.json"):
        with open(t.path(name), "rb") as file:
            good = file.read()
        with open(t.path(name), "w") as file:
            file.write("{}")
        t.up()
        assert t.provision()["archive"]["personId"] == first["archive"]["personId"]
        t.stop()
        with open(t.path(name), "rb") as file, open(t.path(name + ".damaged")) as damaged:
            assert (file.read(), damaged.read()) == (good, "{}")


def test_stores_without_a_record_are_not_made_anew(t):
    t.up()
    t.provision()
    t.stop()
    os.makedirs(t.path("archive", "private"), exist_ok=True)
    with open(t.path("archive", "private", "keychain_masterkey"), "w") as file:
        file.write("the nodes have been here")
    for name in ("installation.json", "installation.json.copy"):
        os.unlink(t.path(name))
    with open(t.path("keys.json"), "rb") as file:
        keys = file.read()
    t.up()
    fails_with("STORE-CORRUPT", t.provision)
    with open(t.path("keys.json"), "rb") as file:
        assert file.read() == keys


def test_damaged_files_are_named_and_kept(t):
    t.up()
    t.provision()
    t.stop()
    os.unlink(t.path("keys.json.copy"))
    with open(t.path("keys.json"), "w") as file:
        file.write("{}")
    t.up()
    fails_with("BAD-KEY-FILE", t.provision)
    t.stop()
    with open(t.path("keys.json"), "w") as file:
        json.dump({"v": 1, "alg": "argon2id13", "opsLimit": 10 ** 9, "memLimit": 2 ** 50, "salt": "0" * 32,
                   "check": "0" * 64}, file)
    t.up()
    fails_with("BAD-KEY-FILE", t.provision)
    t.stop()
    os.unlink(t.path("keys.json"))
    t.up()
    fails_with("BAD-KEY-FILE", t.provision)


def test_no_secret_is_ever_written_or_shown(t):
    t.up()
    t.provision()
    t.call("deprovision")
    t.provision()
    for pid in (t.process.pid, t.call("status")["archive"]["pid"]):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert SECRET.encode() not in file.read()
    t.stop()
    for top, _, names in os.walk(t.dir):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                assert SECRET.encode() not in file.read(), name


def test_state_of_the_future_is_left_alone(t):
    os.makedirs(t.dir, 0o700)
    with open(t.path("format"), "w") as file:
        file.write('{"tandem":2}')
    before = sorted(os.listdir(t.dir))
    status, out, _ = t.cli("up", "--json")
    assert status == 1 and json.loads(out)["error"]["code"] == "STATE-TOO-NEW"
    assert sorted(os.listdir(t.dir)) == before


def test_a_state_directory_that_cannot_be_written(t):
    blocked = os.path.join(t.top, "file")
    open(blocked, "w").close()
    status, out, _ = t.cli("up", "--json", "--state-dir", blocked + "/state")
    error = json.loads(out)["error"]
    assert status == 1 and error["code"] == "IO" and blocked in error["message"]
    if os.geteuid() != 0:
        os.makedirs(t.dir, 0o700)
        os.chmod(t.dir, 0o500)
        status, out, _ = t.cli("up", "--json")
        assert status == 4 and json.loads(out)["error"]["code"] == "NO-PERMISSION"


main(globals())
