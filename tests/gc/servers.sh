#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: servers.sh registryd|distribution [ROUNDS]
#
# Collection beside clients that push and pull, with the real programs, and a
# server killed while it moves a tag.  registryd must lose nothing.  Debian's
# docker-registry, whose garbage-collect runs at the same time here, does:
# that shows what the tests can see, and a run of it that finds nothing fails.
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
cd "$(dirname "$0")/../integration" && . ./lib.sh && . ./clients.sh

what=${1:?} rounds=${2:-4}
CLIENTS=$BUILD/tests/gc/servers/clients

# ---- push and collect ------------------------------------------------------

collect_distribution() {
	while :; do
		docker-registry garbage-collect "$T/config.yml" >/dev/null 2>&1
		echo >>"$T/runs"
	done
}

distribution_conf() {
	cat >"$T/config.yml" <<CONF
version: 0.1
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: $STORE
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
CONF
}

push_and_collect_distribution() {
	mkdir -p "$STORE"
	distribution_conf
	start_distribution "$T/config.yml"
	: >"$T/runs"
	collect_distribution &
	PIDS="$! $PIDS"
	"$CLIENTS" -D -r "$rounds" "${DISTRIBUTION#*:}" >"$T/out"
	rc=$?
	tail -n 1 "$T/out"
	echo "$(wc -l <"$T/runs") collections"
	check "distribution: the test sees what is lost" [ $rc -eq 1 ]
}

push_and_collect_registryd() {
	CONF_REGISTRYD='  collect: {interval: 200ms, grace: 1s, delay: 200ms}'
	start_registryd
	"$CLIENTS" -r "$rounds" "${REGISTRY#*:}" >"$T/out"
	rc=$?
	cat "$T/out"
	check "registryd: nothing is lost while it collects" [ $rc -eq 0 ]
	check "registryd: it did collect" grep -Eq ' [1-9][0-9]* collected' \
	    "$T/out"
	check "registryd: fsck finds nothing" "$BUILD/registryctl" \
	    -f "$T/registryd.yml" fsck
	stop_registryd
}

# ---- a tag, and the server killed while it is written ----------------------

tag_file() {
	echo "$STORE/docker/registry/v2/repositories/a/_manifests/tags/t/$1"
}

# The first write to the tag's own file kills its writer, one of these.
kill_at_write() {
	set -- "$(echo "$*" | sed 's/  */ -p /g')"
	# shellcheck disable=SC2086
	strace -f -qq -p $1 -P "$(tag_file current/link)" -o "$T/strace" \
	    -e trace=write,pwrite64 -e inject=write,pwrite64:signal=KILL \
	    2>"$T/strace.log" &
	TRACER=$!
	PIDS="$TRACER $PIDS"
	sleep 2
}

tag_is_whole() {
	[ "$(wc -c <"$(tag_file current/link)")" -eq 71 ]
}

# From one manifest to another and back; whoever is killed is not asked again.
move_tag() {
	make_image a t >/dev/null || die "no image"
	cp "$manifest" "$T/one"
	make_image a t >/dev/null || die "no image"
	cp "$manifest" "$T/two"
	kill_at_write "$@"
	for file in one two one two; do
		push_manifest a t "$T/$file" || break
	done
}

tag_of_distribution() {
	rm -rf "$STORE"
	mkdir -p "$STORE"
	start_distribution "$T/config.yml"
	REGISTRY=$DISTRIBUTION
	move_tag "$DISTRIBUTION_PID"
	refuse "distribution: a tag survives its writer's end" tag_is_whole
}

tag_of_registryd() {
	rm -rf "$STORE"
	start_registryd
	# shellcheck disable=SC2046
	move_tag $(children "$REGISTRYD_PID" keeper)
	check "registryd: a tag survives its writer's end" tag_is_whole
	check "registryd: fsck finds nothing" "$BUILD/registryctl" \
	    -f "$T/registryd.yml" fsck
}

case $what in
distribution)
	push_and_collect_distribution
	tag_of_distribution
	;;
registryd)
	push_and_collect_registryd
	tag_of_registryd
	;;
*)
	die "usage: servers.sh registryd|distribution [ROUNDS]"
	;;
esac
