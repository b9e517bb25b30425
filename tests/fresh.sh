#!/usr/bin/env bash
# Does on a fresh Debian what the README says under "Install": packages, build, install; with "demo" deploy/demo.sh, too.
# Wants root, debootstrap and a mirror; takes minutes, so it is no part of tests/run.sh.
#   tests/fresh.sh bookworm|trixie FOLDER [demo|tests]       FOLDER is made, and used again when it is there
set -euo pipefail
release=$1
root=$2
also=${3:-}
top=$(cd "$(dirname "$0")/.." && pwd)

[ -d "$root/usr" ] || debootstrap --variant=minbase "$release" "$root"
trap 'umount "$root/proc" "$root/dev/pts" "$root/dev" 2>/dev/null || true' EXIT
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --bind /dev "$root/dev"
mountpoint -q "$root/dev/pts" || mount --bind /dev/pts "$root/dev/pts"
rm -rf "$root/src"
mkdir "$root/src"
git -C "$top" ls-files -z | tar -C "$top" --null -T - -cf - | tar -xf - -C "$root/src"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root bash -ec "cd /src; $1"; }

inside 'deploy/install-packages.sh build
cmake --preset release >/dev/null && cmake --build build -- --quiet
cmake --install build --prefix /usr >/dev/null && tandem --version'
case $also in
demo) inside 'deploy/demo.sh' ;;
tests) inside 'tests/run.sh --release-only' ;;
esac
echo "$release: as the README says"
