#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Manifests: PUT (end-7), GET and HEAD (end-3), DELETE (end-9), by tag and by
# digest, of every kind.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
oci=application/vnd.oci.image.manifest.v1+json
index=application/vnd.oci.image.index.v1+json
D=$(make_image a/b latest)
check 'push an image' test -n "$D"
cp "$(ls "$T"/manifest.*)" "$T/image"
push_manifest a/b latest "$T/image"
expect_status 201 'end-7: PUT by tag'
expect_header Location "/v2/a/b/manifests/$D"
expect_header Docker-Content-Digest "$D"

for ref in latest "$D"; do
	req GET "/v2/a/b/manifests/$ref"
	expect_status 200 "end-3: GET $ref"
	expect_header Content-Type $oci
	expect_header Docker-Content-Digest "$D"
	expect_header ETag "\"$D\""
	expect "GET $ref: bytes" "$D" "$(digest "$T/body")"
	size=$(wc -c <"$T/body")
	req HEAD "/v2/a/b/manifests/$ref"
	expect_status 200 "end-3: HEAD $ref"
	expect_header Content-Length "$size"
	for tag in "\"$D\"" "$D" "W/\"$D\""; do
		req GET "/v2/a/b/manifests/$ref" -H "If-None-Match: $tag"
		expect_status 304 "GET $ref: If-None-Match $tag"
	done
done

# One form for everyone; who did not list it is told.
for accept in '*/*' '' "$oci" 'application/*' "text/x, $oci;q=0.1"; do
	req GET /v2/a/b/manifests/latest -H "Accept: $accept"
	expect_status 200 "Accept: $accept"
	expect_no_header Warning
done
req GET /v2/a/b/manifests/latest -H "Accept: $index" -H "Accept: $oci"
expect_status 200 'two Accept headers are one list'
expect_no_header Warning
for accept in $index 'text/html' "$oci;q=0"; do
	req GET /v2/a/b/manifests/latest -H "Accept: $accept"
	expect_status 200 "Accept: $accept"
	expect_header Content-Type $oci
	check 'with a warning' test -n "$(header Warning)"
done

check 'PUT by digest' push_manifest a/b "$D" "$T/image"
check 'another tag' push_manifest a/b v1 "$T/image"
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' $index \
    "$(descriptor $oci "$T/image")" >"$T/index"
check 'an index' push_manifest a/b multi "$T/index" $index
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' $index \
    "$(descriptor $index "$T/index")" >"$T/nested"
check 'an index in an index' push_manifest a/b nested "$T/nested" $index

# The type is kept, where the bytes tell it and where they do not.
tr -d '\n' <"$T/image" | sed 's/"mediaType":"[^"]*manifest[^"]*",//' \
    >"$T/plain"
check 'a layer for it' push_blob types "$(ls "$T"/blob.*)"
check 'a config for it' push_blob types "$(ls "$T"/config.*)"
for type in $oci application/vnd.docker.distribution.manifest.v2+json \
    application/vnd.example.own+json; do
	check "PUT as $type" push_manifest types t "$T/plain" $type
	req GET /v2/types/manifests/t
	expect_header Content-Type $type "GET: $type"
done
printf 'no JSON at all' >"$T/own"
check 'any type' push_manifest types own "$T/own" application/vnd.example
check 'with a warning' test -n "$(header Warning)"
req GET /v2/types/manifests/own
expect_header Content-Type application/vnd.example
expect_header Content-Security-Policy sandbox
req PUT /v2/a/b/manifests/untyped -H 'Content-Type:' --data-binary \
    "@$T/index"
expect_status 201 'PUT without Content-Type'
req GET /v2/a/b/manifests/untyped
expect_header Content-Type $index
req PUT /v2/a/b/manifests/params --data-binary "@$T/index" \
    -H "Content-Type: $index; charset=utf-8"
expect_status 201 'parameters of Content-Type are ignored'

req GET /v2/a/b/manifests/none
expect_status 404
expect_code MANIFEST_UNKNOWN
req GET /v2/other/manifests/"$D"
expect_status 404 'not in another repository'
req GET /v2/a/b/manifests/.INVALID_MANIFEST_NAME
expect_status 404
req GET /v2/a/b/manifests/sha256:xyz
expect_status 400
expect_code DIGEST_INVALID
req GET "/v2/a/b/manifests/$(digest "$(ls "$T"/blob.*)")"
expect_status 404 'a layer is no manifest'

req DELETE /v2/a/b/manifests/v1
expect_status 202 'end-9: DELETE a tag'
req GET /v2/a/b/manifests/v1
expect_status 404 'the tag is gone'
req GET "/v2/a/b/manifests/$D"
expect_status 200 'the manifest is not'
req DELETE /v2/a/b/manifests/v1
expect_status 404
req DELETE "/v2/a/b/manifests/$D"
expect_status 202 'end-9: DELETE a manifest'
for ref in "$D" latest; do
	req GET "/v2/a/b/manifests/$ref"
	expect_status 404 "$ref is gone"
done
req DELETE "/v2/a/b/manifests/$D"
expect_status 404
req DELETE "/v2/none/manifests/$D"
expect_status 404
