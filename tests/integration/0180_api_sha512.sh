#!/bin/sh
# SPDX-License-Identifier: ISC
#
# sha512 wherever sha256 goes.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
index=application/vnd.oci.image.index.v1+json
digest512() {
	echo "sha512:$(sha512sum "$1" | cut -d ' ' -f 1)"
}
blob=$(make_blob 70000)
D=$(digest512 "$blob")

for query in '' '?digest-algorithm=sha512' '?digest-algorithm=sha256'; do
	req POST "/v2/a/blobs/uploads/$query"
	expect_status 202
	L=$(header Location)
	req PATCH "$L" -T "$blob"
	expect_status 202
	req PUT "$L?digest=$D"
	expect_status 201 "sha512 after POST $query"
	expect_header Docker-Content-Digest "$D"
	req DELETE "/v2/a/blobs/$D"
	expect_status 202
done
req POST "/v2/a/blobs/uploads/?digest=$D" --data-binary "@$blob" \
    -H 'Content-Type: application/octet-stream'
expect_status 201 'one POST'
req POST "/v2/b/blobs/uploads/?mount=$D&from=a"
expect_status 201 'mount'
req GET "/v2/b/blobs/$D"
check 'the bytes' cmp "$blob" "$T/body"
req GET "/v2/b/blobs/sha512:$(sha512sum "$T/head" | cut -d ' ' -f 1)"
expect_status 404
req POST "/v2/a/blobs/uploads/?digest=$(digest512 "$T/head")" -d x
expect_status 400 'wrong bytes'
expect_code DIGEST_INVALID

entry="{\"mediaType\":\"a/x\",\"digest\":\"$D\",\"size\":70000}"
printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$entry" "$entry" \
    >"$T/manifest"
M=$(digest512 "$T/manifest")
check 'a manifest by its sha512' push_manifest a "$M?tag=v1&tag=v2" \
    "$T/manifest"
expect_header Docker-Content-Digest "$M"
for ref in "$M" v1 v2; do
	req GET "/v2/a/manifests/$ref"
	expect_status 200
	expect_header Docker-Content-Digest "$M"
	check 'the bytes' cmp "$T/manifest" "$T/body"
done
subject="{\"mediaType\":\"x/y\",\"digest\":\"$M\",\"size\":1}"
printf '{"schemaVersion":2,"manifests":[],"subject":%s}' "$subject" \
    >"$T/referrer"
R=$(digest512 "$T/referrer")
check 'a referrer' push_manifest a "$R" "$T/referrer" $index
expect_header OCI-Subject "$M"
req GET "/v2/a/referrers/$M"
expect_json ".manifests | map(.digest) == [\"$R\"]" 'listed'
req DELETE "/v2/a/manifests/$M"
expect_status 202
for ref in "$M" v1 v2; do
	req GET "/v2/a/manifests/$ref"
	expect_status 404 "$ref is gone"
done
