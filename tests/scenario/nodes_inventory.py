"""What a node is, has and reaches: id, storage, endpoints, unused invitations."""
import re

from control import main, until
from nodes import Pair, dumps, refused_elsewhere


def test_a_node_says_who_it_is(t):
    pair = Pair(t)
    archive, sparse = pair.ok("--node", "archive", "id"), pair.ok("id")
    assert archive["personId"] == pair.archive and sparse["personId"] == pair.sparse
    assert archive["instanceId"] == pair.provisioned["archive"]["instanceId"] != sparse["instanceId"]
    assert re.fullmatch("joe-[a-z2-9]{8}@lama.local", sparse["email"]) and archive["email"] == "node-" + sparse["email"]
    assert archive["url"] == pair.provisioned["archive"]["url"] and sparse["url"] is None
    invitation = pair.ok("invite")
    assert sorted(invitation) == ["publicKey", "token", "url"] and invitation["url"] == archive["url"]
    assert invitation["publicKey"] == archive["instanceKeys"]["publicKey"] != archive["personKeys"]["publicKey"]
    [endpoint] = pair.ok("--node", "archive", "profile", "get")["endpoints"]
    [own] = pair.ok("profile", "get")["endpoints"]
    assert endpoint["url"] == archive["url"] and "url" not in own
    assert endpoint["personKeys"] == archive["personKeys"]["hash"]
    assert endpoint["instanceKeys"] == archive["instanceKeys"]["hash"]
    keys = pair.ok("--node", "archive", "object", "get", archive["instanceKeys"]["hash"])["object"]
    assert keys["publicKey"] == archive["instanceKeys"]["publicKey"] and keys["owner"] == archive["instanceId"]
    assert keys["publicSignKey"] == archive["instanceKeys"]["signKey"]


def endpoint(pair, node="sparse"):
    [found] = pair.ok("--node", node, "endpoints")
    return found


def test_endpoints_say_what_is_being_done(t):
    pair = Pair(t)
    there = endpoint(pair)
    assert there["personId"] == pair.archive and there["url"] == pair.provisioned["archive"]["url"]
    assert there["publicKey"] == pair.ok("--node", "archive", "id")["instanceKeys"]["publicKey"]
    assert there["state"] == "active" and there["connectionId"] == pair.ok("connections")[0]["id"]
    back = endpoint(pair, "archive")
    assert back["state"] == "active" and back["url"] is None
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    until(lambda: endpoint(pair)["state"] == "disabled", "the contact is switched off")
    until(lambda: endpoint(pair, "archive")["state"] == "incoming", "it has to come by itself")
    pair.ok("contact", "enable", pair.archive)
    until(lambda: endpoint(pair)["state"] == "active", "it is connected again")


def diagnosis(pair):
    status, result = pair.cli("doctor")
    assert status == (0 if result["healthy"] else 1), result
    return result["healthy"], {check["check"]: check for check in result["checks"]}


def test_the_doctor_looks_at_running_nodes(t):
    pair = Pair(t)
    pair.ok("channel", "create", "notes")
    healthy, checks = diagnosis(pair)
    assert healthy, checks
    assert checks["listener"]["message"] == pair.provisioned["archive"]["url"] + ", listening"
    assert checks["endpoint"]["message"] == pair.provisioned["archive"]["url"]
    assert "active" in checks["federation"]["message"] and "0 of them" in checks["shares"]["message"]
    assert checks["synchronisation"]["ok"] and "0 things" in checks["synchronisation"]["message"]

    [channel] = [c["channel"] for c in pair.ok("channel", "list") if c["id"] == "notes"]
    pair.ok("share", "revoke", "--id", channel, "--with", pair.archive)
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    until(lambda: not pair.ok("status")["federated"], "the nodes are apart")
    healthy, checks = diagnosis(pair)
    assert not healthy and not checks["federation"]["ok"] and "disabled" in checks["federation"]["message"]
    assert checks["listener"]["ok"] and checks["federation"]["advice"]
    problems = [c["message"] for c in pair.cli("doctor")[1]["checks"] if c["check"] == "shares" and not c["ok"]]
    assert len(problems) == 1 and problems[0].startswith("sparse: ") and "1 of them" in problems[0]
    t.environment["TANDEM_SYNC_NO_IMPORT"] = "sparse"  # of whoever asks
    assert diagnosis(pair)[1]["directions"]["ok"]


def storage(pair, node, kind="object"):
    measured = pair.ok("--node", node, "storage")
    assert measured["role"] == node
    assert measured["objects"] == sum(u["objects"] for u in measured["items"] if u["state"] == "present")
    assert measured["bytes"] == sum(u["bytes"] for u in measured["items"] if u["state"] == "present")
    return {u["type"]: u for u in measured["items"] if u["kind"] == kind and u["state"] == "present"}


def test_storage_is_told_by_type(t):
    pair = Pair(t)
    before = storage(pair, "archive").get("PersonStatus", {"objects": 0})["objects"]
    for n in range(20):  # shared with nobody
        status = {"$type$": "PersonStatus", "value": f"number {n}", "timestamp": n, "location": ""}
        pair.ok("--node", "archive", "object", "put", stdin=dumps(status))
    pair.ok("--node", "archive", "blob", "put", "-", stdin="\x01" * 100000)
    pair.send("archive", "done")
    pair.arrives("sparse", "done")
    assert storage(pair, "archive")["PersonStatus"]["objects"] == before + 20
    assert "PersonStatus" not in storage(pair, "sparse")
    files = storage(pair, "archive", "file")
    assert files["BLOB"]["objects"] == 1 and files["BLOB"]["bytes"] == 100000
    assert storage(pair, "sparse", "file") == {}
    status, out, err = t.cli("--node", "archive", "storage")
    assert status == 0 and out.split()[:2] == ["Node", "archive"] and "PersonStatus" in out, (status, out, err)


def test_invitations_can_be_listed_and_taken_back(t):
    pair = Pair(t)
    assert pair.ok("invite", "list") == []
    first, second = pair.ok("invite"), pair.ok("invite", "--keep", "--ttl", "60")
    listed = {i["invitation"]: i for i in pair.ok("invite", "list")}
    assert set(listed) == {first["token"][:12], second["token"][:12]}  # never the whole token
    kept = listed[second["token"][:12]]
    assert kept["kept"] and not listed[first["token"][:12]]["kept"] and not kept["inUse"]
    assert kept["expiresAt"] < listed[first["token"][:12]]["expiresAt"]
    pair.fails("NOT-FOUND", 1, "invite", "revoke", "x" * 12)
    pair.ok("invite", "revoke", second["token"][:12])
    assert [i["invitation"] for i in pair.ok("invite", "list")] == [first["token"][:12]]
    refused_elsewhere("INVITATION-UNKNOWN", second)
    pair.ok("restart", "archive")
    assert pair.ok("invite", "list") == []  # the revoked one does not come back, the other was not to be kept


if __name__ == "__main__":
    main(globals())
