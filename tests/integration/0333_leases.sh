#!/bin/sh
# SPDX-License-Identifier: ISC
#
# "It is there" is only said when collection will leave it there: without a
# lease HEAD is 503, soon, and bytes are served all the same.  What nobody can
# remove needs no lease.
cd "$(dirname "$0")" && . ./lib.sh

is_root || skip "mounting needs root"
make_store_disk 64M
on_exit() {
	chattr -i "$link" "$revision" 2>/dev/null
	umount "$STORE"
}

CONF_REGISTRYD='  collect: {untagged: 24h, interval: 1s}
  lease_timeout: 500ms'
start_registryd
make_image a/b t >/dev/null || die "cannot push an image"
repo=$STORE/docker/registry/v2/repositories/a/b
hex=$(digest "$layer" | cut -d : -f 2)
link=$repo/_layers/sha256/$hex/link
blob=/v2/a/b/blobs/sha256:$hex
hex=$(digest "$manifest" | cut -d : -f 2)
revision=$repo/_manifests/revisions/sha256/$hex/link
manifest_url=/v2/a/b/manifests/sha256:$hex

old() {
	touch -d '1 day ago' "$link" "$revision" || fail "make leases old"
}

# expect_both HEAD-STATUS NAME
expect_both() {
	for url in "$blob" "$manifest_url"; do
		req HEAD "$url"
		expect_status "$1" "$2: HEAD ${url#/v2/a/b/}"
		[ "$1" != 503 ] || expect_header Retry-After 1
		req GET "$url"
		expect_status 200 "$2: GET ${url#/v2/a/b/}"
	done
	req HEAD /v2/a/b/manifests/t
	expect_status 200 "$2: a tag keeps its manifest"
}

is_young() {
	[ $(($(date +%s) - $(stat -c %Y "$1"))) -lt 100 ]
}

old
expect_both 200 "well"
check "well: the blob has a new lease" is_young "$link"
check "well: the manifest has a new lease" is_young "$revision"

# ---- a keeper that does not answer ------------------------------------------

old
keepers=$(children "$REGISTRYD_PID" keeper)
# shellcheck disable=SC2086
kill -STOP $keepers
begin=$(date +%s)
expect_both 503 "stopped"
check "stopped: nobody waits for long" [ $(($(date +%s) - begin)) -lt 10 ]
# shellcheck disable=SC2086
kill -CONT $keepers
expect_both 200 "going on"

# ---- a lease that cannot be taken -------------------------------------------

old
chattr +i "$link" "$revision" || die "chattr"
expect_both 503 "no lease"
check "no lease: the log says why" wait_log "$REGISTRYD_LOG" \
    'no lease: permission denied'
chattr -i "$link" "$revision"
expect_both 200 "a lease again"

# ---- nothing can be removed -------------------------------------------------

old
# Busy as long as anybody writes.
check "remount read-only" wait_until 10 mount -o remount,ro "$STORE"
expect_both 200 "read-only disk"
check "read-only disk: collection cannot be" wait_log "$REGISTRYD_LOG" \
    'collection stopped'
sleep 0.5
check "read-only disk: it is not tried again and again" [ "$(grep -c \
    'collection stopped' "$REGISTRYD_LOG")" -lt 10 ]
check "remount writable" mount -o remount,rw "$STORE"
check "set the mark" "$BUILD/registryctl" -f "$T/registryd.yml" readonly on
old
expect_both 200 "read-only mark"
stop_registryd
