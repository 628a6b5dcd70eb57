#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the daemons take: idle, and while 1 GiB goes in and out.
cd "$(dirname "$0")" && . ./lib.sh

if grep -q __asan_init "$BUILD/registryd"; then
	skip "AddressSanitizer takes memory of its own"
fi
start_authd
start_registryd
tree="$REGISTRYD_PID $(children "$REGISTRYD_PID")"

# shellcheck disable=SC2086
idle=$(pss $tree)
if [ "$idle" -lt 30720 ]; then
	ok "registryd idle: $idle KiB of PSS, $(echo "$tree" | wc -w) processes"
else
	fail "registryd idle" "$idle KiB of PSS"
fi

TOKEN=$(token alice:alice-pw repository:alice/app:pull,push)
make_image alice/app warm >/dev/null
expect_status 201 "a first push"

truncate -s 1G "$T/big"
printf x | dd of="$T/big" bs=1 seek=500000000 conv=notrunc 2>/dev/null
want=$(digest "$T/big")

# The peaks begin anew; where that is not allowed they are compared as is.
for pid in $tree; do
	{ echo 5 >"/proc/$pid/clear_refs"; } 2>/dev/null
	rss "$pid" >"$T/rss.$pid"
done

# WHAT: no process has grown by more than 8 MiB.
compare() {
	for pid in $tree; do
		grown=$(($(peak "$pid") - $(cat "$T/rss.$pid")))
		if [ "$grown" -le 8192 ]; then
			ok "$1: process $pid grew by $grown KiB"
		else
			fail "$1: process $pid" "grew by $grown KiB"
		fi
	done
}

REQ_TIMEOUT=120
push_blob alice/app "$T/big"
expect_status 201 "push 1 GiB"
compare "push 1 GiB"

status=$(curl -sS -m 120 -H "Authorization: Bearer $TOKEN" \
    -o "$T/out" -w '%{http_code}' "http://$REGISTRY/v2/alice/app/blobs/$want")
expect_status 200 "pull 1 GiB"
check "the bytes are the same" cmp "$T/big" "$T/out"
compare "pull 1 GiB"
for pid in $tree; do
	check "process $pid is still there" kill -0 "$pid"
done
