#!/usr/bin/env bash
# The units in a system that is really started: the packages that run.sh made, in a virtual machine of that Debian, started
# twice. What is tried there: booted.sh. Wants root and qemu-system-x86; takes minutes, less with ACCEL=kvm.
#   tests/packages/boot.sh bookworm|trixie FOLDER       after tests/packages/run.sh with the same two
set -euo pipefail
release=$1
folder=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
base=$folder/$release-base
packages=$folder/$release-build/packages/first
machine=$folder/$release-machine
disk=$folder/$release.img
log=$folder/$release.console
SECONDS=0

inside() { chroot "$machine" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive bash -eo pipefail -c "$1"; }

make_machine() {
    rm -rf --one-file-system "$machine"
    cp -a "$base" "$machine"
    cp -r "$packages" "$machine/packages"
    printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d" && chmod +x "$machine/usr/sbin/policy-rc.d"
    inside 'apt-get update && apt-get install -y --no-install-recommends linux-image-cloud-amd64 systemd-sysv dbus-user-session \
        libpam-systemd initramfs-tools zstd python3 && apt-get install -y --no-install-recommends /packages/*.deb && useradd -m -s /bin/bash anna'
    rm "$machine/usr/sbin/policy-rc.d"
    cp "$here/booted.sh" "$machine/usr/local/sbin/booted"
    printf '[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/usr/local/sbin/booted\nStandardOutput=tty\nStandardError=tty\nTTYPath=/dev/ttyS0\nExecStopPost=/usr/bin/systemctl --no-block poweroff\n[Install]\nWantedBy=graphical.target\n' \
        >"$machine/etc/systemd/system/booted.service"
    inside 'systemctl enable booted.service && systemctl set-default graphical.target && systemctl mask serial-getty@ttyS0.service getty@tty1.service'
    : >"$machine/etc/fstab"
    rm -f "$disk" && truncate -s 4G "$disk" && mke2fs -q -t ext4 -d "$machine" "$disk"
}

start_machine() {
    # Emulated: the hypervisor of a machine that is itself a guest is often no good.
    timeout 1500 qemu-system-x86_64 -accel "${ACCEL:-tcg}" -cpu max -m 2G -smp 2 -nographic -no-reboot -nic none -object rng-random,id=rng -device virtio-rng-pci,rng=rng \
        -drive "file=$disk,format=raw,if=virtio" -kernel "$machine"/boot/vmlinuz-* -initrd "$machine"/boot/initrd.img-* \
        -append 'root=/dev/vda rw console=ttyS0 quiet systemd.show_status=no' </dev/null | tr -d '\r' | tee -a "$log" | grep --line-buffered -e '^ok ' -e '^FAILED' -e '^all '
}

: >"$log"
make_machine >"$folder/$release.machine" 2>&1 || { tail -n 30 "$folder/$release.machine"; exit 1; }
for time in first second; do
    echo "== $release starts: $time time"
    start_machine || true
    grep -q "^all of the $time start" "$log" || { echo "FAILED: the rest is in $log"; tail -n 40 "$log"; exit 1; }
done
echo "$release: $(grep -c '^ok ' "$log") passed, 0 failed, $SECONDS s"
