#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A tree that Debian's docker-registry has made, and that years have damaged,
# is collected: all that is in use stays, for docker-registry too, and the
# rest goes.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh && . ./collect.sh

make_store
if is_root; then
	AS_USER="setpriv --reuid 62001 --regid 62001 --clear-groups"
fi
cat >"$T/config.yml" <<CONF
version: 0.1
storage:
  filesystem:
    rootdirectory: $STORE
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
CONF
repositories=$STORE/docker/registry/v2/repositories

# ---- years of use ----------------------------------------------------------

start_distribution "$T/config.yml"
REGISTRY=$DISTRIBUTION
used() {
	made=$(make_image "$1" "$2" "${3:-300}") || die "push $1:$2"
	echo "$1 $2" >>"$T/used"
}
long=$(printf 'a%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)
for repo in one one/two one/two/three one-two onet a/b/c/d/e/f/g/h \
    "$long/$long/$long/$long/$long"; do
	used "$repo" v1
done
used one v2
# A layer that its client knows by sha512.
layer=$(make_blob 700)
sum=sha512:$(sha512sum "$layer" | cut -d ' ' -f 1)
req POST /v2/five/blobs/uploads/
req PUT "$(location_with "digest=$sum")" -T "$layer" \
    -H 'Content-Type: application/octet-stream'
expect_status 201 'docker-registry takes sha512'
config=$(mktemp "$T/config.XXXXXX") manifest=$(mktemp "$T/manifest.XXXXXX")
echo '{}' >"$config"
push_blob five "$config"
oci=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' \
    "$oci.manifest.v1+json" \
    "$(descriptor "$oci.config.v1+json" "$config")" \
    "{\"mediaType\":\"$oci.layer.v1.tar\",\"digest\":\"$sum\",\"size\":700}" \
    >"$manifest"
check 'an image with it' push_manifest five v1 "$manifest"
echo five v1 >>"$T/used"

# Rubbish: blobs without a manifest, deleted images, a tag that moved on.
for n in 1 2 3; do
	push_blob one "$(make_blob $((n * 1000)))"
	gone=$(make_image one "gone$n")
	req DELETE "/v2/one/manifests/$gone"
done
moved=$(make_image one v9)
used one v9
# A repository of which docker-registry has deleted everything.
req DELETE "/v2/empty/manifests/$(make_image empty v1)"
# A tag whose revision has gone.
dangling=$(make_image dangling v1)
rm -rf "$repositories/dangling/_manifests/revisions/sha256/${dangling#*:}"
# Links without content: one of a layer in use, one of a tag, and of a revision.
config_of() {
	req GET "/v2/$1/manifests/v1" -H 'Accept: */*' \
	    -H 'Accept: application/vnd.oci.image.manifest.v1+json'
	jq -r .config.digest "$T/body"
}
for repo in onet one/two; do
	hex=$(config_of "$repo")
	: >"$repositories/$repo/_layers/sha256/${hex#*:}/link"
done
torn=$(make_image torn v1)
: >"$repositories/torn/_manifests/revisions/sha256/${torn#*:}/link"
: >"$repositories/torn/_manifests/tags/v1/current/link"
# What a crash leaves, and what does not belong there.
hex=$(echo rubbish | sha256sum | cut -d ' ' -f 1)
mkdir -p "$repositories/one/_layers/sha256/$hex" \
    "$repositories/half/_manifests/tags/x/current" \
    "$STORE/docker/registry/v2/blobs/sha256/${hex%"${hex#??}"}/$hex"
echo x >"$repositories/one/_manifests/tags/v1/current/link.5f3a-1.tmp"
echo x >"$repositories/README"
echo x >"$STORE/docker/registry/v2/blobs/sha256/lost+found"
i=0
while [ "$i" -lt 500 ]; do
	: >"$repositories/one/_layers/junk$i"
	i=$((i + 1))
done
stop_pid "$DISTRIBUTION_PID"
! is_root || chown -R 62001:62001 "$STORE"
find "$STORE" -exec touch -d '1 year ago' {} +

serves() {
	while read -r repo tag; do
		req GET "/v2/$repo/manifests/$tag" -H 'Accept: */*' \
		    -H "Accept: $oci.manifest.v1+json"
		[ "$status" = 200 ] || echo "$repo:$tag: $status"
		cp "$T/body" "$T/served"
		for blob in $(jq -r '.config.digest, .layers[].digest' \
		    "$T/served"); do
			req GET "/v2/$repo/blobs/$blob"
			[ "$status" = 200 ] || echo "$repo $blob: $status"
			case $blob in
			sha256:*) [ "$(digest "$T/body")" = "$blob" ] ;;
			*) cmp -s "$T/body" "$layer" ;;
			esac || echo "$repo $blob: bytes"
		done
	done <"$T/used" >"$T/wrong"
	cat "$T/wrong"
	[ ! -s "$T/wrong" ]
}

# ---- collected -------------------------------------------------------------

# Links without content are answered with 500 by either registry.
grep -Ev '^(onet|one/two) ' "$T/used" >"$T/left" && mv "$T/left" "$T/used"
CONF_REGISTRYD='  collect: {interval: 24h, grace: 20s, delay: 0s}'
start_registryd
for run in 1 2 3; do
	refuse "collection $run ends with a status that tells of damage" \
	    collect
	expect 'but ends well' ok "$(collected '.outcome')"
	find "$STORE/docker" -type d -exec touch -d '1 day ago' {} +
	check "registryd serves what is in use after $run" serves
	make_old '1 year ago'
done
check 'links without content are told' \
    wait_log "$REGISTRYD_LOG" 'damaged links or manifests, the first is'
expect 'three of them, a tag and its dangling neighbour' true \
    "$(collected '.damaged >= 4')"
expect 'the rest is strange' true "$(collected '.strange >= 500')"
left=$(find "$STORE/docker" -name '*.condemned.*' | wc -l)
expect 'nothing is left half done' 0 "$left"
for n in 1 2 3; do
	req GET "/v2/one/manifests/gone$n"
	expect_status 404 "gone$n"
done
req GET "/v2/one/manifests/$moved"
expect_status 200 'a manifest without a tag is kept'
check 'the layer behind an empty link is kept' \
    [ -e "$(blob_file "sha256:${torn#*:}")" ]
check 'the dangling manifest is kept' [ -e "$(blob_file "$dangling")" ]
for path in empty half one/_layers/sha256/"$hex" \
    one/_manifests/tags/v1/current/link.5f3a-1.tmp; do
	check "$path is gone" [ ! -e "$repositories/$path" ]
done
check 'what does not belong there stays' [ -e "$repositories/README" ]
expect 'all of it' 500 \
    "$(find "$repositories/one/_layers" -name 'junk*' | wc -l)"
# Layers of the manifests that have no tag, or no link that says so.
expect 'no other large blob is left' 3 \
    "$(find "$STORE/docker/registry/v2/blobs" -size -3001c -size +999c \
    -name data | wc -l)"
stop_registryd

# ---- and back --------------------------------------------------------------

start_distribution "$T/config.yml"
REGISTRY=$DISTRIBUTION
check 'docker-registry serves what is in use' serves
