#!/usr/bin/env bash
# Makes the Debian packages of the current commit, for the Debian it runs on, and leaves them in FOLDER.
#   package.sh [--version VERSION] [--host ARCHITECTURE] FOLDER
# What building needs, as root: apt-get build-dep "$(deploy/package.sh --tree DIR)"
# For another architecture (arm64): crossbuild-essential-arm64, and build-dep with --host-architecture arm64 -P cross
# Where there is no repository, all files are taken as they are, and SOURCE_DATE_EPOCH tells the time.
#   package.sh [--version VERSION] --tree DIR       only lays out the source package in DIR/tandem and says where
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

version=
host=()
tree=
folder=
usage() { sed -n '2,7s/^# //p' "$0"; }
while [ $# -gt 0 ]; do
    case $1 in
    --version) version=${2:?} && shift ;;
    --host) host=(--host-arch "${2:?}" --build-profiles=cross) && shift ;;
    --tree) tree=${2:?} && shift ;;
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && exit 2 ;;
    *) folder=$1 ;;
    esac
    shift
done
[ -n "$tree$folder" ] || { usage >&2; exit 2; }

of_commit() { TZ=UTC git -C "$top" log -1 --date=format-local:%Y%m%d%H%M%S --format="$1"; }

# The release is part of the version, so that whoever goes from Debian 12 to 13 gets the programs made for it.
choose_version() {
    local release
    release=deb$(sed -n 's/^VERSION_ID="\?\([0-9.]*\).*/\1/p' /etc/os-release)
    if [ -z "$version" ]; then
        version=$(sed -n 's/^project(tandem VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
        [ ! -e "$top/.git" ] || version+=+git$(of_commit %cd.%h)
    fi
    version+=~$release
}

lay_out() { # the tree, with debian/ at its top and the version in its changelog
    local source=$1
    mkdir -p "$source"
    if [ -e "$top/.git" ]; then
        SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(of_commit %ct)}
        git -C "$top" archive HEAD | tar -xf - -C "$source"
    else
        tar -C "$top" --exclude='./build*' -cf - . | tar -xf - -C "$source"
    fi
    cp -r "$source/deploy/debian" "$source/debian"
    choose_version
    {
        printf 'tandem (%s) unstable; urgency=medium\n\n  * The current commit.\n\n -- %s  %s\n\n' "$version" \
            "$(sed -n 's/^Maintainer: //p' "$source/debian/control")" \
            "$(date -u -R -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")"
        cat "$source/deploy/debian/changelog"
    } >"$source/debian/changelog"
}

if [ -n "$tree" ]; then
    lay_out "$tree/tandem" && echo "$tree/tandem"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lay_out "$work/tandem"
(cd "$work/tandem" && dpkg-buildpackage --build=binary --unsigned-changes "${host[@]}")
mkdir -p "$folder"
mv "$work"/*.* "$folder"
