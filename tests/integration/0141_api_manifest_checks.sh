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
# refused REASON TEXT [TYPE]
refused() {
	reason=$1
	shift
	put "$@"
	expect_status 400 "refused: $reason"
	expect_code MANIFEST_INVALID
	expect_json ".errors[0].detail | contains(\"$reason\")"
}
config=$(jq -c .config "$good")
layers=$(jq -c .layers "$good")
# image LAYERS [MEMBERS]; entry DIGEST SIZE [MEMBERS]
image() {
	printf '{"schemaVersion":2,"config":%s,"layers":%s%s}' "$config" \
	    "$1" "${2:-}"
}
entry() {
	printf '[{"digest":"%s","size":%s%s}]' "$1" "$2" "${3:-}"
}
list() {
	printf '{"schemaVersion":2,"manifests":%s%s}' "$1" "${2:-}"
}
refused 'no body' ''
refused 'not valid JSON' 'hello'
refused 'not a JSON object' '[]'
refused 'schemaVersion' '{}'
refused 'behind the document' "$(cat "$good")x"
refused 'config: not allowed' "$(image "$layers")" $index
refused 'differs from Content-Type' \
    "$(image "$layers" ",\"mediaType\":\"$index\"")"
refused 'manifests: not allowed' "$(image "$layers" ',"manifests":[]')"
refused 'layers: not allowed' "$(list '[]' ',"layers":[]')" $index
refused 'duplicate key' "$(image '[]' ",\"layers\":$layers")"
refused 'ambiguous name' "$(image '[]' ",\"Layers\":$layers")"
refused 'size must be' "$(image "$(entry "$N" -1)")"
refused 'size must be' "$(image "$(entry "$N" 1.5)")"
refused 'no digest' "$(image "$(entry md5:0 1)")"
refused 'schema 1' '{"schemaVersion":1,"fsLayers":[],"signatures":[]}' \
    application/vnd.docker.distribution.manifest.v1+prettyjws
refused 'schema 1' '{"schemaVersion":1,"fsLayers":[]}' application/json

# A type that says nothing about referrers is the client's own matter, and
# must not cost the worker its keeper.
for type in 'no type at all' "a/$(printf 'b%.0s' $(seq 300))"; do
	for n in 1 2 3 4; do
		put "$(image "$layers" ",\"artifactType\":\"$type\"")" \
		    "$oci" "type$n"
		expect_status 201 'any artifactType without a subject'
	done
done

# One error for each digest that is not there; foreign layers need not be.
both=$(entry "$N" 1 | tr -d ']'),$(entry "$M" 1 | tr -d '[')
put "$(image "$both")"
expect_status 400 'missing layers'
expect_code MANIFEST_BLOB_UNKNOWN
expect_json "[.errors[].detail] | sort == [\"$N\", \"$M\"]"
put "$(list "$(entry "$N" 1 ",\"mediaType\":\"$oci\"")")" $index
expect_status 400 'missing children'
expect_code MANIFEST_BLOB_UNKNOWN
type=application/vnd.oci.image.layer.nondistributable.v1.tar
put "$(image "$(entry "$N" 1 \
    ",\"mediaType\":\"$type\",\"urls\":[\"https://example.com/\"]")")"
expect_status 201 'a foreign layer'
type=application/vnd.oci.image.layer.v1.tar+gzip
put "$(list "$(entry "$(digest "$layer")" 1 \
    ",\"mediaType\":\"$type\"")")" $index
expect_status 201 'an index of layers, as BuildKit keeps its cache'
# As a deletion has it that looks who refers to it, or was killed meanwhile.
link=$(find "$STORE" -path "*/_layers/*/$(digest "$layer" |
    cut -d : -f 2)/link")
mv "$link" "$link.condemned.0000000000000000.0123456789abcdef"
put "$(list "$(entry "$(digest "$layer")" 1 \
    ",\"mediaType\":\"$type\"")")" $index
expect_status 201 'of one that is hidden for a while'
check 'and comes back' [ -f "$link" ]

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
base=$(image "$layers" ',"x":""')
head -c $((4 * 1024 * 1024 - ${#base})) /dev/zero | tr '\0' a >"$T/fill"
image "$layers" ",\"x\":\"$(cat "$T/fill")\"" >"$T/large"
check '4 MiB' push_manifest a large "$T/large"
echo >>"$T/large"
push_manifest a large "$T/large"
expect_status 413 '4 MiB and a byte'
expect_code SIZE_INVALID
req PUT /v2/a/manifests/large --data-binary "@$T/large" \
    -H "Content-Type: $oci" -H 'Transfer-Encoding: chunked'
expect_status 413 '4 MiB and a byte, chunked'
(printf '{"schemaVersion":2,"manifests":['
    yes "{\"digest\":\"$N\",\"size\":1}," | head -n 4096
    printf '{"digest":"%s","size":1}' "$N"
    printf ']}') >"$T/many"
push_manifest a many "$T/many" $index
expect_status 400 '4097 descriptors'
expect_code MANIFEST_INVALID
req GET /v2/a/manifests/bad
expect_status 200 'what was good is there'
