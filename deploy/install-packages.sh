#!/usr/bin/env bash
# Installs what building and testing tandem needs on Debian 12. Does nothing when everything is there.
#   install-packages.sh build    what the programs need
#   install-packages.sh test     that, and what the tests need
set -euo pipefail

build_packages=(gcc clang cmake ninja-build pkg-config ca-certificates
    libwebsockets-dev libsodium-dev libssl-dev libnng-dev libsqlite3-dev libjansson-dev libinih-dev libuv1-dev
    libqrencode-dev libpng-dev libpcre2-dev libutf8proc-dev libseccomp-dev libnats-dev scdoc)
test_packages=(libcmocka-dev nng-utils libclang-rt-14-dev clang-format clang-tidy python3 openssl procps binutils strace nats-server)

packages=("${build_packages[@]}")
if [ "${1:-build}" = test ]; then
    packages+=("${test_packages[@]}")
fi
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
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
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
