#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
#
# What the conformance tests of the distribution spec ask of manifests: images,
# indexes, artifacts, and what they may hold; referrers are in the next file.
cd "$(dirname "$0")" && . ./lib.sh
. ./manifests.sh

start_registryd
image one '' $tar+gzip $configtype
take image image
clean image
image raw '' $tar $configtype
take uncompressed image-uncompressed
clean uncompressed
value=$(head -c 10000 /dev/zero | tr '\0' A)
image large "\"annotations\":{$(for n in $(seq 389); do
	printf '"large-annotation-%d":"%s",' "$n" "$value"; done
    printf '"last":"%s"}' "$value")" $tar+gzip $configtype
take 'large manifest' large-manifest
clean 'large manifest'

image child1 '' $tar+gzip $configtype && take 'child 1'
image child2 '' $tar+gzip $configtype && take 'child 2'
list index1 '' "$T/child1.manifest" "$T/child2.manifest"
take index index
list index2 '"annotations":{"n":"2"}' "$T/child2.manifest"
take 'second index'
list nested '' "$T/index1.manifest" "$T/index2.manifest"
take 'nested index' index-of-index
list none ''
take 'empty index' empty-index
clean index

image art "$artifact" $own $empty
take artifact artifact
list arts "$artifact" "$T/art.manifest"
take 'artifact index' artifact-index
printf '{}' >"$T/two"
F=$T/bare.manifest
printf '{"schemaVersion":2,"mediaType":"%s",%s,"config":%s,"layers":[%s]}' \
    $oci "$artifact" "$(desc $empty "$T/two")" "$(desc $empty "$T/two")" >"$F"
take 'artifact without layers' artifact-without-layers
clean artifacts

image data '' $tar+gzip $configtype with-data
take 'data field' data-field
clean 'data field'

image nd '' $tar $configtype
missing=$(printf 'gone' | sha256sum | cut -d ' ' -f 1)
jq -c --arg d "sha256:$missing" --arg t $nondist '.layers[0] |=
    {mediaType: ($t + "+gzip"), digest: $d, size: 123456,
    urls: ["https://store.example.com/" + $d]} | .layers[1].mediaType |= .' \
    "$F" >"$T/nd2.manifest"
F=$T/nd2.manifest
take 'non-distributable layers' non-distributable-image
clean 'non-distributable layers'

image cust1 '"org.example.X1":"y"' $tar+gzip $configtype '' ',"org.X2":"z"'
take 'custom field in an image'
list custom '"org.example.X3":"y"' "$F"
take 'custom field in an index' custom-fields
clean 'custom fields'

printf '{"os":"linux"}' >"$T/alone"
blob "$T/alone"
F=$T/nolayers.manifest
printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[]}' $oci \
    "$(desc $configtype "$T/alone")" >"$F"
take 'no layers' no-layers
clean 'no layers'
