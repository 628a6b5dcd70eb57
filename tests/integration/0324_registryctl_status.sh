#!/bin/sh
# SPDX-License-Identifier: ISC
#
# "registryctl status" says plainly what is wrong with a registry that still
# serves, and what to do about it: in words, as JSON and by its exit status.
cd "$(dirname "$0")" && . ./lib.sh

is_root || skip "mounting needs root"
make_store_disk 64M
on_exit() {
	umount "$STORE"
}

# ctl ARGUMENT...: its exit status in $rc, what it prints in $T/out
ctl() {
	"$BUILD/registryctl" -f "$T/registryd.yml" "$@" >"$T/out" 2>"$T/err"
	rc=$?
}

# state NAME [REASON]...: those and no others are what is wrong
state() {
	what=$1
	shift
	ctl status --json
	expect "$what: reasons" "$*" \
	    "$(jq -r '[.degraded[].reason] | sort | join(" ")' "$T/out")"
	expect "$what: exit status" $(($# > 0)) "$rc"
	expect "$what: state" "$([ $# -gt 0 ] && echo degraded || echo ok)" \
	    "$(jq -r .state "$T/out")"
	ctl status
	for reason; do
		check "$what: $reason in words" \
		    grep -q "^  $reason: [^ ]" "$T/out"
	done
	expect "$what: what to do" $# "$(grep -c 'what to do: [a-z]' "$T/out")"
}

# Whoever ends while strace looks on cannot look for leaks.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
CONF_REGISTRYD='  reserve: 1MiB
  durability: full'
start_registryd
make_image a/b t >/dev/null || die "cannot push an image"
state "well"

# ---- the mark, the disk -----------------------------------------------------

ctl readonly on
state "mark" readonly-mark
ctl readonly off
# Busy as long as anybody writes.
check "remount read-only" wait_until 10 mount -o remount,ro "$STORE"
state "read-only disk" disk-readonly
check "remount writable" mount -o remount,rw "$STORE"
fallocate -l "$(df --output=avail -B1 "$STORE" | tail -n 1)" \
    "$STORE/fill" 2>/dev/null
state "full disk" disk-full
rm "$STORE/fill"
state "well again"

# ---- what jobs have met -----------------------------------------------------

hex=$(digest "$layer" | cut -d : -f 2)
data=$STORE/docker/registry/v2/blobs/sha256/$(echo "$hex" | cut -c 1-2)
data=$data/$hex/data
printf X | dd of="$data" bs=1 conv=notrunc 2>/dev/null
ctl scrub
state "scrub" bad-blobs
push_blob a/b "$layer" || fail "push it again"
ctl scrub
state "healed"

collector=$(children "$REGISTRYD_PID" collector)
strace -f -p "$collector" -o "$T/strace" -e trace=openat,getdents64 \
    -e inject=getdents64:error=EIO 2>"$T/strace.err" &
tracer=$!
wait_until 10 log_has "$T/strace.err" attached || fail "attach"
ctl collect
kill -INT "$tracer"
wait "$tracer"
state "collection" collection-failed
ctl collect
state "collected"

# ---- a sync that fails ------------------------------------------------------

tags=$STORE/docker/registry/v2/repositories/a/b/_manifests/tags
tracers=
for pid in $(children "$REGISTRYD_PID" keeper); do
	strace -f -p "$pid" -o "$T/strace.$pid" -P "$tags" -e trace=fsync \
	    -e inject=fsync:error=EIO 2>"$T/strace.err.$pid" &
	tracers="$tracers $!"
	wait_until 10 log_has "$T/strace.err.$pid" attached || fail "attach"
done
# Of a directory: nobody knows then what is on the disk.
req DELETE /v2/a/b/manifests/t
check "a deletion that cannot be synced" [ "$status" -ge 500 ]
# shellcheck disable=SC2086
kill -INT $tracers 2>/dev/null
# shellcheck disable=SC2086
wait $tracers
check "the keeper is replaced" wait_log "$REGISTRYD_LOG" \
    'keeper . .*status 74; restart'
state "sync" sync-failed
expect "sync: counted" true "$("$BUILD/registryctl" -f "$T/registryd.yml" \
    status --json | jq '.restarts.sync_failures >= 1')"

# By an administrator, in the collector, which writes for groups: by a sync of
# the file system, or of what was written when that has been slow.
make_image a/b u 100 >/dev/null
pid=$(children "$REGISTRYD_PID" collector)
strace -f -p "$pid" -o "$T/strace.$pid" -e trace=syncfs,fsync \
    -e inject=syncfs,fsync:error=EIO 2>"$T/strace.err.$pid" &
tracer=$!
wait_until 10 log_has "$T/strace.err.$pid" attached || fail "attach"
ctl tag remove a/b u
check "a tag's removal that cannot be synced" [ "$rc" -ne 0 ]
check "the collector is replaced" wait_log "$REGISTRYD_LOG" \
    'collector .*status 74; restart'
kill -INT "$tracer" 2>/dev/null
wait "$tracer"

# ---- processes that end -----------------------------------------------------

two_workers() {
	[ "$(children "$REGISTRYD_PID" worker | wc -l)" -eq 2 ]
}

stop_registryd
start_registryd
for n in 1 2 3; do
	pid=$(children "$REGISTRYD_PID" worker | head -n 1)
	[ "$n" -lt 3 ] || state "twice"
	kill -KILL "$pid"
	wait_until 20 is_gone "$pid"
	wait_until 20 two_workers || fail "a worker comes back"
done
state "three times" restarts
expect "restarts are counted" 3 "$("$BUILD/registryctl" \
    -f "$T/registryd.yml" status --json | jq .restarts.workers)"
stop_registryd

# ---- nobody runs ------------------------------------------------------------

state "not running"
ctl readonly on
state "not running, the mark" readonly-mark
