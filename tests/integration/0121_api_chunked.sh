#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Uploads in pieces (end-5): in order, out of order, taken up again by other
# connections, workers and a new start.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
# Text, since curl's telnet, the raw client below, escapes some bytes.
blob=$T/text
head -c 67500 /dev/urandom | base64 | tr -d '\n' >"$blob"
D=$(digest "$blob")
head -c 30000 "$blob" >"$T/1"
tail -c +30001 "$blob" | head -c 30000 >"$T/2"
tail -c 30000 "$blob" >"$T/3"

patch() {
	file=$1 range=$2
	shift 2
	req PATCH "$L" --data-binary "@$file" \
	    -H 'Content-Type: application/octet-stream' \
	    ${range:+-H "Content-Range: $range"} "$@"
}

req POST /v2/a/blobs/uploads/
L=$(header Location)
patch "$T/2" 30000-59999
expect_status 416 'the first chunk must be the first'
expect_header Range 0-0
expect_code RANGE_INVALID
patch "$T/1" 0-29999
expect_status 202 'chunk 1'
expect_header Range 0-29999
for range in 0-29999 29999-59998 30001-60000 60000-89999; do
	patch "$T/2" $range
	expect_status 416 "chunk 2 as $range"
	expect_header Range 0-29999
	expect_header Location "$L"
done
patch "$T/2" 30000-59998
expect_status 400 'length and range differ'
expect_code SIZE_INVALID
for range in 30000 x-y 5-4 30000-99999999999999999999; do
	patch "$T/2" $range
	expect_status 416 "no range: $range"
done
req GET "$L"
expect_header Range 0-29999 'nothing of these was taken'

# More than announced, where only the range announces: refused, and nothing
# else suffers, neither this keeper's other sessions nor later requests.
first=$L
for n in 1 2 3 4; do
	req POST /v2/a/blobs/uploads/
	L=$(header Location)
	patch "$T/2" 0-9 -H 'Transfer-Encoding: chunked'
	expect_status 400 'longer than its range'
	expect_code SIZE_INVALID
	patch "$T/2" 0-99999 -H 'Transfer-Encoding: chunked'
	expect_status 400 'shorter than its range'
	expect_code SIZE_INVALID
	req PUT "$L?digest=$(digest "$T/1")" --data-binary "@$T/1" \
	    -H 'Content-Range: 0-9' -H 'Transfer-Encoding: chunked'
	expect_status 400 'PUT longer than its range'
	expect_code SIZE_INVALID
	req PUT "$L?digest=$(digest "$T/1")" --data-binary "@$T/1" \
	    -H 'Content-Range: 0-29999' -H 'Transfer-Encoding: chunked'
	expect_status 201 'and then as it should be'
done
L=$first

stop_registryd
check 'stop' [ -z "$REGISTRYD_PID" ]
start_registryd
patch "$T/2" 'bytes 30000-59999/*' -H 'Transfer-Encoding: chunked'
expect_status 202 'chunk 2 after a new start'
expect_header Range 0-59999
req PUT "$L?digest=$D" --data-binary "@$T/3" -H 'Content-Range: 59999-89998'
expect_status 416 'PUT out of order'
expect_header Range 0-59999
req PUT "$L?digest=$D" --data-binary "@$T/3" -H 'Content-Range: 60000-89999'
expect_status 201 'PUT with the last chunk'
req GET "/v2/a/blobs/$D"
check 'the bytes' cmp "$blob" "$T/body"

# Streamed, as docker does: chunked coding and no range.
req POST /v2/a/blobs/uploads/
L=$(header Location)
for n in 1 2 3; do
	patch "$T/$n" '' -H 'Transfer-Encoding: chunked'
	expect_status 202 "stream $n"
	expect_header Range "0-$((n * 30000 - 1))"
done
req PUT "$L?digest=$D"
expect_status 201

# A client that leaves in the middle: the session can be taken up.
req POST /v2/a/blobs/uploads/
L=$(header Location)
patch "$T/1" 0-29999
(printf 'PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n' "$L"
    head -c 1000 "$T/2") >"$T/half"
curl -s -m 2 "telnet://$REGISTRY" <"$T/half" >/dev/null
is_free() {
	req GET "$L"
	at=$(header Range)
	at=$((${at#0-} + 1))
	tail -c +$((at + 1)) "$blob" >"$T/rest"
	patch "$T/rest" "$at-89999"
	[ "$status" = 202 ]
}
check 'go on after a lost connection' wait_until 10 is_free
req PUT "$L?digest=$D"
expect_status 201 'and finish'

# Two at a time: one of them has to wait, and no byte is mixed.
req POST /v2/a/blobs/uploads/
L=$(header Location)
(printf 'PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n' "$L"
    head -c 100 "$T/1"; sleep 1; tail -c +101 "$T/1"; sleep 1) |
    curl -s -m 4 "telnet://$REGISTRY" >"$T/slow" 2>/dev/null &
slow=$!
is_busy() {
	patch "$T/2" ''
	[ "$status" = 409 ]
}
check 'a second writer is refused' wait_until 1 is_busy
wait $slow
check 'the first one is not disturbed' grep -q '202 Accepted' "$T/slow"
