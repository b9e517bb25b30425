#!/usr/bin/env bash
# Installs what building and testing tandem needs on Debian 12 and 13. Does nothing when everything is there.
#   install-packages.sh build    what the programs need (the default)
#   install-packages.sh test     that, and what the tests need
set -euo pipefail

build_packages=(gcc cmake ninja-build pkg-config ca-certificates
    libwebsockets-dev libwebsockets-evlib-ev libev-dev libsodium-dev libssl-dev libnng-dev libsqlite3-dev libjansson-dev
    libinih-dev libuv1-dev libqrencode-dev libpng-dev libpcre2-dev libutf8proc-dev libnats-dev
    libzstd-dev libavahi-client-dev scdoc)
test_packages=(libcmocka-dev nng-utils clang clang-format clang-tidy python3 openssl procps binutils strace nats-server
    avahi-daemon avahi-utils dbus iproute2)

case "$#-${1:-build}" in
[01]-build) packages=("${build_packages[@]}") ;;
1-test) packages=("${build_packages[@]}" "${test_packages[@]}") ;;
1-packages) printf '%s\n' "${build_packages[@]}"; exit 0 ;; # for the tests
1--h | 1---help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
*) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac

is_there() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# Each release names the sanitizers' and fuzzer's runtime of clang by the version of its clang.
clang_runtime() {
    local version
    version=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
    echo "libclang-rt-$version-dev"
}

missing=()
for package in "${packages[@]}"; do
    is_there "$package" || missing+=("$package")
done
if [ "${1:-}" = test ] && ! { is_there clang && is_there "$(clang_runtime)"; }; then
    missing+=(clang-runtime)
fi
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "these packages are missing and sudo is not there: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
if [ "${missing[-1]}" = clang-runtime ]; then
    missing[-1]=$(clang_runtime) # known only now on a machine without lists
fi
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
