#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Manifests that are refused, and why.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
oci=application/vnd.oci.image.manifest.v1+json
index=application/vnd.oci.image.index.v1+json
make_image a ok >/dev/null
good=$(ls "$T"/manifest.*)
layer=$(ls "$T"/blob.*)
N=sha256:$(printf '0%.0s' $(seq 64))
M=sha256:$(printf '1%.0s' $(seq 64))

# put TEXT [TYPE] [REFERENCE]
put() {
	printf '%s' "$1" >"$T/put"
	push_manifest a "${3:-bad}" "$T/put" "${2:-$oci}"
}
refused() {
	put "$@"
	expect_status 400 "$1"
	expect_code MANIFEST_INVALID
}
config=$(jq -c .config "$good")
layers=$(jq -c .layers "$good")
refused ''
refused 'hello'
refused '[]'
refused '{}'
refused "$(cat "$good")x"
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":$layers}" $index
refused "{\"schemaVersion\":2,\"mediaType\":\"$index\",\"config\":$config,\"layers\":$layers}"
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":$layers,\"manifests\":[]}"
refused "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}" $index
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":[],\"layers\":$layers}"
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":[],\"Layers\":$layers}"
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":[{\"digest\":\"$N\",\"size\":-1}]}"
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":[{\"digest\":\"$N\",\"size\":1.5}]}"
refused "{\"schemaVersion\":2,\"config\":$config,\"layers\":[{\"digest\":\"md5:0\",\"size\":1}]}"
refused '{"schemaVersion":1,"name":"a","tag":"x","fsLayers":[],"history":[],"signatures":[]}' \
    application/vnd.docker.distribution.manifest.v1+prettyjws
refused '{"schemaVersion":1,"fsLayers":[]}' application/json

# One error for each digest that is not there; foreign layers need not be.
put "{\"schemaVersion\":2,\"config\":$config,\"layers\":[{\"digest\":\"$N\",\"size\":1},{\"digest\":\"$M\",\"size\":1}]}"
expect_status 400 'missing layers'
expect_code MANIFEST_BLOB_UNKNOWN
expect_json "[.errors[].detail] | sort == [\"$N\", \"$M\"]"
put "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$oci\",\"digest\":\"$N\",\"size\":1}]}" $index
expect_status 400 'missing children'
expect_code MANIFEST_BLOB_UNKNOWN
put "{\"schemaVersion\":2,\"config\":$config,\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.nondistributable.v1.tar\",\"digest\":\"$N\",\"size\":1,\"urls\":[\"https://example.com/\"]}]}"
expect_status 201 'a foreign layer'
put "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"$(digest "$layer")\",\"size\":1}]}" $index
expect_status 201 'an index of layers, as BuildKit keeps its cache'

put "$(cat "$good")" $oci "$N"
expect_status 400 'another digest'
expect_code DIGEST_INVALID
put "$(cat "$good")" $oci sha256:xx
expect_status 400 'no digest'
expect_code DIGEST_INVALID
for tag in .x -x "$(printf 'a%.0s' $(seq 129))" a%20b; do
	put "$(cat "$good")" $oci "$tag"
	expect_status 400 "tag $tag"
	expect_code TAG_INVALID
done
put "$(cat "$good")" $oci "$(printf 'a%.0s' $(seq 128))"
expect_status 201 'a tag of 128 characters'

# 4 MiB pass; one byte more does not, announced or not.
base="{\"schemaVersion\":2,\"config\":$config,\"layers\":$layers,\"x\":\"\"}"
head -c $((4 * 1024 * 1024 - ${#base})) /dev/zero | tr '\0' a >"$T/fill"
printf '{"schemaVersion":2,"config":%s,"layers":%s,"x":"%s"}' "$config" \
    "$layers" "$(cat "$T/fill")" >"$T/large"
check '4 MiB' push_manifest a large "$T/large"
echo >>"$T/large"
push_manifest a large "$T/large"
expect_status 413 '4 MiB and a byte'
expect_code SIZE_INVALID
req PUT /v2/a/manifests/large --data-binary "@$T/large" \
    -H "Content-Type: $oci" -H 'Transfer-Encoding: chunked'
expect_status 413 '4 MiB and a byte, chunked'
(printf '{"schemaVersion":2,"manifests":['
    for i in $(seq 4097); do
	printf '%s{"digest":"%s","size":1}' "${comma:-}" "$N"
	comma=,
    done
    printf ']}') >"$T/many"
push_manifest a many "$T/many" $index
expect_status 400 '4097 descriptors'
expect_code MANIFEST_INVALID
req GET /v2/a/manifests/bad
expect_status 200 'what was good is there'
