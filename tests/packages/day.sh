#!/usr/bin/env bash
# A day of two people with the programs that are installed and nothing else: as the README says they begin, pair, talk,
# and one of them looks at the page.   day.sh FOLDER BROWSER
set -euo pipefail
here=$(realpath "$(dirname "$0")")
browser=$2
mkdir "$1" && cd "$1"
anna() { tandem --state-dir "$PWD/anna" --timeout 60 "$@"; }
bob() { tandem --state-dir "$PWD/bob" --timeout 60 "$@"; }
stop() {
    [ -z "${PAGE_PID:-}" ] || kill "$PAGE_PID"
    for who in anna bob; do "$who" down || true; done >down.log 2>&1
    wait
}
trap stop EXIT

for who in anna bob; do
    "$who" up --listen localhost:0 >"$who.log" 2>&1 &
    echo "secret of $who" | "$who" provision --user "$who"
done
anna invite >invitation.json
bob pair - <invitation.json
anna chat send --to bob --wait "Hello, Bob"
bob chat send --to anna --wait "Hello, Anna"
bob chat list --with anna | tee said
grep -q "Hello, Bob" said && grep -q "Hello, Anna" said
echo "a file" >file.txt
anna chat send --to bob --wait --attach file.txt

coproc PAGE { exec tandem --state-dir "$PWD/anna" --json ui; }
read -r ready <&"${PAGE[0]}"
link=${ready#*\"url\":\"}
link=${link%%\"*}
python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1].split("#")[0]).headers["Content-Security-Policy"])' "$link" |
    grep "script-src 'self'"
python3 "$here/look.py" "$browser" "$link" bob "Hello, Bob" "Hello, Anna"
echo "the day is over"
