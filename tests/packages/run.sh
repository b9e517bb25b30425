#!/usr/bin/env bash
# The Debian packages of the current commit: built twice in a fresh system and compared, looked at by lintian, then in
# another fresh system installed, upgraded, used as they are, and purged without anything left.
# Wants root, debootstrap and a mirror; takes minutes, so it is no part of tests/run.sh.
#   tests/packages/run.sh bookworm|trixie FOLDER       FOLDER is made; the systems in it are used again
# shellcheck disable=SC2016 # what stands in single quotes is expanded inside
set -euo pipefail
release=$1
folder=$(realpath -m "$2")
top=$(cd "$(dirname "$0")/../.." && pwd)
base=$folder/$release-base
build=$folder/$release-build
cross=$folder/$release-cross
try=$folder/$release-try
log=$folder/$release.log
mkdir -p "$folder"
all=(tandem tandem-relay tandem-dev python3-tandem node-tandem-client)
passed=0

unmount() { for root in "$build" "$try" "$cross"; do umount "$root/proc" "$root/dev/pts" "$root/dev" 2>/dev/null || true; done; }
trap unmount EXIT
mount_in() {
    mountpoint -q "$1/proc" || mount -t proc proc "$1/proc"
    mountpoint -q "$1/dev" || mount --bind /dev "$1/dev"
    mountpoint -q "$1/dev/pts" || mount --bind /dev/pts "$1/dev/pts"
}
inside() { # ROOT COMMAND
    chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
        SOURCE_DATE_EPOCH="$date" bash -eo pipefail -c "$2"
}
ok() { # WHAT COMMAND…
    local what=$1
    shift
    "$@" >"$log" 2>&1 & # where every step of it has to succeed, which they need not before ||
    wait $! || { echo "FAILED: $what"; tail -n 40 "$log"; exit 1; }
    passed=$((passed + 1))
    echo "ok   $what"
}
in_build() { inside "$build" "$1"; }
in_try() { inside "$try" "$1"; }
as_user() { in_try "runuser -u anna -- env -C /home/anna HOME=/home/anna $1"; }

prepare() {
    [ -d "$base/usr" ] || { rm -rf "$base.new" && debootstrap --variant=minbase "$release" "$base.new" && mv "$base.new" "$base"; }
    [ -d "$build/usr" ] || cp -a "$base" "$build"
    mount_in "$build"
    rm -rf --one-file-system "$try" "$build/src" "$build/packages"
    cp -a "$base" "$try"
    mount_in "$try"
    mkdir "$build/src"
    git -C "$top" archive HEAD | tar -xf - -C "$build/src"
    in_build 'apt-get update && apt-get install -y --no-install-recommends build-essential lintian'
    in_build 'apt-get build-dep -y --no-install-recommends "$(/src/deploy/package.sh --tree /tmp/tree)"; rm -r /tmp/tree'
}

# --- What they are made like -----------------------------------------------------------------------------------------

make_packages() { in_build "/src/deploy/package.sh --version $version /packages/$1"; }
are_equal() { in_build "cd /packages/first && sha256sum *.deb >/tmp/sums && cd ../second && sha256sum -c /tmp/sums"; }
# One of before has what this one has: the step is what is tried.
make_older() {
    in_build 'rm /packages/first/*-dbgsym_*; mkdir /packages/older; for deb in /packages/first/*.deb; do
        rm -rf /tmp/unpacked; dpkg-deb -R "$deb" /tmp/unpacked
        sed -i "s/'"$version"'~deb[0-9]*/0.0.1/" /tmp/unpacked/DEBIAN/control; dpkg-deb -b /tmp/unpacked /packages/older; done'
}
look_at() { in_build 'lintian --allow-root --fail-on error,warning /packages/second/*.changes'; }
# For another architecture, in a system of its own: some of its libraries cannot lie beside ours. What is run to build
# runs in an emulator.
prepare_cross() {
    [ -d "$cross/usr" ] || cp -a "$base" "$cross"
    mount_in "$cross"
    rm -rf "$cross/src" "$cross/packages" && cp -r "$build/src" "$cross/src" && inside "$cross" 'dpkg --add-architecture arm64
        apt-get update && apt-get install -y --no-install-recommends build-essential crossbuild-essential-arm64
        apt-get build-dep -y --no-install-recommends --host-architecture arm64 -P cross "$(/src/deploy/package.sh --tree /tmp/tree)"
        rm -r /tmp/tree'
}
make_for_arm() {
    inside "$cross" "/src/deploy/package.sh --version $version --host arm64 /packages
        dpkg-deb -x /packages/tandem_*_arm64.deb /tmp/arm64; readelf -h /tmp/arm64/usr/bin/tandem-archive; rm -r /tmp/arm64" &&
        grep -q 'Machine:.*AArch64' "$log"
}

# --- What they do in a system ----------------------------------------------------------------------------------------

# All that they need beside themselves, so that only their own files come and go.
install_needs() {
    cp -r "$build/packages" "$try/packages"
    mkdir "$try/packages/by" && cp -t "$try/packages/by" "$top"/tests/packages/{day.sh,look.py}
    in_try 'useradd -m anna && apt-get update && apt-get install -y --no-install-recommends chromium gcc libc6-dev pkgconf systemd &&
        cd /packages/first &&
        apt-get install -s --no-install-recommends ./*.deb | sed -n "s/^Inst \([^ ]*\).*/\1/p" |
        grep -v -e tandem | xargs apt-get install -y --no-install-recommends'
}
files() {
    in_try 'find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /packages -o -path /home -o -path /run -o -path /var/cache \
        -o -path /var/log -o -path /var/lib/dpkg -o -path /var/lib/apt \) -prune -o -print | sort'
}
install() { in_try "apt-get install -y --no-install-recommends /packages/$1/*.deb"; }
is_version() {
    in_try "dpkg-query -W -f '\${Version}\n' ${all[*]} | grep -c '^$1' | grep -x ${#all[@]}"
}
# As systemd reads them where the programs are; there is no manual in so small a system.
units_are_fine() {
    in_try 'export XDG_RUNTIME_DIR=/tmp; systemd-analyze verify --man=no /lib/systemd/system/tandem*.service 2>&1
        systemd-analyze verify --user --man=no /usr/lib/systemd/user/tandem.service 2>&1' && [ ! -s "$log" ]
}
starts_nothing() { in_try '! ls /etc/systemd/*/*.wants 2>/dev/null | grep tandem'; }
has_user() { in_try 'getent passwd tandem'; }
keeps_changes() { in_try 'grep -x "OPTIONS=\"--listen localhost:8001\"" /etc/default/tandem-relay'; }
has_manual() { in_try 'cd /usr/share/man && for page in man1/tandem man1/tandem-relay man5/tandem.conf; do zgrep -q "^.TH" $page.?.gz; done'; }
demo() { as_user 'tandem demo'; }
day() { as_user '/packages/by/day.sh /home/anna/day chromium'; }
python_example() { as_user 'python3 /usr/share/doc/python3-tandem/examples/ci.py /home/anna/ci' && grep -q 'chat.received Hello!' "$log"; }
node_example() { as_user 'node /usr/share/doc/node-tandem-client/examples/desktop.mjs /home/anna/desktop' && grep -q 'chat.received: Hello!' "$log"; }
# Two that its example makes talk with each other.
connections() {
    as_user 'bash -euc "cp /usr/share/doc/tandem-dev/examples/hello.c .
        gcc -Wall -Wextra -Werror hello.c -o hello \$(pkg-config --cflags --libs tandem)
        coproc ./hello; read -r program url key <&\${COPROC[0]}; ./hello \$url \$key; kill \$COPROC_PID"' && grep -q 'received: Hello!' "$log"
}
relay_works() {
    in_try '. /etc/default/tandem-relay; coproc RELAY { exec tandem-relay $OPTIONS; }; read -r line <&"${RELAY[0]}"
        (exec 3<>/dev/tcp/127.0.0.1/8001; printf "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" >&3; grep -q -m1 "200 OK" <&3)
        kill "$RELAY_PID"'
}
# What the images of deploy/Containerfile start, with the variables they set.
of_image() { sed -n "/ AS $1\$/,/^ENTRYPOINT/s/^$2 \(.*\)/\1/p" "$top/deploy/Containerfile" | tr -d '[]",'; }
relay_of_image() { in_try "(runuser -u nobody -- timeout 5 $(of_image relay ENTRYPOINT) || true) | grep -m1 ws://0.0.0.0:8000"; }
archive_of_image() {
    in_try "mkdir -p /run/secrets && echo 'of the image' >/run/secrets/tandem.secret && install -d -o tandem -m 700 /var/lib/tandem
        as_tandem() { runuser -u tandem -- env $(of_image archive ENV) TANDEM_AUTOSTART_USER=anna TANDEM_LISTEN_HOSTS=localhost \"\$@\"; }
        as_tandem $(of_image archive ENTRYPOINT) & as_tandem tandem --state-dir /var/lib/tandem/home --timeout 60 wait federated
        as_tandem tandem --state-dir /var/lib/tandem/home down && wait && rm -r /run/secrets"
}
purge() { in_try "apt-get purge -y ${all[*]}"; }
nothing_left() { files | diff "$folder/$release.before" - ; }
keeps_installations() { in_try 'test -f /var/lib/tandem/home/format && rm -r /var/lib/tandem'; }

date=$(git -C "$top" log -1 --format=%ct)
version=0.1.0+$(git -C "$top" log -1 --format=%h)
echo "== $release, commit $(git -C "$top" log -1 --format='%h %s')"
ok "a fresh system, and what building needs" prepare
ok "the packages are built" make_packages first
ok "and once more, elsewhere" make_packages second
ok "both times byte for byte the same" are_equal
ok "lintian has nothing to say" look_at
make_older >/dev/null
ok "a fresh system, and what they depend on" install_needs
files >"$folder/$release.before"
ok "an older version is installed" install older
ok "it is the older one" is_version 0.0.1
ok "nothing is started by it" starts_nothing
ok "the user of the units is there" has_user
in_try 'sed -i s/8000/8001/ /etc/default/tandem-relay'
ok "this version takes its place" install first
ok "it is this one" is_version "$version"
ok "a changed setting stays" keeps_changes
ok "the manual is there" has_manual
ok "systemd has nothing to say of the units" units_are_fine
ok "tandem demo runs" demo
ok "two people pair, talk, and look at the page" day
ok "the Python client's example runs" python_example
ok "the Node.js client's example runs" node_example
ok "the library's example is compiled and runs" connections
ok "the relay runs with its settings" relay_works
ok "the relay of the container image runs" relay_of_image
ok "the archive of the container image opens itself" archive_of_image
ok "all are purged" purge
ok "installations are still there" keeps_installations
ok "and nothing else" nothing_left
ok "what building for arm64 needs" prepare_cross
ok "they are built for arm64 as well" make_for_arm
echo "$release: $passed passed, 0 failed"
