"""The command line: its JSON, its exit statuses, its help, its care with foreign text."""
import hashlib
import json
import os
import shlex
import shutil
import socket
import struct
import subprocess
import threading

from control import BIN, SECRET, main, until


def test_every_command_has_help(t):
    status, out, _ = t.cli("--help")
    commands = [line[2:22].strip() for line in out.splitlines() if line.startswith("  ")]
    assert status == 0 and len(commands) > 50
    for command in commands:
        status, text, err = t.cli(*command.split(), "--help")
        assert status == 0 and err == "" and text.startswith("usage: tandem " + command), command
        assert "Example:" in text and "--json" in text and "\nWith --json:\n  " in text, text
        assert t.cli_json(*command.split(), "--help")[1]["details"], f"{command} teaches nothing"
        assert all(len(line) < 160 for line in text.splitlines()), text
    for command, needed in (("chat send", "--to PERSON"), ("chat list", "--with PERSON"), ("roots", "--for PERSON"),
                            ("share grant", "--object HASH"), ("topic create", "--everyone"), ("import", "--one-db DIR"), ("export", "--one-db DIR"),
                            ("chat export", "--with PERSON"), ("chat delete", "--topic TOPIC")):
        assert needed in t.cli(*command.split(), "--help")[1].splitlines()[0], command


def test_a_node_is_asked_only_where_there_is_a_choice(t):
    for words in (("up",), ("status",), ("wait",), ("config", "show"), ("doctor",)):
        assert "--node" not in t.cli(*words, "--help")[1], words
        status, out, err = t.cli("--node", "archive", *words, *(["ready"] if words == ("wait",) else []))
        assert status == 2 and "without --node" in err, (words, err)
    assert "--node" in t.cli("contacts", "--help")[1]


def test_wrong_usage_is_exit_2_and_helps(t):
    for arguments, hint in ((["statu"], "'status'"), (["chat", "sned"], "'chat send'"), (["wait"], "ready|federated|idle"),
                            (["chat", "send", "hi"], "--to"), (["status", "extra"], "extra"),
                            (["status", "--bogus"], "--bogus"), (["--timeout", "x", "status"], "seconds"),
                            (["chat", "list", "--with"], "wants a value"), (["--node", "other", "contacts"], "archive")):
        status, out, err = t.cli(*arguments)
        assert status == 2 and hint in err and out == "", (arguments, status, err)
        status, out, err = t.cli("--json", *arguments)
        assert status == 2 and json.loads(out)["error"]["code"] == "USAGE"
    assert t.cli()[0] == 2
    assert t.cli("chat")[0] == 2


def test_an_error_is_one_document_whatever_it_quotes(t):
    broken = b"--caf\xc3\xa9\xff\x1b".decode(errors="surrogateescape")
    for program in ("tandem", "tandem-supervisor", "tandem-relay"):
        done = subprocess.run([os.path.join(BIN, program), "--json", broken], capture_output=True, timeout=20)
        assert done.returncode == 2
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "USAGE" and "café\ufffd" in error["message"] and error["hint"], error
        assert b"\\xff\\x1b" in done.stderr and b"\x1b" not in done.stderr, done.stderr


def test_without_a_supervisor_it_says_so(t):
    for command in (["status"], ["contacts"], ["provision", "--user", "x"], ["down"]):
        status, result = t.cli_json(*command)
        assert status == 3 and result["error"]["code"] == "NOT-RUNNING" and "tandem up" in result["error"]["hint"]


def test_json_is_one_document_and_lists_are_arrays(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    for command in (["contacts"], ["connections"], ["share", "list"], ["chat", "list", "--with", "01234567"]):
        status, out, _ = t.cli("--json", *command)
        assert status == 0 and isinstance(json.loads(out), list) and out.count("\n") == 1, (command, out)
    status, result = t.cli_json("status")
    assert set(result) == {"supervisor", "archive", "sparse", "federated", "components"}
    assert set(result["supervisor"]) >= {"pid", "uptimeMs", "version"}
    assert set(result["archive"]) >= {"state", "pid", "restarts", "personId", "instanceId", "listeners", "objects", "bytes"}
    assert set(t.cli_json("invite")[1]) == {"token", "publicKey", "url"}
    assert list(json.loads(t.cli("invite", "--json")[1])) == ["token", "publicKey", "url"]
    assert t.cli_json("contact", "forget", "0" * 64) == (0, {})


def test_control_characters_of_others_never_reach_the_terminal(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    t.cli("chat", "send", "--to", "01234567", "x")
    for command in (["contacts"], ["chat", "list", "--with", "01234567"]):
        out = t.cli(*command)[1]
        assert "\x1b" not in out and "\x07" not in out and "\\x1b" in out, out
    for command in (["contacts"], ["chat", "list", "--with", "01234567"]):
        out = t.cli("--json", *command)[1]
        assert out.endswith("\n") and all(" " <= c for c in out[:-1]) and not set(out) & set("\x7f\x9b\u202e"), out
    assert t.cli_json("contacts")[1][0]["name"] == "Bob \x1b]0;evil\x07\x7f\x9b\u202e"


def test_an_invitation_goes_from_hand_to_hand(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    as_json = t.cli("invite")[1]
    as_link = t.cli("invite", "--link")[1]
    assert "/invites/invitePartner/?invited=true/#%7B%22token%22" in as_link
    assert t.cli("pair", as_json.strip())[0] == 0
    assert t.cli("pair", as_link.strip())[0] == 0
    assert set(json.loads(t.cli("--json", "pair", "-", stdin=as_link)[1])) == {"personId", "instanceId"}
    assert "\u2588" in t.cli("invite", "--qr")[1]
    used = json.loads(as_json)
    for bad in ("", "nonsense", "{}", '{"token":"x"}', "https://x/#%7", json.dumps({**used, "url": "http://x"}),
                json.dumps({**used, "publicKey": "12"}), "x" * 9000):
        status, result = t.cli_json("pair", "-", stdin=bad)
        assert status == 4 and result["error"]["code"] == "BAD-INVITATION", (bad, result)
    status, result = t.cli_json("pair", "-", stdin=json.dumps({**used, "token": "unknown"}))
    assert status == 4 and result["error"]["code"] == "INVITATION-UNKNOWN"


def to_full_device(t, *arguments):
    with open("/dev/full", "w") as full:
        return subprocess.run([os.path.join(BIN, "tandem"), *arguments], env=t.environment, stdin=subprocess.DEVNULL,
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)


def to_closed_pipe(t, *arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run([os.path.join(BIN, "tandem"), *arguments], env=t.environment, stdin=subprocess.DEVNULL,
                              stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        os.close(writing)


def to_nothing(t, *arguments):
    return subprocess.run(["bash", "-c", 'exec "$@" >&-', "bash", os.path.join(BIN, "tandem"), *arguments],
                          env=t.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)


def test_what_could_not_be_printed_is_an_error(t):
    t.up()
    t.provision()
    for command in (["status"], ["--json", "status"], ["--json", "contacts"], ["log"], ["events"], ["events", "--follow"],
                    ["--help"], ["--version"], ["config", "show"]):
        done = to_full_device(t, *command)
        assert done.returncode == 1, (command, done.returncode, done.stderr)
        assert "could not be written" in done.stderr or "--json" in command, (command, done.stderr)


def test_an_invitation_that_reached_nobody_is_revoked(t):
    t.up()
    t.provision()
    def revoked():
        try:
            return os.path.getsize(t.path("archive", "revoked"))
        except OSError:
            return 0

    for options in ([], ["--link"], ["--qr"], ["--json"]):
        before = revoked()
        done = to_full_device(t, "invite", *options)
        assert done.returncode != 0 and revoked() == before + 1, (options, done.stderr)
        done = to_closed_pipe(t, "invite", *options)
        assert done.returncode == 1 and revoked() == before + 2, (options, done.stderr)
        done = to_nothing(t, "invite", *options)
        assert done.returncode == 1 and revoked() == before + 3, (options, done.stderr)
    before = revoked()
    status, out, err = t.cli("invite", "--qr-file", t.path("no", "x.svg"))
    assert status != 0 and revoked() == before + 1, err
    status, out, err = t.cli("invite", "--qr-file", t.path("x.gif"))
    assert status == 2 and revoked() == before + 1 and out == "", err  # none was made
    assert t.cli("invite", "--qr-file", t.path("x.svg"))[0] == 0 and revoked() == before + 1


def test_an_empty_state_directory_is_not_another_one(t):
    for command in ("status", "up", "doctor"):
        status, out, err = t.cli("--state-dir", "", command)
        assert status == 2 and "--state-dir is empty" in err, (command, status, err)


def test_messages_one_per_line(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    send = ("chat", "send", "--to", "01234567", "--stdin")
    status, out, err = t.cli("--json", *send, stdin="one\ntwo\n\nthree")
    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and all(set(a) == {"id", "channel", "line"} for a in answers), out
    assert [a["line"] for a in answers] == [1, 2, 4] and "1 of 4 lines were not sent" in err, (out, err)
    assert t.cli("--json", *send, stdin="one\n")[2] == ""


def test_many_lines_are_under_way_at_once(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    send = ("--json", "--timeout", "20", "chat", "send", "--to", "01234567", "--stdin")
    status, out, err = t.cli(*send, stdin="gather 50\n" * 100)  # each is answered when 50 wait
    assert status == 0, (out, err)
    assert [json.loads(line)["line"] for line in out.splitlines()] == list(range(1, 101)), out


def test_a_line_that_fails_ends_it_and_what_was_under_way_is_told(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    send = ("chat", "send", "--to", "01234567", "--stdin")
    lines = ["one", "two", "refuse", *["more"] * 20, "refuse", *["never"] * 200]
    status, out, _ = t.cli("--json", *send, stdin="\n".join(lines))
    *sent, refused = [json.loads(line) for line in out.splitlines()]
    told = [document["line"] for document in sent]
    assert status == 4 and refused["error"]["code"] == "NO-WAY", out
    assert refused["error"]["message"].startswith("line 3: ") and refused["error"]["message"].endswith("(and 1 more)"), out
    assert told == [n for n in range(1, told[-1] + 1) if n not in (3, 24)] and told[-1] < 100, told
    status, out, _ = t.cli("--json", *send, stdin="one\ntwo\0\n")  # found wrong behind one that waits
    assert status == 4 and [json.loads(line).get("line") for line in out.splitlines()] == [1, None], out


def told(out):
    """The lines that were stored, and the error."""
    documents = [json.loads(line) for line in out.splitlines()]
    return [one["line"] for one in documents if "line" in one], next((one["error"] for one in documents if "error" in one), None)


def test_the_answers_behind_one_that_failed_are_waited_for(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    command = [os.path.join(BIN, "tandem"), "--json", "chat", "send", "--to", "01234567", "--stdin"]
    with subprocess.Popen(command, env=t.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write("refuse NODE-DOWN\n" + "gather 10\n" * 9)
        process.stdin.close()
        until(lambda: len(t.cli_json("chat", "list", "--with", "01234567")[1]) == 9, "they are there")
        assert t.cli_json("chat", "send", "--to", "01234567", "gather 10")[0] == 0  # the tenth
        lines, error = told(process.stdout.read())
        assert process.wait(timeout=20) == 1 and lines == list(range(2, 11)) and error["message"].endswith("NODE-DOWN; not known whether it was stored"), (lines, error)


def test_of_lines_without_an_answer_nobody_says_that_they_were_not_stored(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    send = ("--json", "--timeout", "2", "chat", "send", "--to", "01234567", "--stdin")
    status, out, _ = t.cli(*send, stdin="one\ngather 64\n\ngather 64\nfive\nrefuse\n")
    lines, error = told(out)
    assert status == 5 and lines == [1, 5] and error["code"] == "TIMEOUT", out
    assert error["message"].startswith("line 2: ") and "; not stored: 1 more; lines 2–4: not known" in error["message"], error
    status, out, _ = t.cli(*send, stdin="refuse\ngather 64\nthree\ngather 64\n")
    lines, error = told(out)
    assert status == 4 and lines == [3] and error["message"].startswith("line 1: "), out
    assert error["message"].endswith("; 2 of the lines 2–4: not known whether they were stored"), error


def test_a_line_that_finds_no_room_comes_before_those_behind_it(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    send = ("--json", "chat", "send", "--to", "01234567", "--stdin")
    status, out, err = t.cli(*send, stdin="busy\n" + "more\n" * 200)
    lines, error = told(out)
    assert status == 0 and error is None and sorted(lines) == list(range(1, 202)), (out, err)
    assert lines.index(1) < 60 and lines[lines.index(1) + 1:] == list(range(lines.index(1) + 2, 202)), lines


def test_who_waits_for_the_answer_to_a_line_gets_it(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    for json_or_not in (["--json"], []):
        command = [os.path.join(BIN, "tandem"), *json_or_not, "chat", "send", "--to", "01234567", "--stdin"]
        reader, writer = os.pipe()
        os.set_blocking(reader, False)  # it may be shared with somebody who wants that
        with subprocess.Popen(command, env=t.environment, stdin=reader, stdout=subprocess.PIPE, text=True) as process:
            os.close(reader)
            for number in range(1, 4):
                os.write(writer, f"hello {number}\n".encode())
                answer = process.stdout.readline()
                assert json.loads(answer)["line"] == number if json_or_not else answer.startswith(f"line {number}: sent "), answer
            os.close(writer)
            assert process.wait(timeout=20) == 0


def test_a_stdin_that_fails_is_not_at_its_end(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    command = [os.path.join(BIN, "tandem"), "--json", "chat", "send", "--to", "01234567", "--stdin"]
    ours, theirs = socket.socketpair()
    with subprocess.Popen(command, env=t.environment, stdin=theirs, stdout=subprocess.PIPE, text=True) as process:
        theirs.send(b"unread, so that the end is a reset")
        theirs.close()
        ours.sendall(b"one\ntw")
        assert json.loads(process.stdout.readline())["line"] == 1
        ours.close()
        error = json.loads(process.stdout.readline())["error"]
        assert process.wait(timeout=20) == 1 and "after line 1: " in error["message"] and error["code"] == "IO", error


def test_numbers_have_limits(t):
    for words in (("chat", "list", "--with", "01234567", "--limit"), ("topic", "read", "x", "--limit"),
                  ("chat", "search", "x", "--limit"), ("log", "--lines"), ("restore", "/nowhere", "--generation")):
        for number in ("99999999999999999999", "9223372036854775807", "-1", "-99999999999999999999", "1x", "", "0x10"):
            status, answer = t.cli_json(*words[:-1], words[-1] + "=" + number)
            assert (status, answer["error"]["code"]) == (2, "USAGE"), (words, number, answer)
            assert answer["error"]["hint"] and words[-1] in answer["error"]["message"], answer
    assert t.cli_json("chat", "list", "--limit", "3", "--timeout", "99999999999999999999")[1]["error"]["code"] == "USAGE"


def test_a_line_with_a_nul_is_not_cut_but_refused(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    status, out, _ = t.cli("--json", "chat", "send", "--to", "01234567", "--stdin", stdin="one\n\ntwo\0three\nfour\n")
    sent, refused = [json.loads(line) for line in out.splitlines()]
    assert status == 4 and "id" in sent and refused["error"]["code"] == "BAD-TEXT", out
    assert "line 3" in refused["error"]["message"], out


def test_words_may_begin_with_a_dash_and_texts_come_from_stdin(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    said = lambda: open(t.path("sparse", "said")).read()
    send = ("chat", "send", "--to", "01234567")
    for words, stdin, text in ((("- milk",), "", "- milk"), (("-1",), "", "-1"), (("--", "--x"), "", "--x"),
                               (("-",), "two\nlines\n", "two\nlines")):
        assert t.cli_json(*send, *words, stdin=stdin)[0] == 0 and said() == text, words
    assert t.cli_json(*send, "-", stdin="a\0b")[1]["error"]["code"] == "BAD-TEXT"
    assert t.cli("invite", "revoke", "-Ue48")[0] == 0
    for words, wrong in ((("status", "-x"), "'-x'"), ((*send, "--nix", "y"), "'--nix'"), (("-x", "status"), "'-x'")):
        status, _, err = t.cli(*words)
        assert status == 2 and wrong in err, err


def test_help_and_version_are_words_and_letters(t):
    overview, of_send, of_chat = (t.cli(*words, "--help")[1] for words in ((), ("chat", "send"), ("chat",)))
    for words, text in ((("help",), overview), (("-h",), overview), (("help", "chat", "send"), of_send),
                        (("chat", "send", "-h"), of_send), (("help", "chat"), of_chat), (("chat", "-h"), of_chat),
                        (("version",), t.cli("--version")[1])):
        assert t.cli(*words) == (0, text, ""), words
    assert t.cli("help", "nonsense")[0] == 2


def test_help_and_version_are_documents_too(t):
    version = t.cli("version")[1].split()[1]
    for words in (("--json", "--version"), ("--json", "version"), ("version", "--json")):
        status, out, err = t.cli(*words)
        shown = json.loads(out)
        assert status == 0 and shown["version"] == version and err == "", words
        assert ("walls" in shown["features"]) == (os.environ.get("TANDEM_SANITIZE", "") == ""), shown
        assert shown["libraries"]["libsodium"], shown
    for words in (("--json", "help", "chat", "send"), ("help", "--json", "chat", "send"), ("chat", "send", "-h", "--json")):
        status, out, err = t.cli(*words)
        shown = json.loads(out)
        assert status == 0 and shown["command"] == "chat send" and shown["timeoutS"] == 30 and err == "", words
        assert {"name": "to", "letter": None, "value": "PERSON"}.items() <= shown["options"][0].items(), shown
    of_all, of_chat = (t.cli_json(*words)[1]["commands"] for words in (("help",), ("help", "chat")))
    assert {c["command"] for c in of_chat} == {c["command"] for c in of_all if c["command"].startswith("chat ")}
    assert len(of_all) > 50
    for words in (("--json", "chat"), ("chat", "--json")):
        status, out, _ = t.cli(*words)
        error = json.loads(out)["error"]
        assert status == 2 and error["code"] == "USAGE" and "send, list" in error["message"], words
    status, out, err = t.cli("chat", "--json", "--help")
    assert (status, json.loads(out)["commands"], err) == (0, of_chat, "")


def test_options_may_stand_behind_any_word(t):
    for words in (("--json", "chat", "list"), ("chat", "--json", "list"), ("chat", "list", "--json")):
        status, out, _ = t.cli(*words, "--with", "0" * 64)
        assert (status, json.loads(out)["error"]["code"]) == (3, "NOT-RUNNING"), words
    status, out, _ = t.cli("chat", "--json", "--nonsense", "list")
    assert status == 2 and "no option '--nonsense'" in json.loads(out)["error"]["message"]
    assert t.cli_json("chat", "--node", "moon", "list", "--with", "0" * 64)[1]["error"]["code"] == "USAGE"


def test_an_empty_path_is_wrong_usage(t):
    for words in (("backup", ""), ("backup", "verify", ""), ("restore", ""), ("topic", "export", "team", ""),
                  ("blob", "put", "")):
        status, _, err = t.cli(*words)
        assert status == 2 and "not an empty one" in err, (words, err)


def test_a_group_of_commands_names_them(t):
    for words in (("chat", "find", "x"), ("topic", "burn")):
        status, _, err = t.cli(*words)
        assert status == 2 and f"'{words[0]}' has no '{words[1]}'; it has " in err, err
    assert "it has send, list, follow, search" in t.cli("chat", "find")[2]
    assert "'chat' has no 'serach'; did you mean 'chat search'? it has " in t.cli("chat", "serach", "x")[2]


def test_what_was_meant_is_suggested(t):
    for typed, meant in (("stauts", "status"), ("prov", "provision"), ("contcats", "contacts"), ("inivte", "invite"),
                         ("chta list", "chat list"), ("chats", "chat list"), ("topics", "topic list"), ("stop", "down"),
                         ("start", "up"), ("message bob", "chat send"), ("bakcup /x", "backup"), ("topci add x", "topic add")):
        status, _, err = t.cli(*typed.split())
        assert status == 2 and f"did you mean '{meant}'?" in err, (typed, err)
    status, _, err = t.cli("send", "bob", "hello")
    assert status == 2 and "there are 'chat send', 'topic send'" in err, err
    for typed in ("xyzzy", "q", "frobnicate it"):
        status, _, err = t.cli(*typed.split())
        assert status == 2 and "'tandem --help' lists them" in err and "mean" not in err, (typed, err)


def test_follow_prints_what_arrives(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    follower = subprocess.Popen([os.path.join(BIN, "tandem"), "--json", "events", "--follow"], env=t.environment,
                                stdout=subprocess.PIPE, text=True)
    names = [json.loads(follower.stdout.readline())["event"]]
    t.cli("chat", "send", "--to", "01234567", "x")
    while names[-1] != "chat.sent":
        names.append(json.loads(follower.stdout.readline())["event"])
    follower.terminate()
    follower.wait()
    follower.stdout.close()


def test_files_of_any_size_go_and_come_back(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    for size in (0, 1, 393216, 2000003):
        path, back = os.path.join(t.top, "file"), os.path.join(t.top, f"back-{size}")
        content = os.urandom(size)
        with open(path, "wb") as file:
            file.write(content)
        status, result = t.cli_json("blob", "put", path)
        assert status == 0 and result == {"hash": hashlib.sha256(content).hexdigest(), "size": size}
        assert t.cli_json("blob", "get", result["hash"], "-o", back) == (0, result)
        with open(back, "rb") as file:
            assert file.read() == content
        status, result = t.cli_json("blob", "get", result["hash"], "-o", back)
        assert status == 1 and result["error"]["code"] == "EXISTS"


def test_settings_and_where_they_come_from(t):
    os.makedirs(t.dir, 0o700)
    with open(t.path("tandem.conf"), "w") as file:
        file.write("; a comment\n[log]\nlevel = debug\n[restart]\ndeaths = 7\n")
    t.environment["TANDEM_RESTART_DEATHS"] = "9"
    status, result = t.cli_json("config", "show", "--origin")
    assert status == 0
    assert result["log.level"] == {"value": "debug", "origin": "file", "line": 3}
    assert result["restart.deaths"] == {"value": "9", "origin": "environment"}
    assert result["listen.address"] == {"value": "localhost:8765", "origin": "default"}
    for text, line in (("[log]\nlevle = x\n", 2), ("[log]\nlevel = loud\n", 2), ("[restart]\n\ndeaths = many\n", 3),
                       ("rubbish\n", 1)):
        with open(t.path("tandem.conf"), "w") as file:
            file.write(text)
        status, result = t.cli_json("config", "show")
        assert status == 1 and result["error"]["code"] == "BAD-CONFIG" and f"line {line}" in result["error"]["message"]
        assert t.cli("up")[0] == 1


def test_settings_are_written_where_they_stand(t):
    os.makedirs(t.dir, 0o700)
    path = t.path("tandem.conf")

    def written():
        with open(path) as file:
            return file.read()

    change = lambda *words: t.cli_json("config", "set", *words)
    value = lambda key: t.cli_json("config", "show")[1][key]
    assert change("log.level", "debug") == (0, {"file": path, "key": "log.level"})
    assert written() == "[log]\nlevel = debug\n" and os.stat(path).st_mode & 0o777 == 0o600
    kept = ("; mine\n[log]\n; loud\nlevel = debug ; for now\n\n[relay]\nurls = ws://a\n  ws://b\n  ; c\n"
            "[listen]\naddress = localhost:0")
    with open(path, "w") as file:
        file.write(kept)
    for key, new, text in (("log.level", "warn", kept.replace("debug ; for now", "warn")),
                           ("relay.urls", "wss://c.example.org", "= wss://c.example.org\n  ; c\n"),
                           ("log.journal", "no", "[log]\njournal = no\n; loud\n"),
                           ("alert.errors", "7", "address = localhost:0\n\n[alert]\nerrors = 7\n")):
        assert change(key, new)[0] == 0 and value(key) == new and text in written() + "\n", (key, written())
    assert change("log.level")[0] == 0 and value("log.level") == "info" and "level" not in written()
    before = written()
    for words in (("log.levle", "x"), ("log.level", "loud"), ("restart.deaths", "many"), ("listen.hosts", "a ; b"),
                  ("listen.hosts", "a\nb"), ("listen.hosts", " a"), ("ui.listen", "xx"), ("ui.listen", "0.0.0.0:8099"),
                  ("listen.address", "xx"), ("listen.hosts", "http://home.example.org"), ("listen.hosts", "*"),
                  ("listen.origins", "https://lama.example/"), ("relay.listen", "8000"),
                  ("tls.ca_file", os.path.join(t.top, "nowhere.pem")), ("tls.ca_file", path), ("tls.ca_file", "a.pem")):
        status, result = change(*words)
        assert status == 1 and result["error"]["code"] == "BAD-CONFIG" and written() == before, (words, result, written())
    with open(path, "a") as file:
        file.write("rubbish\n")
    assert change("log.level", "debug")[1]["error"]["code"] == "BAD-CONFIG" and written() == before + "rubbish\n"
    assert os.listdir(t.dir) == ["tandem.conf"]
    other = os.path.join(t.top, "other.conf")
    assert "has it" in t.cli("config", "set", "--config", other, "log.level", "warn")[1] and os.path.exists(other)


def test_settings_may_be_made_before_the_first_start(t):
    new = os.path.join(t.top, "not", "yet")
    status, out, err = t.cli("--state-dir", new, "config", "set", "log.level", "debug")
    assert status == 0 and "has it" in out, (status, out, err)
    assert os.stat(new).st_mode & 0o777 == 0o700 and os.listdir(new) == ["tandem.conf"]
    status, out, err = t.cli("--state-dir", new, "config", "set", "listen.hosts", "home:80")
    assert status == 1 and "home.example.org" in err and "home:80" in err, err


def test_a_file_of_certificates_has_some(t):
    pem = os.path.join(t.top, "ca.pem")
    with open(pem, "w") as file:
        file.write("-----BEGIN CERTIFICATE-----\n")
    os.makedirs(t.dir, 0o700)
    assert t.cli("config", "set", "tls.ca_file", pem)[0] == 0
    status, _, err = t.cli("config", "set", "tls.ca_file", os.path.join(t.top, "nowhere.pem"))
    assert status == 1 and "There is no file" in err and "PEM" in err, err


def test_settings_are_checked_as_the_next_start_does(t):
    os.makedirs(t.dir, 0o700)
    change = lambda *words: t.cli("config", "set", *words)

    def written():
        with open(t.path("tandem.conf")) as file:
            return file.read()

    assert "did not have it" in change("ui.listen")[1] and not os.path.exists(t.path("tandem.conf"))
    everywhere = t.cli_json("config", "set", "listen.address", "0.0.0.0:0")
    assert everywhere[0] == 1 and everywhere[1]["error"]["code"] == "HOSTS-MISSING" and os.listdir(t.dir) == [], everywhere
    assert change("listen.hosts", "home.example.org")[0] == 0 == change("listen.address", "0.0.0.0:0")[0]
    assert change("listen.hosts")[0] == 1 and "home.example.org" in written(), "the address needs it"
    before = written()
    assert change("ui.listen", "localhost:0")[0] == 0 and written() != before
    assert "no longer has it" in change("ui.listen")[1] and written() == before


def test_the_log_and_the_doctor_work_offline(t):
    t.up()
    t.cli("provision", "--user", "joe", stdin=SECRET)
    t.stop()
    status, out, _ = t.cli("--json", "log", "--grep", "supervisor.started")
    assert status == 0 and json.loads(out.splitlines()[0])["event"] == "supervisor.started"
    status, result = t.cli_json("doctor")
    checks = {check["check"]: check["ok"] for check in result["checks"]}
    assert checks["installation"] and checks["keys"] and checks["port"]
    os.unlink(t.path("keys.json"))
    checks = {check["check"]: check["ok"] for check in t.cli_json("doctor")[1]["checks"]}
    assert not checks["keys"]


def test_completion_knows_every_command(t):
    script = t.cli("completion", "bash")[1]

    def complete(*words):
        line = " ".join(f"'{word}'" for word in ("tandem", *words))
        program = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _tandem_words; echo ${{COMPREPLY[@]}}"
        return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert "provision" in complete("pro") and "chat" in complete("")
    assert set(complete("chat", "")) == {"send", "list", "follow", "search", "delete", "export"}
    assert complete("chat", "send", "--at") == ["--attach"]
    assert complete("--json", "provision", "--no") == ["--no-wait", "--node"]
    for shell in ("bash", "zsh", "fish"):
        assert t.cli_json("completion", shell) == (0, {"shell": shell, "script": t.cli("completion", shell)[1]})
    assert complete("invite", "--via", "") == ["direct", "relay"] == complete("--json", "invite", "--qr", "--via", "")
    assert complete("restart", "")[:2] == ["archive", "sparse"] == complete("--node", "")
    assert complete("chat", "send", "--attach", "") == [], "a file's name is the shell's"
    assert set(complete("invite", "")) > {"list", "revoke", "--qr"} and complete("invite", "list", "--q") == []
    zsh = t.cli("completion", "zsh")[1]
    assert zsh.startswith("#compdef tandem\n") and script in zsh


def test_fish_completes_words_and_values(t):
    script = os.path.join(t.top, "tandem.fish")
    with open(script, "w") as file:
        file.write(t.cli("completion", "fish")[1])
    with open(script) as file:
        lines = [shlex.split(line) for line in file]
    offered = lambda words, *what: any(line[:5] == ["complete", "-c", "tandem", "-n", words] and
                                       line[5:5 + len(what)] == list(what) for line in lines)
    seen = "__fish_seen_subcommand_from "
    assert offered(seen + "invite", "-l", "via", "-x", "-a", "direct relay")
    assert offered(seen + "restart", "-a", "archive sparse")
    assert offered(seen + "listener", "-a", "stop", "-d", "Shut the archive's listener")
    assert offered(seen + "chat; and " + seen + "send", "-l", "attach", "-r", "-F")
    if shutil.which("fish") is None:
        return
    asked = f"source {script}; complete -C 'tandem invite --via '"
    done = subprocess.run(["fish", "-c", asked], env=dict(os.environ, HOME=t.top), capture_output=True, text=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["direct", "relay"], done


def read_all(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data


def answer_as_supervisor(listener, answers):
    """One connection of a client, each of whose requests gets what is there for its method: a result or an error."""
    connection, _ = listener.accept()
    connection.sendall(b"\0SP\0" + struct.pack(">HH", 0x31, 0))  # greeting: REP
    head = read_all(connection, 8) and read_all(connection, 9)
    while head:
        request = read_all(connection, struct.unpack(">Q", head[1:])[0])
        asked = json.loads(request[4:])
        answer = json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answers[asked["method"]]}).encode()
        connection.sendall(b"\1" + struct.pack(">Q", 4 + len(answer)) + request[:4] + answer)
        head = read_all(connection, 9)
    connection.close()


def test_a_message_was_sent_even_if_nobody_says_how_far_it_got(t):
    """Between the answer to chat.send, that it waits for the archive, and the question whether that has it by now."""
    run = t.path("run")
    os.makedirs(run, mode=0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(run, "control.sock"))
    listener.listen()
    with open(os.path.join(run, "control.json"), "w", encoding="utf-8") as file:
        json.dump({"control": f"ipc://{run}/control.sock"}, file)
    away = {"code": -32000, "message": "the sparse node is gone", "data": {"code": "NODE-DOWN"}}
    answers = {"chat.send": {"result": {"id": "ab" * 32, "channel": "cd" * 32, "state": "pending"}},
               "chat.state": {"error": away}}
    thread = threading.Thread(target=answer_as_supervisor, args=(listener, answers), daemon=True)
    thread.start()
    status, out, err = t.cli("chat", "send", "--to", "ef" * 32, "hello")
    assert (status, err) == (0, "") and "pending" in out, (status, out, err)
    thread.join()
    listener.close()


main(globals())
