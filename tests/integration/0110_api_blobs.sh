#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Blobs: HEAD and GET (end-2), whole, in part and on condition; DELETE
# (end-10).
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
blob=$(make_blob 100000)
D=$(digest "$blob")
check 'push a blob' push_blob a/b "$blob"

req HEAD "/v2/a/b/blobs/$D"
expect_status 200 'end-2: HEAD'
expect_header Content-Length 100000
expect_header Docker-Content-Digest "$D"
req GET "/v2/a/b/blobs/$D"
expect_status 200 'end-2: GET'
expect_header Content-Type application/octet-stream
expect_header Docker-Content-Digest "$D"
expect_header ETag "\"$D\""
expect_header Cache-Control max-age=31536000
expect_header Accept-Ranges bytes
check 'the bytes' cmp "$blob" "$T/body"

# Range: first-last, first-, -suffix; several or odd ones are ignored.
part() {
	req GET "/v2/a/b/blobs/$D" -H "Range: bytes=$1"
	expect_status 206 "range $1"
	expect_header Content-Range "bytes $2/100000"
	tail -c +$((${2%-*} + 1)) "$blob" |
	    head -c $((${2#*-} - ${2%-*} + 1)) >"$T/want"
	check "range $1: bytes" cmp "$T/want" "$T/body"
}
part 0-9 0-9
part 99990- 99990-99999
part -10 99990-99999
part 0-999999 0-99999
part 99999-99999 99999-99999
for range in x 0-9,20-29 -; do
	req GET "/v2/a/b/blobs/$D" -H "Range: bytes=$range"
	expect_status 200 "range $range is ignored"
done
req GET "/v2/a/b/blobs/$D" -H 'Range: bytes=100000-'
expect_status 416
expect_header Content-Range 'bytes */100000'
expect_code RANGE_INVALID
req GET "/v2/a/b/blobs/$D" -H 'Range: bytes=500-0'
expect_status 416 'a range that ends before it begins'
req GET "/v2/a/b/blobs/$D" -H 'Range: bytes=0-9' -H "If-Range: \"$D\""
expect_status 206 'If-Range holds'
req GET "/v2/a/b/blobs/$D" -H 'Range: bytes=0-9' -H 'If-Range: "other"'
expect_status 200 'If-Range does not hold'
req HEAD "/v2/a/b/blobs/$D" -H 'Range: bytes=0-9'
expect_status 200 'HEAD knows no range'

for tag in "\"$D\"" "W/\"$D\"" '*' "\"x\", \"$D\""; do
	req GET "/v2/a/b/blobs/$D" -H "If-None-Match: $tag"
	expect_status 304 "If-None-Match: $tag"
done
req GET "/v2/a/b/blobs/$D" -H 'If-None-Match: "x"'
expect_status 200 'If-None-Match: another'

# The empty blob.
: >"$T/empty"
E=$(digest "$T/empty")
check 'push the empty blob' push_blob a/b "$T/empty"
req GET "/v2/a/b/blobs/$E"
expect_status 200
expect_header Content-Length 0
req GET "/v2/a/b/blobs/$E" -H 'Range: bytes=0-'
expect_status 416

# Not there: in this repository, in any, or no digest at all.
req GET "/v2/other/blobs/$D"
expect_status 404
expect_code BLOB_UNKNOWN
req HEAD "/v2/a/b/blobs/sha256:$(printf '0%.0s' $(seq 64))"
expect_status 404
for bad in sha256:00 "$(echo "$D" | tr a-f A-F)" md5:00 latest \
    sha256:%2e%2e; do
	req GET "/v2/a/b/blobs/$bad"
	expect_status 400
	expect_code DIGEST_INVALID
done

req DELETE "/v2/other/blobs/$D"
expect_status 404
expect_code BLOB_UNKNOWN
check 'push it to c' push_blob c "$blob"
req DELETE "/v2/a/b/blobs/$D"
expect_status 202 'end-10: DELETE'
req GET "/v2/a/b/blobs/$D"
expect_status 404 'deleted'
req DELETE "/v2/a/b/blobs/$D"
expect_status 404 'deleted twice'
req GET "/v2/c/blobs/$D"
expect_status 200 'the other repository keeps it'
