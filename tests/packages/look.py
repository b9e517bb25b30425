"""Opens a page in Debian's browser, presses a button of that name and waits until words are on it:
look.py BROWSER LINK NAME WORDS…"""
import json
import os
import subprocess
import sys
import time

browser, link, name, *words = sys.argv[1:]
commands_in, commands = os.pipe()
answers, answers_out = os.pipe()
os.set_inheritable(commands_in, True)
os.set_inheritable(answers_out, True)


def begin():  # the browser reads commands at descriptor 3 and answers at 4
    held = os.dup(answers_out), os.dup(commands_in)
    os.dup2(held[1], 3)
    os.dup2(held[0], 4)


process = subprocess.Popen([browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--remote-debugging-pipe", "about:blank"], preexec_fn=begin, close_fds=False,
                           stderr=subprocess.DEVNULL)
os.close(answers_out)
reader = os.fdopen(answers, "rb")
LOOK = """(() => {
    const button = [...document.querySelectorAll("button")].find((b) => b.innerText.startsWith(%s));
    if (button && !window.pressed) {
        window.pressed = true;
        button.click();
    }
    return document.body.innerText;
})()""" % json.dumps(name)
count = 0


def message():
    text = b""
    while not text.endswith(b"\0"):
        byte = reader.read(1)
        if not byte:
            sys.exit("the browser has ended")
        text += byte
    return json.loads(text[:-1])


def ask(method, session=None, **params):
    global count
    count += 1
    request = {"id": count, "method": method, "params": params} | ({"sessionId": session} if session else {})
    os.write(commands, json.dumps(request).encode() + b"\0")
    while (answer := message()).get("id") != count:
        pass
    return answer.get("result", {})  # none while the page is being loaded


try:
    target = ask("Target.createTarget", url=link)["targetId"]
    session = ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    shown, end = "", time.monotonic() + 60
    while not all(word in shown for word in words):
        if time.monotonic() > end:
            sys.exit(f"the page shows only: {shown}")
        time.sleep(0.2)
        shown = ask("Runtime.evaluate", session, expression=LOOK).get("result", {}).get("value", "")
    print("the page shows", *words)
finally:
    process.kill()
    process.wait()
