#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash disable=SC2086,SC2015
#
# /init of the guest.  The kernel logs to ttyS0; ttyS1 brings commands from
# the host, one in each line, and takes one line for each: "ok" or "fail"
# with the command's name; what begins with "#" is for the host's log.
#
#   mount FS OPTIONS		the disk, on /store
#   recover FS OPTIONS		mount and serve
#   umount
#   set NAME=VALUE		sysctl
#   configure DURABILITY [LINE]	"|" in LINE stands for a new line, in the
#				map registryd of its configuration
#   serve			registryd, until it is ready
#   distribution		Debian's docker-registry instead
#   stop
#   fsck			registryctl, on the directory
#   clock SECONDS
#   seed HEX			for the random numbers of a guest that was
#				saved and restored
#   off

/bin/busybox mkdir -p /proc /sys /dev /tmp /run
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
for module in virtio_pci virtio_mmio virtio_blk virtio_net; do
	modprobe $module 2>/dev/null
done
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
stty -F /dev/ttyS1 raw -echo
exec 3</dev/ttyS1 4>/dev/ttyS1
# Where nothing is ever to be read, for waiting.
mkfifo /tmp/never
exec 6<>/tmp/never
pid=

say() {
	echo "$*" >&4
}

# FILE: its end, for the host's log.
show() {
	tail -n "${2:-20}" "$1" | cut -c 1-400 | sed 's/^/# /' >&4
}

# PATTERN FILE: whether a server says so before it ends, within 30 s.  No
# program is started meanwhile: here that takes longer than what it waits for.
wait_for() {
	ticks=1500
	exec 5<"$2"
	while :; do
		while read -r line <&5; do
			# shellcheck disable=SC2254
			case $line in
			$1) return 0 ;;
			esac
		done
		kill -0 $pid 2>/dev/null || return 1
		ticks=$((ticks - 1))
		[ $ticks -gt 0 ] || return 1
		# shellcheck disable=SC3045
		read -r -t 0.02 line <&6
	done
}

configure() {
	durability=$1
	shift
	cat >/etc/registryd.yml <<-END
	version: 0.1
	log: {level: info, accesslog: {disabled: true}}
	storage:
	  filesystem: {rootdirectory: /store/registry}
	  delete: {enabled: true}
	http: {addr: "0.0.0.0:5000"}
	registryd:
	  user: "201:201"
	  worker_user: "202:202"
	  durability: $durability
	END
	[ -z "$*" ] || echo "$*" | tr '|' '\n' | sed 's/^ */  /' \
	    >>/etc/registryd.yml
}

serve() {
	: >/tmp/server.log
	registryd -f /etc/registryd.yml >>/tmp/server.log 2>&1 &
	pid=$!
	wait_for '*msg=ready*' /tmp/server.log
}

distribution() {
	cat >/etc/distribution.yml <<-END
	version: 0.1
	log: {level: info, accesslog: {disabled: true}}
	storage:
	  filesystem: {rootdirectory: /store/registry}
	  delete: {enabled: true}
	http: {addr: "0.0.0.0:5000"}
	END
	: >/tmp/server.log
	docker-registry serve /etc/distribution.yml >>/tmp/server.log 2>&1 &
	pid=$!
	wait_for '*listening on*' /tmp/server.log
}

stop() {
	kill -TERM $pid
	wait $pid
	pid=
}

# registryctl exits 1 when something is broken, and also when something is
# only odd: that is said, and is no failure.
fsck() {
	registryctl -f /etc/registryd.yml fsck --strict >/tmp/fsck.log 2>&1
	code=$?
	[ $code -ne 0 ] || return 0
	if [ $code -eq 1 ] && grep -q '^0 broken' /tmp/fsck.log; then
		grep '^odd' /tmp/fsck.log >/tmp/odd.log
		show /tmp/odd.log
		return 0
	fi
	show /tmp/fsck.log 40
	return 1
}

mount_disk() {
	modprobe $1 2>/dev/null
	mount -t $1 -o "${2:-rw}" /dev/vda /store || {
		dmesg | tail -n 15 >/tmp/dmesg
		show /tmp/dmesg 15
		return 1
	}
	mkdir -p /store/registry
	chown 201:201 /store/registry
}

say ready
while read -r command rest <&3; do
	case $command in
	"") continue ;;		# wakes the line after a restore
	mount) mount_disk $rest ;;
	recover) mount_disk $rest && serve ;;
	umount) umount /store ;;
	set) sysctl -w "$rest" >/dev/null ;;
	configure) configure $rest ;;
	serve) serve || { show /tmp/server.log; false; } ;;
	distribution) distribution || { show /tmp/server.log; false; } ;;
	log) show /tmp/server.log "${rest:-20}" ;;
	stop) stop ;;
	fsck) fsck ;;
	off) poweroff -f ;;
	clock) date -s "@$rest" >/dev/null ;;
	seed) seed $rest ;;
	*) false ;;
	esac && say "ok $command" || say "fail $command"
done
