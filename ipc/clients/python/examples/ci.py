"""A job in CI: a backend of its own, a message from one node to the other, and it is gone.  ci.py FOLDER"""
import sys

import tandem

with tandem.launch(state_dir=sys.argv[1], user="ci", secret="of this job", args=["--listen", "localhost:0"]) as t:
    begin = t.position()
    t.call("chat.send", to=t.provisioned["archive"]["personId"], text="Hello!", node="sparse")
    event = next(t.follow(after=begin, node="archive", type="chat.received"))
    said = t.call("chat.list", with_=event["data"]["sender"], node="archive")["items"]
    print(event["event"], said[-1]["text"])
