#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A disk that goes read-only and comes back, that cannot be read any more in
# the middle of a blob, a blob that was cut, and processes that are out of
# descriptors: nothing wrong is sent, nobody dies, and all goes on by itself.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

is_root || skip "mounting needs root"
make_store_disk 160M -O ^has_journal
start_registryd
pids=$(children "$REGISTRYD_PID")
make_image a/b t >/dev/null || die "cannot push an image"
large=$(make_blob 24000000)
push_blob a/b "$large" || die "cannot push a blob"
blob=/v2/a/b/blobs/$(digest "$large")
hex=$(digest "$large" | cut -d : -f 2)
file=$STORE/docker/registry/v2/blobs/sha256/$(echo "$hex" | cut -c 1-2)/$hex
file=$file/data

# ---- read-only, and back ----------------------------------------------------

# Busy as long as anybody writes.
check "remount read-only" wait_until 10 mount -o remount,ro "$STORE"
req POST /v2/a/b/blobs/uploads/
expect_status 503 "read-only: an upload"
req DELETE /v2/a/b/manifests/t
expect_status 503 "read-only: a deletion"
push_manifest a/b t2 "$manifest"
expect_status 503 "read-only: a manifest"
req GET /v2/a/b/manifests/t
expect_status 200 "read-only: a manifest is pulled"
req GET "$blob"
expect_status 200 "read-only: a blob is pulled"
check "remount writable" mount -o remount,rw "$STORE"
push_manifest a/b t2 "$manifest"
expect_status 201 "writable again: a manifest"

# ---- out of descriptors -----------------------------------------------------

# limit N|off: each worker may open so many more than it has.
limit() {
	for pid in $(children "$REGISTRYD_PID" worker); do
		n=1024
		[ "$1" = off ] ||
		    n=$(($(find "/proc/$pid/fd" -mindepth 1 -printf '%f\n' |
		    sort -n | tail -n 1) + 1 + $1))
		setpriv --reuid 62002 --regid 62002 --clear-groups \
		    prlimit --pid "$pid" --nofile="$n:" ||
		    fail "prlimit $pid"
	done
}

cpu() {
	for pid in $(children "$REGISTRYD_PID" worker); do
		cut -d ' ' -f 14,15 "/proc/$pid/stat"
	done | awk '{ n += $1 + $2 } END { print n }'
}

sleep 0.2			# what was asked before is closed
limit 1
req GET "$blob"
expect_status 503 "no descriptor for the file"
limit 0
curl -sS -m 20 -o /dev/null -w '%{http_code}' "http://$REGISTRY/v2/" \
    >"$T/waits" &
waits=$!
before=$(cpu)
sleep 1
check "no descriptor for a connection: no busy loop" \
    [ $(($(cpu) - before)) -lt 20 ]
check "it waits" [ ! -s "$T/waits" ]
limit off
wait "$waits"
check "and is served when there is one" [ "$(cat "$T/waits")" = 200 ]
req GET "$blob"
expect_status 200 "all is well again"

# ---- a blob that is not what it was -----------------------------------------

truncate -s 23000000 "$file"
req GET "$blob"
expect_status 500 "a blob that was cut"
req HEAD "$blob"
expect_status 404 "a blob that was cut: HEAD"
check "a blob that was cut: pushed again" push_blob a/b "$large"
req GET "$blob"
expect_status 200 "a blob that was cut: healed"

# Cut while it is on its way: slowly, so that much of it is left.
curl -sS -m 60 --limit-rate 4M -o "$T/part" "http://$REGISTRY$blob" \
    >"$T/curl.log" 2>&1 &
slow=$!
wait_until 10 test -s "$T/part"
truncate -s 23000000 "$file"
wait "$slow"
expect "cut on its way: not a valid end" 18 $?
check "cut on its way: the log has it" wait_log "$REGISTRYD_LOG" \
    'broken off.*b/blobs/'
check "cut on its way: what came is right" cmp -n \
    "$(stat -c %s "$T/part")" "$T/part" "$large"
push_blob a/b "$large" || fail "push it again"

# ---- a disk that cannot be read ---------------------------------------------

sync -f "$file"
start=$(filefrag -b1024 -v "$file" | awk '$1 == "0:" { print $4 + 0 }')
# Out of memory; then its place on the disk is not there any more.
dd if="$file" iflag=nocache count=0 2>/dev/null
truncate -s $((start * 1024 + 2000000)) "$T/disk"
curl -sS -m 60 -o "$T/part" "http://$REGISTRY$blob" >"$T/curl.log" 2>&1
expect "unreadable: not a valid end" 18 $?
check "unreadable: the log has it" \
    [ "$(grep -c 'broken off' "$REGISTRYD_LOG")" -eq 2 ]
check "unreadable: what came is right" cmp -n \
    "$(stat -c %s "$T/part")" "$T/part" "$large"
check "unreadable: something came" [ "$(stat -c %s "$T/part")" -gt 100000 ]
req GET /v2/
expect_status 200 "the registry lives"
expect "no process has died" "$pids" "$(children "$REGISTRYD_PID")"
stop_registryd
