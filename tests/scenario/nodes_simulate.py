"""tandem simulate: a small federation holds, an expectation that cannot hold is named, a bad file is refused with the
place, and one seed makes one plan."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree

from control import main

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = {
    "users": ["anna", "bob"],
    "pairs": [{"who": "everyone"}],
    "groups": [{"name": "team", "members": "everyone"}],
    "talk": [{"from": "everyone", "messages": 3, "every": "50ms"}, {"from": "bob", "to": "team", "messages": 2},
             {"from": "anna", "to": "own"}],
    "expect": {"federatedWithin": "5m", "pairedWithin": "5m", "deliveredWithin": "5m", "nothingLost": True,
               "nothingTwice": True, "allEqual": True, "memoryBelow": "10GB"},
}


def write(t, scenario):
    path = os.path.join(t.top, "scenario.json")
    with open(path, "w") as file:
        file.write(scenario if isinstance(scenario, str) else json.dumps(scenario, indent=1))
    return path


def run(t, scenario, *options):
    return t.cli_json("simulate", write(t, scenario), "--dir", t.top, *options)


def left(t):
    return [name for name in os.listdir(t.top) if name.startswith("tandem-simulate-")]


def outcome(result):
    return {check["name"]: check["passed"] for check in result["checks"]}


def test_a_small_federation_holds(t):
    report = os.path.join(t.top, "result.xml")
    status, result = run(t, SMALL, "--junit", report)
    assert status == 0 and result["passed"], result
    assert outcome(result) == {"finished": True, **{name: True for name in SMALL["expect"]}}, result
    assert result["measured"]["messages"] == 9 and result["measured"]["memory"] > 1e6, result
    assert left(t) == []
    suite = xml.etree.ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("8", "0")
    assert [case.get("name") for case in suite.findall("testcase")] == list(outcome(result))


def test_what_cannot_hold_is_named_and_its_logs_are_kept(t):
    expect = {"deliveredWithin": "1ms", "memoryBelow": "1kB", "nothingLost": True}
    status, result = run(t, {**SMALL, "expect": expect})
    assert status == 1 and not result["passed"], result
    assert outcome(result) == {"finished": True, "deliveredWithin": False, "nothingLost": True, "memoryBelow": False}
    whys = {check["name"]: check["why"] for check in result["checks"]}
    assert re.match(r"message \d+ of (anna|bob) took \d+ ms, at most 1 were expected", whys["deliveredWithin"]), whys
    assert os.path.getsize(os.path.join(result["kept"], "anna", "log", "archive.log")) > 0
    assert not os.path.exists(os.path.join(result["kept"], "anna", "archive"))


def test_tap_says_the_same(t):
    status, out, _ = t.cli("simulate", write(t, {**SMALL, "expect": {"memoryBelow": "1kB"}}), "--dir", t.top, "--tap")
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert status == 1 and lines == ["TAP version 13", "1..2", "ok 1 - finished", "not ok 2 - memoryBelow"], out


def test_trouble_is_survived(t):
    trouble = [{"at": "100ms", "do": "kill", "what": "anna.archive"},
               {"at": "200ms", "do": "cut", "what": "anna-bob", "for": "300ms"},
               {"at": "300ms", "do": "freeze", "what": "bob.sparse", "for": "300ms"},
               {"at": "500ms", "do": "slow", "what": "anna-relay1", "by": "50ms", "for": "500ms"},
               {"at": "600ms", "do": "stall", "what": "any-link", "for": "300ms"},
               {"at": "900ms", "do": "kill", "what": "bob.supervisor"},
               {"at": "1s", "do": "restart", "what": "anna.sparse"}]
    status, result = run(t, {**SMALL, "relays": 1, "users": ["anna", "bob", "cleo"], "trouble": trouble,
                             "pairs": [{"who": ["anna", "bob"]}, {"who": ["anna", "cleo"], "via": "relay"}],
                             "groups": [{"name": "team", "members": ["anna", "bob"]}],
                             "talk": [{"from": "everyone", "messages": 10, "every": "150ms"}]})
    assert status == 0, result
    told = [event["text"] for event in result["timeline"]]
    assert all(f"{one['do']} {one['what']}" in told for one in trouble if one["what"] != "any-link"), told
    assert "cut anna-bob is over" in told and any(re.match("bob is back after", text) for text in told), told


def test_a_cut_link_carries_nothing(t):
    for trouble in ({"do": "cut", "what": "anna-bob"}, {"do": "stall", "what": "bob-anna"}):
        scenario = {**SMALL, "groups": [], "talk": [{"from": "anna", "to": "bob", "start": "500ms"}],
                    "trouble": [{**trouble, "at": "0s", "for": "3s"}],
                    "expect": {"deliveredWithin": "2s", "nothingLost": True, "allEqual": True}}
        status, result = run(t, scenario)
        assert status == 1, result
        assert outcome(result) == {"finished": True, "deliveredWithin": False, "nothingLost": True, "allEqual": True}, result


def test_a_full_disk_and_a_clock_that_runs_off_are_survived(t):
    if os.environ.get("TANDEM_SANITIZE"):  # its library has to be the first that is loaded
        return
    trouble = [{"at": "200ms", "do": "fill", "what": "anna.archive", "for": "2s"},
               {"at": "200ms", "do": "shift", "what": "bob", "by": "1h", "for": "1500ms"},
               {"at": "500ms", "do": "shift", "what": "anna", "by": "-20m", "for": "1500ms"},
               {"at": "1s", "do": "fill", "what": "bob.sparse", "for": "1s"}]
    status, result = run(t, {**SMALL, "trouble": trouble, "talk": [{"from": "everyone", "messages": 20, "every": "150ms"}]})
    if status == 4 and result["error"]["code"] == "NO-PERMISSION":
        print("     this system allows no name spaces; disks were not filled")
        status, result = run(t, {**SMALL, "trouble": [one for one in trouble if one["do"] == "shift"]})
    assert status == 0, result
    told = [event["text"] for event in result["timeline"]]
    assert "shift anna is over" in told and "shift bob" in told, told
    assert left(t) == []


def test_a_full_disk_takes_nothing(t):
    scenario = {**SMALL, "groups": [], "talk": [{"from": "anna", "to": "own", "node": "sparse", "start": "500ms"}],
                "trouble": [{"do": "fill", "what": "anna.sparse", "for": "4s"}],
                "expect": {"deliveredWithin": "3s", "nothingLost": True, "nothingTwice": True}}
    status, result = run(t, scenario)
    if status == 4:
        print("     this system allows no name spaces; not tried")
        return
    assert outcome(result) == {"finished": True, "deliveredWithin": False, "nothingLost": True, "nothingTwice": True}, result


def test_eight_in_a_ring_need_little(t):
    """The scenario "hundred", small."""
    status, result = run(t, {"users": 8, "pairs": [{"who": "everyone", "as": "ring"}],
                             "talk": [{"from": "everyone", "messages": 4, "every": "250ms"}],
                             "expect": {"nothingLost": True, "nothingTwice": True, "allEqual": True, "nodeMemoryBelow": "12MB"}})
    unmeasured = bool(os.environ.get("TANDEM_SANITIZE"))
    assert status == 0 or unmeasured and [name for name, ok in outcome(result).items() if not ok] == ["nodeMemoryBelow"], result


def refused(t, scenario, *parts):
    status, result = run(t, scenario)
    assert status == 4 and result["error"]["code"] == "BAD-INPUT", result
    for part in parts:
        assert part in result["error"]["message"], (part, result)


def test_a_bad_file_is_refused_with_the_place(t):
    refused(t, '{\n "users": 2,\n "pears": []\n}', "scenario.json:3: pears: there is no such key here")
    refused(t, '{\n "users": 2,\n "talk": [\n  {"from": "user1"},\n  {"from": "user9"}\n ]\n}', "scenario.json:4: talk[0].from",
            "user1 is paired with nobody")
    refused(t, '{\n "users": 2\n "relays": 1\n}', "scenario.json:3: no JSON")
    refused(t, {**SMALL, "trouble": [{"do": "cut", "what": "anna-cleo", "for": "1s"}]}, "trouble[0].what", "anna-cleo")
    refused(t, {**SMALL, "expect": {"memoryBelow": 7}}, "expect.memoryBelow", "wants a size")
    trouble = lambda **one: {**SMALL, "trouble": [one]}
    refused(t, trouble(do="shift", what="anna.archive", by="1h", **{"for": "1s"}), "trouble[0].what", "neither one of the users")
    refused(t, trouble(do="shift", what="anna", by="150ms", **{"for": "1s"}), "trouble[0].by", "whole seconds")
    refused(t, trouble(do="fill", what="anna.supervisor", **{"for": "1s"}), "trouble[0].what", "a node has a disk")
    refused(t, {"pairs": []}, "users: wants")
    assert left(t) == []
    assert t.cli("simulate", os.path.join(t.top, "nothing.json"))[0] != 0


def test_one_seed_makes_one_plan(t):
    scenario = {**SMALL, "trouble": [{"do": "kill", "what": "any.node", "times": 20, "every": "1s"}]}
    plans = [run(t, scenario, "--plan", "--seed", seed)[1] for seed in ("7", "7", "8")]
    assert plans[0] == plans[1] != plans[2]
    assert {one["what"] for one in plans[0]["trouble"]} == {"anna.archive", "anna.sparse", "bob.archive", "bob.sparse"}
    assert left(t) == []


def test_those_that_come_along_are_in_order(t):
    status, ready = t.cli_json("simulate", "--list")
    names = [one["name"] for one in ready]
    assert status == 0 and {"browser-and-node", "three-friends", "group-of-twenty", "bad-network", "crash-storm"} <= set(names)
    for name in names:
        status, plan = t.cli_json("simulate", name, "--plan")
        assert status == 0 and plan["messages"], name


def test_the_job_of_the_readme_runs(t):
    """All but how tandem gets there, which is as the README says for a machine without packages (tests/fresh.sh)."""
    with open(os.path.join(HERE, "..", "..", "README.md")) as file:
        readme = file.read()
    job = re.search(r"```yaml\n(.*?)```", readme, re.S).group(1)
    assert len(job.splitlines()) <= 15
    install, script = re.search(r"- run: (deploy.*?)\n +- run: \|\n(.*)", job, re.S).groups()
    described = re.search(r"Elsewhere, or without packages:.*?```\n(.*?)```", readme, re.S).group(1)
    assert " && ".join(re.sub(" +#.*", "", line) for line in described.splitlines()[:2]) == install, install
    path = os.path.join(t.top, "job.sh")
    with open(path, "w") as file:
        file.write(re.sub(r"^ {10}", "", script, flags=re.M))
    os.mkdir(os.path.join(t.top, "build"))
    os.symlink(os.environ["TANDEM_BIN"], os.path.join(t.top, "build", "bin"))
    t.environment["TMPDIR"] = t.top

    done = subprocess.run(["bash", "-e", path], cwd=t.top, env=t.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 installations are federated" in done.stdout, done.stdout
    assert os.path.exists(os.path.join(t.top, "result.xml"))


main(globals())
