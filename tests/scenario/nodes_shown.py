"""What people see: tables and sentences with units, times told from now, ids short enough to read and long enough to type,
colours on a terminal alone. The documents of --json stay what they are."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios

from control import BIN, Installation, main, until
from nodes import Friend, Pair

WHOLE_ID = re.compile(r"\b[0-9a-f]{64}\b")


def shown(t, *words):
    status, out, err = t.cli(*words)
    assert status == 0, (words, status, out, err)
    return out


def facts(text):
    """The lines "Title  value" above the first empty line."""
    pairs = (re.split(r"  +", line.strip(), maxsplit=1) for line in text.split("\n\n")[0].splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def on_a_terminal(t, *words, columns=200, **environment):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in t.environment.items() if name != "NO_COLOR"}
    command = subprocess.Popen([os.path.join(BIN, "tandem"), *words], env={**kept, **environment}, stdout=theirs,
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs)
    return command, ours


def all_of(command, terminal):
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            break
    command.wait()
    os.close(terminal)
    return said.decode()


def test_what_people_are_shown_is_read(t):
    """On a terminal, in words: a program that lists messages changes nothing."""
    joe = Pair(t)
    ann = Friend(joe, "archive", "ann")
    unread = lambda: next(c["unread"] for c in joe.ok("contacts") if c["personId"] == ann.person)
    try:
        ann.says("one")
        until(lambda: unread() == 1, "one is new")
        assert "one" in shown(t, "chat", "list", "--with", ann.person)
        assert "one" in all_of(*on_a_terminal(t, "--json", "chat", "list", "--with", ann.person))
        assert unread() == 1
        assert "one" in all_of(*on_a_terminal(t, "chat", "list", "--with", ann.person))
        assert unread() == 0
        following, terminal = on_a_terminal(t, "chat", "follow", "--with", ann.person)
        said = ""
        for number in range(1000):
            if select.select([terminal], [], [], 0.2)[0]:
                said += os.read(terminal, 4096).decode()
                break
            ann.says(f"followed {number}")
        assert "followed" in said
        until(lambda: unread() == 0, "what was followed is read")
        following.terminate()
        all_of(following, terminal)
        ann.says("two")
        until(lambda: unread() == 1, "one is new again")
        assert "two" in all_of(*on_a_terminal(t, "topic", "read", ann.person))
        assert unread() == 0
    finally:
        ann.end()


def test_numbers_have_units(t):
    pair = Pair(t)
    pair.send("sparse", "one")
    pair.arrives("archive", "one")
    for node in ("archive", "sparse"):
        numbers = pair.ok("--node", node, "stats")
        assert numbers["maxRssBytes"] >= numbers["rssBytes"]
    text = shown(t, "stats", "--history", "5")
    told = facts(text)
    assert text.startswith("sparse\n") and re.fullmatch(r"\d+\.\d MB", told["Memory"]), text
    assert re.fullmatch(r"\d+(\.\d)? (ms|s|min .*)", told["Running for"]) and told["Connections now"] == "1", text
    assert re.search(r"^websocket +\d+ +1 +0 +\d+ +\d+\.\d kB$", text, re.M) and "No alerts." in text, text
    assert ("No minute is over yet." in text or "\nMINUTE " in text) and not re.search(r"[a-z]{2}[A-Z]", text), text
    storage = shown(t, "--node", "archive", "storage")
    assert facts(storage)["Node"] == "archive" and re.search(r"\d+\.\d kB", facts(storage)["Bytes"]), storage
    assert re.search(r"^Profile +object +present +\d+ +\d+(\.\d)? k?B$", storage, re.M), storage
    report = shown(t, "report")
    assert facts(report)["Messages"] and "No errors." in report, report
    assert re.search(rf"^{pair.archive[:12]} +me +chum +active +out +websocket .* ms +.* ago|just now", report, re.M), report
    assert "totalConnections" in pair.ok("report")["text"]


def test_health_is_a_word_and_then_why(t):
    pair = Pair(t)
    until(lambda: pair.cli("health")[1].get("lastSync"), "they have synchronised")
    reason = pair.ok("status")["components"]["browserConnection"]["reason"]
    assert re.fullmatch(r"WebSockets opened: \d+, now open: \d+", reason), reason
    word, sentence = shown(t, "health").splitlines()
    assert word == "healthy", word
    assert re.fullmatch(r"2 of 2 contacts are connected; they answer within \d+(\.\d)? m?s; last synchronised .*(ago|now)", sentence), sentence
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    until(lambda: pair.cli("health")[1]["health"] == "offline", "the nodes are apart")
    status, out, _ = t.cli("health")
    assert status == 3 and out.splitlines()[0] == "offline" and "me (" not in out.splitlines()[1], out


def test_a_trace_is_a_table_of_steps(t):
    pair = Pair(t)
    sent = pair.send("sparse", "follow me")
    until(lambda: pair.ok("--node", "sparse", "trace", sent["id"])["success"], "it has come")
    text = shown(t, "trace", sent["id"][:12])
    told = facts(text)
    assert told["Message"] == sent["id"] and told["Text"] == "follow me" and re.fullmatch("just now|[0-9]+ (s|min) ago", told["Written"]), text
    assert re.search(r"^ *0 ms  chatModelSend +written$", text, re.M), text
    assert re.search(r"^ *\d.* m?s  remoteDelivery +stored by the recipient$", text, re.M), text
    assert "Waits to be" not in told, text
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    until(lambda: pair.cli("health")[1]["health"] == "offline", "the nodes are apart")
    waiting = pair.send("sparse", "stays here")
    assert facts(shown(t, "trace", waiting["id"]))["Waits to be"] == "offered to the others"


def test_ids_are_short_and_can_be_typed(t):
    pair = Pair(t)
    pair.send("sparse", "one")
    pair.arrives("archive", "one")
    for words in (("contacts",), ("connections", "--ended"), ("endpoints",), ("events",), ("trust", "list"), ("report",),
                  ("topic", "list"), ("share", "list"), ("group", "list"), ("roots", "--for", pair.archive), ("log",)):
        text = shown(t, *words)
        assert not WHOLE_ID.search(text), (words, WHOLE_ID.search(text).group(), text)
    row = next(line for line in shown(t, "contacts").splitlines() if pair.archive[:12] in line)
    assert re.search(r"  (just now|\d+ (s|min) ago)  ", row), row
    assert pair.ok("profile", "get", row.split()[0])["personId"] == pair.archive
    events = shown(t, "events")
    assert re.search(rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  sparse +contact.added +personId {pair.archive[:12]}$", events,
                     re.M), events
    assert "{" not in events, events


def test_what_was_done_is_said(t):
    """No document is shown to people as it is; ids that are new are whole."""
    pair = Pair(t)
    file = os.path.join(t.top, "file")
    with open(file, "wb") as out:
        out.write(b"x" * 1500)
    stored = facts(shown(t, "blob", "put", file))
    assert WHOLE_ID.fullmatch(stored["Hash"]) and stored["Size"] == "1.5 kB", stored
    topic = facts(shown(t, "topic", "create", "--name", "tea", "--with", pair.archive))
    assert topic["Topic"].startswith("tea-") and WHOLE_ID.fullmatch(topic["Channel"]), topic
    renamed = facts(shown(t, "topic", "rename", "tea", "cake"))
    assert (renamed["Name"], renamed["Topic"], renamed["Members"]) == ("cake", topic["Topic"], "2"), renamed
    assert re.fullmatch(r"(pending|sent|archived|delivered) [0-9a-f]{12}\n", shown(t, "topic", "send", "cake", "hello"))
    entries = shown(t, "channel", "read", topic["Topic"])
    assert re.search(rf"  me +verified +[0-9a-f]{{12}}  ChatMessage +text hello, sender {pair.sparse[:12]}$", entries,
                     re.M) and "{" not in entries, entries
    assert re.search(rf"^{topic['Channel'][:12]}  .*  me +{topic['Topic']}$", shown(t, "channel", "list"), re.M)
    for row in shown(t, "channel", "list").splitlines()[1:]:
        asked = row.split()[0], row.split()[-1]
        assert shown(t, "channel", "read", asked[0]) == shown(t, "channel", "read", asked[1]), row
    topics = shown(t, "topic", "list")
    assert re.search(rf"^cake +{topic['Topic']} +0  (just now|\d+ (s|min) ago) +2  {topic['Channel'][:12]}$", topics, re.M), topics
    note = facts(t.cli("object", "put", stdin=json.dumps({"$type$": "PersonName", "name": "Jo"}))[1])
    assert WHOLE_ID.fullmatch(note["Hash"]) and note["It is"] == "new", note
    assert shown(t, "object", "get", note["Hash"]).splitlines() == [f"Hash     {note['Hash']}", "Type     PersonName", "",
                                                                    "name: Jo"]
    assert shown(t, "settings", "set", "app", "theme", "dark") == "Done.\n"
    assert shown(t, "settings", "get", "app", "theme") == "dark\n"
    profile = shown(t, "profile", "set", "--phone", "123")
    assert facts(profile)["Name"] == "joe" and re.search(r"^PhoneNumber +123$", profile, re.M), profile
    group = facts(shown(t, "group", "create", "friends", "--person", pair.archive))["Group"]
    assert re.search(rf"^{group[:12]}  friends +me$", shown(t, "group", "list"), re.M)
    pair.ok("share", "grant", "--object", note["Hash"], "--with", pair.archive)
    assert re.search(rf"^object +{note['Hash'][:12]}  PersonName +0  me$", shown(t, "share", "list"), re.M)
    assert "Certificate" in shown(t, "trust", "certify", "AffirmationCertificate", note["Hash"])
    signed = shown(t, "trust", "verify", note["Hash"])
    assert re.search(rf"^{pair.sparse[:12]}  me +AffirmationCertificate +yes +root key$", signed, re.M), signed
    assert facts(shown(t, "id"))["Person"] == pair.sparse


def test_why_a_signature_counts_is_said(t):
    second = Installation()
    try:
        joe, ann = Pair(t), Pair(second, user="ann")
        assert second.cli("pair", "-", stdin=json.dumps(joe.ok("invite")))[0] == 0
        said = ann.ok("chat", "send", "--to", "joe", "hello", "--wait")["id"]
        verify = lambda: shown(t, "--node", "archive", "trust", "verify", said)
        signed = rf"^{ann.archive[:12]}  .*AffirmationCertificate +"
        assert re.search(signed + "yes +certified: TrustKeysCertificate$", verify(), re.M), verify()
        shown(t, "--node", "archive", "contact", "forget", ann.archive)
        assert re.search(signed + "no +no known key made this signature$", verify(), re.M), verify()
    finally:
        second.clean()


def test_a_pairing_says_with_whom(t):
    second = Installation()
    try:
        joe, ann = Pair(t), Pair(second, user="ann")
        status, out, err = second.cli("pair", "-", stdin=json.dumps(joe.ok("invite")))
        told = facts(out)
        assert status == 0 and told["Paired with"] == "joe" and told["Person"] == joe.archive, (out, err)
        assert re.fullmatch(r"(\d{5} ){7}\d{5}", told["Safety text"]) and "Compare" in err, (out, err)
        ann.ok("chat", "send", "--to", "joe", "hello", "--wait")
        connections = shown(second, "--node", "archive", "connections")
        assert re.search(rf"^{joe.archive[:12]}  joe +chum +active +(in|out) .*kB", connections, re.M), connections
        t.stop()
        until(lambda: ann.cli("health")[1]["unreached"] == [joe.archive], "he is missed")
        status, out, _ = second.cli("health")
        assert status == 1 and out.splitlines()[0] == "degraded", out
        assert f"Not reached: joe ({joe.archive[:12]})" in out, out
    finally:
        second.clean()


def names_in(document):
    """All names of members, but not those that are data: the names of settings, components, files."""
    if isinstance(document, list):
        return set().union(*map(names_in, document))
    return set(document) if isinstance(document, dict) else set()


def test_documents_have_what_help_says(t):
    """What docs/commands.md and --help say of --json is made of the tables; here it is compared with what is printed."""
    pair = Pair(t)
    sent = pair.send("sparse", "one")
    pair.arrives("archive", "one")
    stored = pair.ok("object", "put", stdin=json.dumps({"$type$": "PersonName", "name": "Jo"}))["hash"]
    pair.ok("share", "grant", "--object", stored, "--with", pair.archive)
    certificate = pair.ok("trust", "certify", "AffirmationCertificate", stored)
    pair.ok("topic", "create", "--name", "tea", "--with", pair.archive)
    topic = next(x["topicId"] for x in pair.ok("topic", "list") if x["name"] == "tea")
    told = {c["command"]: c["result"] for c in pair.ok("help")["commands"]}
    asked = ("status", "contacts", "connections", "endpoints", "health", "stats", "report", "storage", "id", "invite",
             "invite list", "pair list", "trust list", "recipe list", "group list", "channel list", "share list", "topic list",
             "identity list", "metrics", "doctor", "verify", "profile get", "config show --origin", f"trace {sent['id']}",
             f"roots --for {pair.archive}", f"chat list --with {pair.archive}", f"object get {stored}",
             f"object versions {pair.sparse}", f"trust verify {stored}", f"topic members {topic}", f"topic rename {topic} cake",
             f"channel read {topic}", f"topic send {topic} hello", f"chat search one")
    untold = {}
    for words in asked:
        command = words if words in told else max((name for name in told if words.startswith(name + " ")), key=len)
        found = pair.cli(*words.split())[1]
        if command == "config show":
            found = list(found.values())
        said = re.sub(r"'([a-z -]+)'", lambda other: told[other.group(1)], told[command])
        untold[words] = names_in(found) - set(re.findall(r"\w+", said))
    assert not any(untold.values()), {words: names for words, names in untold.items() if names}
    assert set(certificate) == set(re.findall(r"\w+", told["trust certify"]))


def test_colours_are_for_terminals(t):
    Pair(t)
    for words in (("status",), ("contacts",), ("health",), ("stats",), ("--help",)):
        coloured = all_of(*on_a_terminal(t, *words))
        assert "\x1b[" in coloured and coloured.count("\x1b[0m") * 2 == coloured.count("\x1b["), (words, coloured)
        assert "\x1b" not in all_of(*on_a_terminal(t, *words, NO_COLOR="1")), words
        assert "\x1b" not in shown(t, *words), words
    assert "\x1b[32mrunning\x1b[0m" in all_of(*on_a_terminal(t, "status"))
    assert json.loads(all_of(*on_a_terminal(t, "--json", "status")))["federated"] is True


def test_what_is_too_wide_is_told_line_by_line(t):
    pair = Pair(t)
    wide = all_of(*on_a_terminal(t, "contacts", columns=220, NO_COLOR="1")).splitlines()
    assert len(wide) == 2 and wide[0].startswith("PERSON ") and wide[1].startswith(pair.archive[:12]), wide
    assert " AS " not in wide[0], "it would say the same of all"
    narrow = all_of(*on_a_terminal(t, "contacts", columns=80, NO_COLOR="1")).splitlines()
    assert narrow[0].split() == ["PERSON", pair.archive[:12]] and len(narrow) > 5, narrow
    assert all(len(line) <= 80 for line in narrow), narrow
    assert shown(t, "contacts").splitlines()[0] == wide[0], "who reads a pipe gets the table"


def test_status_goes_on_while_it_is_watched(t):
    pair = Pair(t)
    pid = pair.ok("status")["sparse"]["pid"]
    people, programs = (subprocess.Popen([os.path.join(BIN, "tandem"), *words, "status", "--watch"], env=t.environment,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                        for words in ((), ("--json",)))
    first = json.loads(programs.stdout.readline())
    assert first["sparse"]["pid"] == pid and first["federated"] is True
    begun = [people.stdout.readline() for _ in range(2)]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", begun[0]) and re.match("supervisor  running, pid ", begun[1])
    pair.ok("restart", "sparse")
    now = first
    while now["sparse"]["pid"] in (pid, None):
        before, now = now, json.loads(programs.stdout.readline())
        assert before != now
    terminal, ours = on_a_terminal(t, "status", "--watch")
    picture = b""
    while b"\x1b[H\x1b[J" not in picture:  # the second takes the place of the first
        picture += os.read(ours, 4096)
    assert picture.startswith(b"\x1b[2J\x1b[H"), picture
    pair.ok("down")
    for command in (people, programs):
        out, err = command.communicate()
        assert command.returncode == 3, (command.args, err)
        if command is people:
            assert f"sparse      running, pid {now['sparse']['pid']}" in out and "\x1b" not in out, out
        else:
            assert json.loads(out.splitlines()[-1])["error"]["code"] == "NOT-RUNNING", out
    all_of(terminal, ours)
    assert terminal.returncode == 3


if __name__ == "__main__":
    main(globals())
