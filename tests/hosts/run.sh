#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh [MOUNT-OPTIONS...]
#
# Two hosts, each with a registryd, on one directory of an NFS server, all in
# one guest under qemu; see guest.sh and README.  MOUNT-OPTIONS are joined by
# commas; "defaults" are none.  Each check is made ROUNDS=2 times, with
# DURABILITY=full, and all have LIMIT=900 seconds.
#
# Each line of a check is "ok ..." or "FAIL ...", the last one is "N passed, N
# failed"; logs are in $BUILD/hosts.
set -u

here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd) || exit 2
export BUILD
PATH=$PATH:/usr/sbin:/sbin		# mkfs
LIMIT=${LIMIT:-900}
DISK=512M
dir=$BUILD/hosts

[ $# -gt 0 ] || set -- defaults
mkdir -p "$dir" || exit 2
exec 9>"$dir/lock"
flock -n 9 || { echo "run.sh: another one runs in $dir" >&2; exit 2; }
"$here/build.sh" || exit 2
rm -f "$dir/disk"
truncate -s $DISK "$dir/disk" && mkfs.ext4 -q -F "$dir/disk" || exit 2

# There are machines whose /dev/kvm runs no usual guest.
accel=tcg,thread=multi,tb-size=256 cpus=1
[ ! -w /dev/kvm ] || ! grep -Eq '^flags.* (vmx|svm) ' /proc/cpuinfo ||
    { accel=kvm cpus=2; }
timeout -k 5 "$LIMIT" qemu-system-x86_64 -nodefaults -no-user-config \
    -no-reboot -display none -machine q35 -accel "$accel" -smp "$cpus" -m 640 \
    -kernel "$dir/kernel/vmlinuz" -initrd "$dir/initrd" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check \
hosts.options=$(echo "$*" | tr ' ' :) hosts.rounds=${ROUNDS:-2} \
hosts.durability=${DURABILITY:-full}" \
    -serial "file:$dir/console" -serial stdio \
    -drive "file=$dir/disk,format=raw,if=virtio" \
    </dev/null 2>"$dir/qemu" | tee "$dir/results"
grep -q '^end$' "$dir/results" || {
	echo "FAIL the guest did not come to its end"
	tail -n 20 "$dir/qemu" "$dir/console"
} | tee -a "$dir/results"
passed=$(grep -c '^ok ' "$dir/results")
failed=$(grep -c '^FAIL ' "$dir/results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
