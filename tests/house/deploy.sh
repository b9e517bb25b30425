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
    shellcheck deploy/*.sh tests/*.sh tests/bench/*.sh tests/house/*.sh tests/packages/*.sh
fi
if has systemd-analyze; then
    for unit in tandem@ tandem-relay; do
        systemd-analyze security --offline=true --threshold=15 "deploy/systemd/$unit.service" >/dev/null
    done
    python3 tests/house/unit_calls.py "$bin/../tests/rights_page" deploy/systemd/*.service
    # The programs and the manual are not installed here; everything else must be fine.
    complaints=$(systemd-analyze verify deploy/systemd/tandem@.service deploy/systemd/tandem-relay.service 2>&1 |
        grep '^tandem' | grep -v -e 'is not executable' -e "Command 'man " || true)
    [ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
fi
# Somebody who installs has not the library of the tests, and a compiler with warnings of its own.
cat >"$work/pkg-config" <<'END'
#!/bin/sh
case " $* " in *" cmocka "*) exit 1 ;; esac
exec pkg-config "$@"
END
chmod +x "$work/pkg-config"
PKG_CONFIG=$work/pkg-config cmake -S . -B "$work/build" -G Ninja >"$work/configured" 2>&1 || { cat "$work/configured"; exit 1; }
grep -q '^TANDEM_TESTS:BOOL=OFF' "$work/build/CMakeCache.txt"
if grep -q -e '-Werror' "$work/build/build.ninja"; then
    echo "a warning keeps people from installing" >&2
    exit 1
fi
# The scripts say what they want, and do nothing but on request.
deploy/install-packages.sh --help | grep -q 'install-packages.sh build'
if deploy/install-packages.sh nonsense 2>/dev/null; then exit 1; fi
if deploy/install-packages.sh packages | grep -E -e '-[0-9]+-dev$|^clang|cmocka'; then
    echo "build needs packages of one release only, or of the tests" >&2
    exit 1
fi

# Everything the units and the README speak of is installed, and complete.
cmake --install "$bin/.." --prefix "$work/usr" >/dev/null
for program in tandem tandem-supervisor tandem-archive tandem-sparse tandem-relay tandem-ui tandem-discovery; do
    [ -e "$bin/$program" ] || [ "$program" != tandem-discovery ] || continue # a build without Avahi
    [ -x "$work/usr/bin/$program" ] || { echo "$program is not installed" >&2; exit 1; }
done
bash -n "$work/usr/share/bash-completion/completions/tandem"
grep -q '^#compdef tandem' "$work/usr/share/zsh/site-functions/_tandem"
grep -q '^complete -c tandem ' "$work/usr/share/fish/vendor_completions.d/tandem.fish"
if has zsh; then
    zsh -n "$work/usr/share/zsh/site-functions/_tandem"
fi
if has fish; then
    fish -n "$work/usr/share/fish/vendor_completions.d/tandem.fish"
fi
if has scdoc; then
    grep -q '^\.TH "tandem" "1"' "$work/usr/share/man/man1/tandem.1"
fi

# What the README says of uninstalling leaves nothing.
xargs -d '\n' rm -f <"$bin/../install_manifest.txt"
if [ -n "$(find "$work/usr" -not -type d)" ]; then
    echo "left behind:" >&2
    find "$work/usr" -not -type d >&2
    exit 1
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
