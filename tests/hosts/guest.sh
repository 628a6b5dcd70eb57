#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# /init of the guest: a file server, two hosts that mount its directory, and
# the checks on them.  The kernel logs to ttyS0; results go to ttyS1.
#
# On the kernel's command line hosts.options=A:B:... are mount options
# (defaults: none), the checks are run with each; hosts.durability and
# hosts.rounds are for them.

/bin/busybox mkdir -p /proc /sys /dev /tmp /run /export /mnt
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
for module in virtio_pci virtio_mmio virtio_blk veth nfsd nfsv4; do
	modprobe $module 2>/dev/null
done
stty -F /dev/ttyS1 raw -echo
exec >/dev/ttyS1 2>&1
ip link set lo up

# The kernel's own end of exports(5): who may use what, for all time.  It is
# asked for by rpc.mountd otherwise.
ROOT_SQUASH=4 NO_SUBTREE_CHECK=1024 FSID=8192
FOREVER=2147483647 NOBODY=65534

export_directory() {
	flags=$((ROOT_SQUASH | NO_SUBTREE_CHECK | FSID))
	for address in 10.0.1.2 10.0.2.2; do
		echo "nfsd $address $FOREVER hosts" \
		    >/proc/net/rpc/auth.unix.ip/channel || return 1
	done
	echo "hosts $1 $FOREVER $flags $NOBODY $NOBODY 0" \
	    >/proc/net/rpc/nfsd.export/channel || return 1
	# A number, 0, which is the root of what is exported.
	printf '%s\n' "hosts 1 \\x00000000 $FOREVER $1" \
	    >/proc/net/rpc/nfsd.fh/channel
}

file_server() {
	mount -t ext4 /dev/vda /export || return 1
	mount -t nfsd nfsd /proc/fs/nfsd || return 1
	# Where it notes its clients.
	mkdir -p /var/lib/nfs/v4recovery
	echo '-3 +4 +4.1 +4.2' >/proc/fs/nfsd/versions
	export_directory /export || return 1
	echo 'tcp 2049' >/proc/fs/nfsd/portlist || return 1
	echo 8 >/proc/fs/nfsd/threads || return 1
	# Nobody has locks of an earlier life.
	echo Y >/proc/fs/nfsd/v4_end_grace
}

# NUMBER: a host with its own network, name and mounts.  Sets $space.
host() {
	unshare -m -n -u sleep 1000000 &
	space=$!
	while [ "$(readlink /proc/$space/ns/net)" = \
	    "$(readlink /proc/self/ns/net)" ]; do
		sleep 0.1
	done
	/bin/ip link add "host$1" type veth peer name eth0 netns $space
	ip addr add "10.0.$1.1/24" dev "host$1"
	ip link set "host$1" up
	nsenter -t $space -m -n -u sh -c "hostname host$1; ip link set lo up
	    ip addr add 10.0.$1.2/24 dev eth0; ip link set eth0 up"
}

file_server || echo "FAIL the file server"
host 1
one=$space
host 2
two=$space

# NAME: what the kernel was started with.
said() {
	sed -n "s/.*hosts\.$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

export ONE=$one TWO=$two BUILD=/bin TMPDIR=/tmp
DURABILITY=$(said durability) ROUNDS=$(said rounds)
export DURABILITY ROUNDS
cd /tests || exit
for o in $(said options | tr : ' '); do
	OPTIONS=$o sh ./checks.sh
done
echo "end"
poweroff -f
