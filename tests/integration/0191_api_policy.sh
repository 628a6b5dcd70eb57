#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the configuration forbids to everyone: deleting, writing, blobs beyond
# a size.
cd "$(dirname "$0")" && . ./lib.sh

# Names and contents of everything in the store.
state() {
	(cd "$STORE" && find . -type f | sort | xargs sha256sum | sha256sum)
}

CONF_STORAGE='  delete: {enabled: false}'
registryd_conf | sed '/delete: {enabled: true}/d' >"$T/nodelete.yml"
start_registryd "$T/nodelete.yml"
D=$(make_image a tag)
layer=$(ls "$T"/blob.*)
before=$(state)
for path in manifests/tag "manifests/$D" "blobs/$(digest "$layer")" \
    manifests/none "manifests/sha256:$(printf '0%.0s' $(seq 64))"; do
	req DELETE "/v2/a/$path"
	expect_status 405
	expect_code UNSUPPORTED
	check 'Allow' test -n "$(header Allow)"
done
expect 'nothing was deleted' "$before" "$(state)"
req POST /v2/a/blobs/uploads/
L=$(header Location)
req DELETE "$L"
expect_status 204 'giving up an upload is allowed'
req POST /v2/a/blobs/uploads/
L=$(header Location)
stop_registryd

CONF_STORAGE='  maintenance: {readonly: {enabled: true}}'
start_registryd
before=$(state)
for request in 'POST /v2/a/blobs/uploads/' "PATCH $L" "DELETE $L" \
    "PUT $L?digest=$D" 'PUT /v2/a/manifests/x' 'DELETE /v2/a/manifests/tag' \
    "DELETE /v2/a/blobs/$(digest "$layer")"; do
	req $request --data-binary "@$layer"
	expect_status 405
	expect_code UNSUPPORTED
done
for path in "/v2/a/manifests/$D" /v2/a/manifests/tag /v2/a/tags/list \
    "/v2/a/blobs/$(digest "$layer")" "/v2/a/referrers/$D" /v2/_catalog; do
	req GET "$path"
	expect_status 200 "read-only: GET $path"
done
expect 'nothing was written' "$before" "$(state)"
stop_registryd

CONF_STORAGE=
CONF_REGISTRYD='  limits: {blob: 10000, manifest: 1KiB}'
start_registryd
for n in 10000 10001; do
	[ $n = 10000 ] && want=201 || want=413
	file=$(make_blob $n)
	req POST "/v2/b/blobs/uploads/?digest=$(digest "$file")" \
	    --data-binary "@$file"
	expect_status $want "$n bytes"
	req POST "/v2/c/blobs/uploads/?digest=$(digest "$file")" \
	    --data-binary "@$file" -H 'Transfer-Encoding: chunked'
	expect_status $want "$n bytes, chunked"
done
file=$(make_blob 6000)
req POST /v2/b/blobs/uploads/
L=$(header Location)
req PATCH "$L" --data-binary "@$file"
expect_status 202 '6000 bytes'
req PATCH "$L" --data-binary "@$file"
expect_status 413 '12000 bytes in two pieces'
expect_code SIZE_INVALID
req GET "$L"
expect_header Range 0-5999 'the first piece stays'
head -c 1025 /dev/zero | tr '\0' ' ' >"$T/spaces"
push_manifest b x "$T/spaces"
expect_status 413 'a manifest above its limit'
