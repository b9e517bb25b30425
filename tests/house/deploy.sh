#!/usr/bin/env bash
# What is deployed holds what it says: scripts, units, manual, completion, example settings. Tools that are not installed
# are passed over.
#   deploy.sh BIN       folder of tandem in the build folder
set -euo pipefail
bin=$1
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { command -v "$1" >/dev/null; }

if has shellcheck; then
    shellcheck deploy/*.sh tests/*.sh tests/bench/*.sh tests/house/*.sh
fi
if has systemd-analyze; then
    systemd-analyze security --offline=true --threshold=25 deploy/systemd/tandem@.service >/dev/null
    # The programs and the manual are not installed here; everything else must be fine.
    complaints=$(systemd-analyze verify deploy/systemd/tandem@.service 2>&1 |
        grep '^tandem@' | grep -v -e 'is not executable' -e "Command 'man " || true)
    [ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
fi
# Everything the units and the README speak of is installed, and complete.
cmake --install "$bin/.." --prefix "$work/usr" >/dev/null
for program in tandem tandem-supervisor tandem-archive tandem-sparse tandem-relay; do
    [ -x "$work/usr/bin/$program" ] || { echo "$program is not installed" >&2; exit 1; }
done
bash -n "$work/usr/share/bash-completion/completions/tandem"
if has scdoc; then
    grep -q '^\.TH "tandem" "1"' "$work/usr/share/man/man1/tandem.1"
fi

# The example names every setting, with its default.
mkdir -m 700 "$work/state"
cp deploy/tandem.conf.example "$work/state/tandem.conf"
settings() { "$bin/tandem" --state-dir "$work/state" --json config show; }
"$bin/tandem" --state-dir "$work/state" config show --origin >"$work/origins"
if grep -q '(default)' "$work/origins"; then
    echo "deploy/tandem.conf.example lacks:" >&2
    grep '(default)' "$work/origins" >&2
    exit 1
fi
settings >"$work/with"
rm "$work/state/tandem.conf"
settings >"$work/without"
diff "$work/with" "$work/without"
