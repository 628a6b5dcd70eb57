#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryctl export and import: image layouts as directories and archives,
# to and from skopeo, there and back the same, and what is refused.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

import_tar() {
	ctl import "$1" - <"$2" >"$T/out" 2>"$T/err"
}

OCI=application/vnd.oci.image
start_registryd
make_image a v1 5000000 >/dev/null
make_image a v2 1000 >/dev/null
v1=$(ctl tag list a | sed -n 's/^v1 //p')
v2=$(ctl tag list a | sed -n 's/^v2 //p')
size_of() {
	req HEAD "/v2/a/manifests/$1"
	header Content-Length
}
cat >"$T/index" <<JSON
{"schemaVersion":2,"mediaType":"$OCI.index.v1+json","manifests":[
{"mediaType":"$OCI.manifest.v1+json","digest":"$v1","size":$(size_of v1)},
{"mediaType":"$OCI.manifest.v1+json","digest":"$v2","size":$(size_of v2)}]}
JSON
push_manifest a both "$T/index" "$OCI.index.v1+json" >/dev/null
printf '{}' >"$T/empty"
push_blob a "$T/empty" >/dev/null
cat >"$T/signature" <<JSON
{"schemaVersion":2,"mediaType":"$OCI.manifest.v1+json",
"artifactType":"application/x","config":{"mediaType":"application/x",
"digest":"$(digest "$T/empty")","size":2},"layers":[],"subject":{
"mediaType":"$OCI.manifest.v1+json","digest":"$v1","size":$(size_of v1)}}
JSON
push_manifest a "$(digest "$T/signature")" "$T/signature" \
    "$OCI.manifest.v1+json" >/dev/null

# ---- out and in ----
check 'a repository' exits 0 export a "$T/all"
check 'is a layout' jq -e '.imageLayoutVersion == "1.0.0"' \
    "$T/all/oci-layout"
check 'with its tags' [ "$(jq -r '[.manifests[].annotations[]?] | sort |
    join(" ")' "$T/all/index.json")" = 'both v1 v2' ]
check 'and its signature' grep -q "$(digest "$T/signature")" \
    "$T/all/index.json"
check 'it comes in' exits 0 import b "$T/all"
check 'and out again' exits 0 export b "$T/again"
check 'the same' diff -r "$T/all" "$T/again"
ctl export a - >"$T/all.tar" 2>"$T/err"
check 'an archive' tar tf "$T/all.tar"
check 'comes in' import_tar c "$T/all.tar"
check 'and out' exits 0 export c "$T/third"
check 'the same too' diff -r "$T/all" "$T/third"
req GET "/v2/c/referrers/$v1"
expect_json '.manifests | length == 1' 'the signature is found'
check 'it is there at once' exits 0 import b "$T/all"
check 'one tag' exits 0 export a:v2 "$T/one"
check 'is one image' [ "$(find "$T/one/blobs" -type f | wc -l)" -eq 3 ]
check 'one digest' exits 0 export "a@$v1" "$T/two"
check 'has another name' exits 0 import a:new "$T/two"
req HEAD /v2/a/manifests/new
expect_header Docker-Content-Digest "$v1"

# The bytes of one image's manifest are the layer of another.
req GET /v2/a/manifests/v2
cp "$T/body" "$T/inner"
push_blob a "$T/inner" >/dev/null
cat >"$T/outer" <<JSON
{"schemaVersion":2,"mediaType":"$OCI.manifest.v1+json","config":{
"mediaType":"application/x","digest":"$(digest "$T/empty")","size":2},
"layers":[{"mediaType":"application/x","digest":"$(digest "$T/inner")",
"size":$(wc -c <"$T/inner")}]}
JSON
push_manifest a a-first "$T/outer" "$OCI.manifest.v1+json" >/dev/null
check 'a manifest that is a layer too' exits 0 export a "$T/nested"
check 'keeps its tag' [ "$(jq '[.manifests[].annotations[]?] | length' \
    "$T/nested/index.json")" -eq 5 ]
check 'and comes in' exits 0 import g "$T/nested"
check 'with all of them' [ "$(ctl tag list g | wc -l)" -eq 5 ]
check 'to remove' exits 0 tag remove a a-first

# ---- with what has been said of it ----
signature=$(digest "$T/signature")
cat >"$T/second" <<JSON
{"schemaVersion":2,"mediaType":"$OCI.manifest.v1+json",
"artifactType":"application/y","config":{"mediaType":"application/x",
"digest":"$(digest "$T/empty")","size":2},"layers":[],"subject":{
"mediaType":"$OCI.manifest.v1+json","digest":"$signature",
"size":$(wc -c <"$T/signature")}}
JSON
push_manifest a "$(digest "$T/second")" "$T/second" \
    "$OCI.manifest.v1+json" >/dev/null
check 'a signature of a signature' exits 0 export a:v1 "$T/signed"
check 'comes in with a tag' exits 0 import h:v1 "$T/signed"
check 'with both' shown '^1 tags, 3 manifests, 3 blobs, .* 0 blobs were'
req GET "/v2/h/referrers/$signature"
expect_json '.manifests | length == 1' 'and is found'
check 'once more' exits 0 import h:v1 "$T/signed"
check 'they are there' shown ' 0 blobs, .* 3 blobs were there'

# ---- skopeo ----
check 'skopeo reads it' skopeo copy "oci:$T/all:v1" "oci:$T/copy:x"
check 'skopeo reads the archive' skopeo copy "oci-archive:$T/all.tar:v2" \
    "oci-archive:$T/copy.tar:y"
check 'what skopeo wrote' exits 0 import d "$T/copy"
check 'and archived' import_tar d "$T/copy.tar"
check 'has its tags' [ "$(ctl tag list d | cut -d ' ' -f 1 |
    tr '\n' ' ')" = 'x y ' ]
check 'is pulled' skopeo copy --src-tls-verify=false \
    "docker://$REGISTRY/d:x" "dir:$T/pulled"

# ---- what is not as long as it was ----
cut_layer() {
	truncate -s 100 "$STORE/docker/registry/v2/blobs/sha256/$(
	    echo "$big" | cut -c 1-2)/$big/data"
}
big=$(find "$T/signed/blobs" -size +4000k)
big=${big##*/}
cut_layer
check 'a short layer' exits 1 fsck
check 'is mended by an import' exits 0 import a "$T/signed"
check 'of one blob' shown ' 1 blobs, .* 2 blobs were there'
check 'for all who have it' exits 0 fsck
cut_layer
check 'from an archive' import_tar a "$T/all.tar"
check 'as well' exits 0 fsck
cut_layer
check 'in an image of an index' exits 0 import b "$T/all"
check 'too' exits 0 fsck

# ---- trouble ----
check 'not twice into one' exits 3 export a "$T/all"
check 'it says so' says 'not empty'
check 'no such tag' exits 1 export a:v9 "$T/none"
check 'no such repository' exits 1 export nowhere "$T/none2"
check 'leaves no directory' [ ! -e "$T/none2" ]
check 'a bad name' exits 2 export ../a "$T/none3"
check 'no layout' exits 1 import e "$T/pulled"
check 'that is said' says 'not an OCI image layout'
check 'nothing there' exits 3 import e "$T/nowhere"
check 'no such image' exits 1 import e:v9 "$T/all"
head -c 5000 /dev/urandom >"$T/noise"
refuse 'no archive' import_tar e "$T/noise"
check 'is said' says 'not a tar archive'
refuse 'an empty one' import_tar e /dev/null
head -c 3000000 "$T/all.tar" >"$T/cut.tar"
refuse 'half of one' import_tar e "$T/cut.tar"
check 'is said as well' says 'ends in the middle|too early'
check 'it left no upload' [ -z "$(ctl upload list)" ]

cp -r "$T/all" "$T/bad"
layer=$(find "$T/bad/blobs" -size +4000k)
printf x | dd of="$layer" conv=notrunc 2>"$T/dd"
check 'wrong bytes' exits 1 import e "$T/bad"
check 'are named' says 'not those of this digest'
rm "$layer"
check 'a missing layer' exits 1 import e "$T/bad"
check 'is named' says "blobs/sha256/${layer##*/}"
printf '{"schemaVersion":2,"manifests":[]}' >"$T/bad/index.json"
check 'no images' exits 1 import e "$T/bad"
printf '{' >"$T/bad/index.json"
check 'no JSON' exits 1 import e "$T/bad"
ctl readonly on
check 'read-only' exits 1 import e "$T/all"
ctl readonly off
# The first half has come when nothing may be written any more.
mkfifo "$T/pipe"
import_tar late "$T/pipe" &
late=$!
exec 3>"$T/pipe"
head -c 4500000 "$T/all.tar" >&3
check 'read-only meanwhile' exits 0 readonly on
tail -c +4500001 "$T/all.tar" 2>/dev/null >&3
exec 3>&-
refuse 'ends it' wait "$late"
check 'read-only no more' exits 0 readonly off
check 'nothing was tagged' [ -z "$(ctl tag list late 2>/dev/null)" ]
check 'and no upload left' [ -z "$(ctl upload list)" ]
if is_root; then
	cp -r "$T/all" "$T/own"
	chmod 700 "$T/own"
	check 'what only root reads' exits 3 import e "$T/own"
	check 'is for root to open' says 'may not read it'
fi
check 'full is no success' sh -c "'$BUILD/registryctl' -f \
    '$T/registryd.yml' export a - >/dev/full 2>'$T/err'; [ \$? -eq 3 ]"
check 'a bad option' exits 2 export --frobnicate a "$T/x"

damaged=$(find "$STORE/docker/registry/v2/blobs" -path "*/${layer##*/}/data")
printf x | dd of="$damaged" conv=notrunc 2>"$T/dd"
check 'damage is not exported' exits 1 export a:v1 "$T/none4"
check 'and said' says 'registryctl scrub'
check 'an import heals nothing that is there' exits 0 import a "$T/all"
check 'but scrubbed first' exits 1 scrub
check 'it does' exits 0 import a "$T/all"
check 'the store is right' exits 0 fsck --strict

stop_registryd
check 'without a registryd' exits 0 import f "$T/all"
check 'the same' exits 0 export f "$T/fourth"
check 'as before' diff -r "$T/all" "$T/fourth"
# What a deletion leaves that was killed while it looked who has the blob.
for link in "$STORE"/docker/registry/v2/repositories/f/_layers/*/*/link; do
	mv "$link" "$link.condemned.0000000000000000.0123456789abcdef"
done
check 'what is hidden for a while' exits 0 export f "$T/fifth"
check 'is all there' diff -r "$T/all" "$T/fifth"
if is_root; then
	check 'files belong to the owner' \
	    [ -z "$(find "$STORE" ! -user 62001)" ]
fi
