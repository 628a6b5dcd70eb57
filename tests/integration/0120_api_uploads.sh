#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Uploads in one piece: POST (end-4a), POST with the digest (end-4b), PUT
# (end-6), status (end-13), cancelling (end-14), and what is refused.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
blob=$(make_blob 300000)
D=$(digest "$blob")
octets='Content-Type: application/octet-stream'

req POST /v2/a/b/blobs/uploads/
expect_status 202 'end-4a: POST'
expect_header Range 0-0
expect_header Content-Length 0
L=$(header Location)
expect 'Location names the session' \
    "/v2/a/b/blobs/uploads/$(header Docker-Upload-UUID)" "$L"
req GET "$L"
expect_status 204 'end-13: status'
expect_header Range 0-0
expect_header Location "$L"
req PUT "$L?digest=$D" -T "$blob" -H "$octets"
expect_status 201 'end-6: PUT'
expect_header Location "/v2/a/b/blobs/$D"
expect_header Docker-Content-Digest "$D"
req GET "$(header Location)"
check 'the bytes' cmp "$blob" "$T/body"
req GET "$L"
expect_status 404 'the session is over'
expect_code BLOB_UPLOAD_UNKNOWN

req POST "/v2/single/blobs/uploads/?digest=$D" --data-binary "@$blob" \
    -H "$octets"
expect_status 201 'end-4b: POST with digest'
expect_header Location "/v2/single/blobs/$D"
req POST "/v2/single/blobs/uploads/?digest=$D" --data-binary "@$blob" \
    -H "$octets" -H 'Transfer-Encoding: chunked'
expect_status 201 'end-4b: chunked coding'
: >"$T/empty"
req POST "/v2/single/blobs/uploads/?digest=$(digest "$T/empty")"
expect_status 201 'end-4b: the empty blob'

# Wrong bytes are refused and leave nothing behind.
other=$(make_blob 10)
req POST "/v2/single/blobs/uploads/?digest=$(digest "$other")" \
    --data-binary "@$blob" -H "$octets"
expect_status 400
expect_code DIGEST_INVALID
req HEAD "/v2/single/blobs/$(digest "$other")"
expect_status 404 'nothing under the wrong digest'
req POST '/v2/single/blobs/uploads/?digest=sha256:x' --data-binary x
expect_status 400
expect_code DIGEST_INVALID

# After a failed PUT the session goes on.
req POST /v2/a/blobs/uploads/
L=$(header Location)
req PATCH "$L" --data-binary "@$blob" -H "$octets"
expect_status 202 'end-5: PATCH'
expect_header Range 0-299999
for query in '' '?digest=' '?digest=sha256:00' '?digest=md5:00' \
    "?digest=$D&digest=$D" "?digest=$(digest "$other")"; do
	req PUT "$L$query"
	expect_status 400 "PUT $query"
	expect_code DIGEST_INVALID
done
req PUT "$L?digest=$D"
expect_status 201 'the session outlived the failures'

req POST /v2/a/blobs/uploads/
L=$(header Location)
uuid=${L##*/}
for method in GET PATCH PUT DELETE; do
	req $method "/v2/b/blobs/uploads/$uuid?digest=$D"
	expect_status 404 "$method by way of another repository"
	expect_code BLOB_UPLOAD_UNKNOWN
done
req DELETE "$L"
expect_status 204 'end-14: cancel'
expect_header Docker-Upload-UUID "$uuid"
for method in GET PATCH PUT DELETE; do
	req $method "$L?digest=$D" --data-binary x
	expect_status 404 "$method after cancelling"
	req $method "/v2/a/blobs/uploads/..%2f..%2fx?digest=$D"
	expect_status 404 "$method of an odd id"
done

req POST '/v2/a/blobs/uploads/?digest-algorithm=sha512'
expect_status 202 'end-4c: sha512'
req POST '/v2/a/blobs/uploads/?digest-algorithm=md5'
expect_status 400 'end-4c: md5'
expect_code DIGEST_INVALID
req PATCH "$L" --data-binary x -H 'Content-Encoding: gzip'
expect_status 415
