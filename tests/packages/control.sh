#!/usr/bin/env bash
# What the packages say of themselves holds: they are built from what building needs, and their source can be laid out.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each library that building needs is one that the packages' building needs, too. Compilers come with every build.
for package in $(deploy/install-packages.sh packages | grep -e '-dev$' -e scdoc); do
    grep -q "^ *$package\b" deploy/debian/control || { echo "Build-Depends lacks $package" >&2; exit 1; }
done

deploy/package.sh --help | grep -q 'package.sh \[--version VERSION\] \[--host ARCHITECTURE\] FOLDER'
if deploy/package.sh --nonsense 2>/dev/null; then exit 1; fi
command -v dpkg-parsechangelog >/dev/null || { echo "skipped: there is no dpkg-parsechangelog" >&2; exit 77; }
source=$(deploy/package.sh --version 0.1.0+test --tree "$work")
[ -x "$source/debian/rules" ] && [ -f "$source/CMakeLists.txt" ]
dpkg-parsechangelog -l "$source/debian/changelog" --show-field Version | grep -q '^0\.1\.0+test~'
# A package of a later commit, or of the next release, takes the place of one from before.
version() { dpkg-parsechangelog -l "$(deploy/package.sh --tree "$work/$1")/debian/changelog" --show-field Version; }
own=$(version own)
dpkg --compare-versions "$own" gt "$(sed -n '1s/.*(\(.*\)).*/\1/p' deploy/debian/changelog)"
dpkg --compare-versions "$own" lt 0.1.1
