"""Watching real nodes: the way of a message, numbers, errors."""
from control import main, until
from nodes import Pair, refused_elsewhere
from nodes_events import told

STEPS = ["chatModelSend", "channelManagerPost", "accessGrantsCreated", "chumSyncTriggered", "channelManagerUpdated",
         "remoteDelivery"]


def delivered(pair, node, message):
    trace = pair.ok("--node", node, "trace", message)
    return trace if trace["success"] else None


def test_a_message_is_traced_to_its_delivery(t):
    pair = Pair(t)
    sent = pair.send("sparse", "follow me")
    pair.arrives("archive", "follow me")
    trace = until(lambda: delivered(pair, "sparse", sent["id"]), "the trace is complete")
    assert [s["name"] for s in trace["steps"]] == STEPS
    times = [s["time"] for s in trace["steps"]]
    assert trace["content"] == "follow me" and trace["startTime"] == times[0]
    assert times == sorted(times) and trace["totalTime"] == times[-1] - times[0]
    assert (trace["completedSteps"], trace["totalSteps"], trace["failurePoint"]) == (6, 6, None)
    assert trace["messageId"] == sent["id"] and trace["channelId"] == sent["channel"] and trace["direction"] == "out"
    arrived = pair.ok("--node", "archive", "trace", sent["id"][:12])  # a beginning will do
    assert arrived["direction"] == "in" and [s["name"] for s in arrived["steps"]] == STEPS[-1:]
    delivery = pair.ok("stats")["delivery"]
    assert delivery["count"] == delivery["delivered"] == 1 and delivery["successRate"] == 1


def test_an_undelivered_message_says_where_it_stopped(t):
    pair = Pair(t)
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    until(lambda: pair.cli("health")[1]["health"] == "offline", "the nodes are apart")
    sent = pair.send("sparse", "stays here")
    trace = pair.ok("trace", sent["id"])
    assert [s["name"] for s in trace["steps"]] == STEPS[:3]
    assert trace["failurePoint"] == "chumSyncTriggered" and trace["success"] is False
    assert pair.ok("stats")["delivery"]["delivered"] == 0
    pair.ok("contact", "enable", pair.archive)
    until(lambda: delivered(pair, "sparse", sent["id"]), "it goes on")
    pair.fails("NOT-FOUND", 1, "trace", "00" * 32)


def test_numbers_and_errors(t):
    pair = Pair(t)
    pair.send("sparse", "one")
    pair.arrives("archive", "one")
    stats = pair.ok("stats")
    everything = stats["global"]
    assert all(stats[name] == everything[name] for name in everything if name != "activeConnections")
    assert [c["id"] for c in stats["activeConnections"]] == [c["id"] for c in stats["connections"] if c["live"]]
    assert everything["totalConnections"] >= 2 and everything["activeConnections"] == 1  # pairing, CHUM
    assert everything["totalMessages"] > 0 and everything["messageRate"] > 0 and everything["averageMessageSize"] > 0
    assert everything["successRate"] == 1 and everything["failedConnections"] == 0 and stats["recentErrors"] == []
    assert [c["state"] for c in stats["connections"]] == ["active"]
    assert isinstance(pair.ok("connections")[0]["latencyMs"], int)

    nobody = dict(pair.ok("invite"), token="x" * 64)
    refused_elsewhere("INVITATION-UNKNOWN", nobody)
    report = pair.ok("--node", "archive", "report")
    found = [x for x in report["recentErrors"] if x["type"] == "pairing"]
    assert found and found[0]["severity"] == "error" and found[0]["timestamp"] > 0 and found[0]["error"], report
    assert "totalConnections" in report["text"] and "pairing" in report["text"]
    assert pair.ok("--node", "archive", "stats")["totalErrors"] >= 1


def test_separation_raises_an_alert(t):
    t.environment["TANDEM_ALERT_NO_SYNC_S"] = "1"
    pair = Pair(t)
    assert pair.ok("stats")["alerts"] == []
    pair.ok("--node", "sparse", "contact", "disable", pair.archive, "--yes")
    raised = told(t, "alert.raised", rule="noSync")
    assert raised["value"] >= raised["limit"] == 1
    until(lambda: [a["rule"] for a in pair.ok("stats")["alerts"]] == ["noSync"], "this node raises it, too")
    pair.ok("contact", "enable", pair.archive)
    told(t, "alert.cleared", rule="noSync")
    until(lambda: pair.ok("stats")["alerts"] == [], "this node clears it, too")


def test_metrics_are_prometheus_text(t):
    pair = Pair(t)
    text = t.cli("metrics")[1]
    assert '# TYPE tandem_total_connections counter\ntandem_total_connections{node="archive"} ' in text
    assert "# TYPE tandem_rss_bytes gauge" in text and 'tandem_rss_bytes{node="sparse"} ' in text
    named = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(set(named)) == len(named) and all(name == name.lower() for name in named)
    stats = pair.ok("stats", "--history", "5")
    assert stats["rssBytes"] > 0 and stats["cpuMs"] >= 0 and stats["history"]["samples"] == []
    pair.fails("BAD-PARAMS", 2, "stats", "--history", "2000")


if __name__ == "__main__":
    main(globals())
