"""What our user deletes (point 2): the peer keeps its copies, is never asked to do without something it could ask for, and
the conversation goes on. Each case makes its own stage."""
import os

from live import until
from live_pairing import on_stage


def freed(s, text):
    """No file of ours holds it any more."""
    def holds():
        for folder, _, names in os.walk(s.t.path(s.node)):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        if text.encode() in file.read():
                            return True
                except FileNotFoundError:
                    pass
        return False
    until(lambda: not holds(), f"{text} has left the disk")


def delete(s, text):
    message = next(m for m in s.messages() if m["text"] == text)
    s.call("chat.delete", message=message["id"])
    assert text not in [m["text"] for m in s.messages()]


def undisturbed(s, mark):
    assert not s.event_since(mark, "chum.stopped"), "the connection was lost"


def deleted_messages(s):
    s.pair_up()
    s.talk()
    s.say_and_hear("ours for the shredder")
    s.they_say("theirs for the shredder")
    s.we_hear("theirs for the shredder")
    until(lambda: next(m for m in s.messages() if m["text"] == "ours for the shredder")["state"] == "delivered", "delivered")
    mark = s.mark()
    for text in ("ours for the shredder", "theirs for the shredder"):
        delete(s, text)
        freed(s, text)
    s.talk()
    s.talk(first="we")
    undisturbed(s, mark)
    theirs = s.peer.ask("messages", "messages", other=s.ours, last=1000)["texts"]
    assert "ours for the shredder" in theirs and "theirs for the shredder" in theirs, theirs
    s.restart_peer()
    until(s.connected, "they come back")
    mark = s.mark()
    s.talk()
    undisturbed(s, mark)
    s.they_say("theirs for the shredder")
    s.we_hear("theirs for the shredder")
    assert len([m for m in s.messages() if "shredder" in m["text"]]) == 1


def deleted_before_it_is_delivered(s):
    s.pair_up()
    s.talk()
    s.peer.stop()
    until(lambda: not s.connected(), "the peer is away")
    s.we_say("said and thought better of")
    delete(s, "said and thought better of")
    s.we_say("another one")
    s.peer.start(*s.peer_options)
    s.they_hear("another one")
    until(lambda: s.they_list("another one"), "the peer has the list")
    assert s.they_list("said and thought better of"), "it was sent: the other side has it"
    freed(s, "said and thought better of")
    mark = s.mark()
    s.talk()
    undisturbed(s, mark)


def gap(s):
    """A channel that the peer is shown for the first time when a message of it is gone already."""
    s.pair_up()
    s.talk()
    topic = s.call("topic.create", name="with a gap", persons=[s.pair.other(s.node)])
    sent = {text: s.call("topic.send", topic=topic["topicId"], text=text)["id"]
            for text in ("kept one", "gone for good", "kept two")}
    s.call("chat.delete", message=sent["gone for good"])
    freed(s, "gone for good")
    mark = s.mark()
    s.call("share.grant", id=topic["channel"], **{"with": s.theirs})
    s.they_hear("kept two")
    s.we_say("after the grant")
    s.they_hear("after the grant")
    until(lambda: s.they_list("after the grant"), "the peer has the list")
    s.talk()
    undisturbed(s, mark)


CASES = [
    ("2", "messages deleted here: the peer keeps them, the conversation goes on", lambda role: on_stage(role, deleted_messages)),
    ("2", "deleted here before the peer has it: it gets it, then its bytes go",
     lambda role: on_stage(role, deleted_before_it_is_delivered)),
    ("2", "a channel with a gap is shared: the session goes on", lambda role: on_stage(role, gap)),
]
