# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# For the tests with real clients, after lib.sh: clients whose state is in
# $T only, and small images made without a registry.
#
#   make_rootfs                 $T/rootfs.tar, a busybox
#   start_dockerd               docker speaks to it; $DOCKER_HOST
#   says NAME PATTERN           the last check's or refuse's output has it
#   start_distribution CONF     Debian's docker-registry; $DISTRIBUTION is
#                               localhost:PORT, $DISTRIBUTION_PID
#   make_tls                    $T/tls/{ca.crt,server.crt,server.key}

export HOME="$T"
export DOCKER_CONFIG="$T/docker"
# Not REGISTRY_AUTH_FILE: registries read every REGISTRY_* as a setting.
export XDG_RUNTIME_DIR="$T/xdg"
mkdir -m 700 "$XDG_RUNTIME_DIR"

make_rootfs() {
	mkdir -p "$T/rootfs/bin"
	cp "$(command -v busybox)" "$T/rootfs/bin/busybox"
	ln -sf busybox "$T/rootfs/bin/sh"
	echo "$$ $(date)" >"$T/rootfs/made"
	tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
}

start_dockerd() {
	is_root || skip "dockerd needs root"
	DOCKER_HOST=unix://$T/docker.sock
	export DOCKER_HOST
	background "$T/dockerd.log" dockerd --iptables=false \
	    --ip6tables=false --bridge=none -H "$DOCKER_HOST" \
	    --data-root "$T/dockerd" --exec-root "$T/docker-exec" \
	    --pidfile "$T/dockerd.pid"
	PIDS="$started $PIDS"
	wait_until 60 has_dockerd "$started"
	is_gone "$started" && die "dockerd did not start"
	docker version >/dev/null 2>&1 || die "dockerd does not answer"
}

has_dockerd() {
	is_gone "$1" || log_has "$T/dockerd.log" 'API listen on'
}

# What dockerd has mounted is unmounted before its directory is removed.
unmount_all() {
	awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/mounts |
	    sort -r | while read -r mount; do
		umount -l "$mount"
	done
}

on_exit() {
	unmount_all
}

says() {
	if grep -Eqi -- "$2" "$T/check.out"; then
		ok "$1"
	else
		fail "$1" "$(tr '\n' ' ' <"$T/check.out")"
		return 1
	fi
}

start_distribution() {
	background "$T/distribution.log" ${AS_USER:-} \
	    docker-registry serve "$1"
	DISTRIBUTION_PID=$started
	PIDS="$started $PIDS"
	wait_log "$T/distribution.log" 'listening on' 20 ||
	    die "docker-registry does not listen"
	DISTRIBUTION=localhost:$(sed -n \
	    's/.*listening on [^ ]*:\([0-9]*\)[^0-9].*/\1/p' \
	    "$T/distribution.log" | tail -n 1)
}

make_tls() {
	mkdir -p "$T/tls"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca \
	    -addext basicConstraints=critical,CA:TRUE \
	    -keyout "$T/tls/ca.key" -out "$T/tls/ca.crt" 2>/dev/null &&
	openssl req -newkey rsa:2048 -nodes -subj /CN=localhost \
	    -keyout "$T/tls/server.key" -out "$T/tls/server.csr" \
	    2>/dev/null &&
	echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >"$T/tls/ext" &&
	openssl x509 -req -in "$T/tls/server.csr" -days 2 \
	    -CA "$T/tls/ca.crt" -CAkey "$T/tls/ca.key" -CAcreateserial \
	    -extfile "$T/tls/ext" -out "$T/tls/server.crt" 2>/dev/null ||
	    die "cannot make certificates"
}
