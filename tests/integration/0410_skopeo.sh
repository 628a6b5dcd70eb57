#!/bin/sh
# SPDX-License-Identifier: ISC
#
# skopeo: log in, copy to and from, formats, an index, tags, delete.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

start_authd
start_registryd
make_rootfs

skopeo_copy() {
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "$@"
}

# An image in an OCI layout, made by a push of our own.
TOKEN=$(token alice:alice-pw repository:alice/seed:pull,push)
seed=$(make_image alice/seed 1) || die "cannot push the seed"
make_image alice/seed 2 3000000 >/dev/null || die "cannot push the seed"

refuse "login with a wrong password" skopeo login --tls-verify=false \
    -u alice -p wrong "$REGISTRY"
says "wrong password: the reason" 'invalid username/password|incorrect'
check "login" skopeo login --tls-verify=false -u alice -p alice-pw \
    "$REGISTRY"

check "copy to a directory" skopeo_copy "docker://$REGISTRY/alice/seed:1" \
    "oci:$T/layout:1"
check "copy from a directory" skopeo_copy "oci:$T/layout:1" \
    "docker://$REGISTRY/alice/copy:1"
check "inspect" skopeo inspect --tls-verify=false --format '{{.Digest}}' \
    "docker://$REGISTRY/alice/copy:1"
expect "the digest stays" "$seed" "$(cat "$T/check.out")"
check "copy by digest" skopeo_copy "docker://$REGISTRY/alice/seed@$seed" \
    "docker://$REGISTRY/alice/by-digest:1"
check "convert to schema 2" skopeo_copy --format v2s2 "oci:$T/layout:1" \
    "docker://$REGISTRY/alice/copy:v2s2"
check "raw manifest" skopeo inspect --raw --tls-verify=false \
    "docker://$REGISTRY/alice/copy:v2s2"
says "schema 2 is stored as such" 'distribution.manifest.v2'

# ---- an index of two -------------------------------------------------------

second=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
    "docker://$REGISTRY/alice/seed:2")
size() {
	skopeo inspect --raw --tls-verify=false \
	    "docker://$REGISTRY/alice/seed@$1" | wc -c
}
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s,%s]}' \
    application/vnd.oci.image.index.v1+json \
    "$(printf '{"mediaType":"%s","digest":"%s","size":%d,"platform":%s}' \
    application/vnd.oci.image.manifest.v1+json "$seed" "$(size "$seed")" \
    '{"architecture":"amd64","os":"linux"}')" \
    "$(printf '{"mediaType":"%s","digest":"%s","size":%d,"platform":%s}' \
    application/vnd.oci.image.manifest.v1+json "$second" \
    "$(size "$second")" '{"architecture":"arm64","os":"linux"}')" \
    >"$T/index.json"
push_manifest alice/seed multi "$T/index.json" \
    application/vnd.oci.image.index.v1+json
expect_status 201 "push an index"
check "copy an index with all it names" skopeo_copy --all \
    "docker://$REGISTRY/alice/seed:multi" \
    "docker://$REGISTRY/alice/multi:1"
check "the index by its digest" skopeo inspect --raw --tls-verify=false \
    "docker://$REGISTRY/alice/seed@$(digest "$T/index.json")"
expect "the index's bytes" "$(digest "$T/index.json")" \
    "$(digest "$T/check.out")"
check "one architecture of it" skopeo --override-arch arm64 inspect \
    --tls-verify=false --format '{{.Digest}}' \
    "docker://$REGISTRY/alice/multi:1"

check "list-tags" skopeo list-tags --tls-verify=false \
    "docker://$REGISTRY/alice/copy"
says "list-tags has both" 'v2s2'

# ---- delete and rights -----------------------------------------------------

check "delete" skopeo delete --tls-verify=false \
    "docker://$REGISTRY/alice/copy:1"
refuse "what was deleted is gone" skopeo inspect --tls-verify=false \
    "docker://$REGISTRY/alice/copy:1"
says "gone: the reason" 'manifest unknown|not found'
refuse "push where one may not" skopeo_copy "oci:$T/layout:1" \
    "docker://$REGISTRY/bob/copy:1"
says "not allowed: the reason" 'denied|unauthorized|authentication'
check "logout" skopeo logout "$REGISTRY"
refuse "anonymous inspect where not allowed" skopeo inspect \
    --tls-verify=false "docker://$REGISTRY/alice/seed:1"
check "copy with credentials of its own" skopeo_copy \
    --dest-creds admin:admin-pw "oci:$T/layout:1" \
    "docker://$REGISTRY/public/copy:1"
check "anonymous inspect where allowed" skopeo inspect --tls-verify=false \
    "docker://$REGISTRY/public/copy:1"
