#!/usr/bin/env bash
# The program tandem-relay as its users see it: output, exit codes, signals.  program.sh TANDEM-RELAY
set -u
relay=$1
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
failed=0

expect() { # description, expected, actual
    if [ "$2" != "$3" ]; then
        echo "$1: expected '$2', got '$3'"
        failed=1
    fi
}

ready_url() { # waits for the first line
    for _ in $(seq 200); do
        [ -s "$folder/out" ] && break
        sleep 0.05
    done
    sed -n '1s/^{"event":"ready","url":"\(ws:\/\/localhost:[0-9]*\)"}$/\1/p' "$folder/out"
}

"$relay" >"$folder/none" 2>&1
expect "no arguments" 2 $?
"$relay" --listen localhost:0 --max-connections many >/dev/null 2>&1
expect "not a number" 2 $?
"$relay" --help | grep -q -- '--listen HOST:PORT'
expect "help" 0 $?
"$relay" --version | grep -qE '^tandem-relay [0-9.]+ \(epoll\)$'
expect "version" 0 $?

"$relay" --listen localhost:0 --json >"$folder/out" 2>"$folder/err" &
pid=$!
url=$(ready_url)
expect "ready" "ws://localhost:" "${url%%[0-9]*}"
"$relay" --listen "${url#ws://}" --json >"$folder/taken" 2>/dev/null
expect "port taken" 1 $?
expect "its code" PORT-TAKEN "$(sed 's/^{"error":{"code":"\([A-Z-]*\)".*/\1/' "$folder/taken")"
kill -TERM $pid
wait $pid
expect "after SIGTERM" 0 $?
grep -q 'relay.ready.*epoll' "$folder/err"
expect "the log says what it waits with" 0 $?

# A service manager hears that it is ready, that it lives while it does, and that it ends.
python3 - "$relay" "$folder/manager" <<'END'
import os, signal, socket, subprocess, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[2])
manager.settimeout(20)
relay = subprocess.Popen([sys.argv[1], "--listen", "localhost:0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env={**os.environ, "NOTIFY_SOCKET": sys.argv[2], "WATCHDOG_USEC": "200000"})
try:
    assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    relay.send_signal(signal.SIGTERM)
    while (line := manager.recv(100)) != b"STOPPING=1":
        assert line == b"WATCHDOG=1", line
    assert relay.wait(20) == 0
finally:
    relay.kill()
END
expect "what the service manager hears" 0 $?
exit $failed
