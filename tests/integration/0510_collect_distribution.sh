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

# ---- what older ones have left ---------------------------------------------

plant_blob() {		# FILE: its bytes; prints the digest
	planted=$(digest "$1")
	mkdir -p "$(dirname "$(blob_file "$planted")")"
	cp "$1" "$(blob_file "$planted")"
	echo "$planted" >>"$T/planted"
}
plant_link() {		# REPO PART DIGEST [CONTENT]
	mkdir -p "$repositories/$1/$2/sha256/${3#sha256:}"
	printf '%b' "${4:-$3}" >"$repositories/$1/$2/sha256/${3#sha256:}/link"
}
plant_layer() {		# REPO [CONTENT]: a blob with a link
	plant_blob "$(make_blob 4000)"
	plant_link "$1" _layers "$planted" "${2:-}"
}
plant_manifest() {	# REPO TEXT [CONTENT]: of its links
	printf '%s' "$2" >"$T/planted.json"
	plant_blob "$T/planted.json"
	plant_link "$1" _manifests/revisions "$planted" "${3:-}"
	mkdir -p "$repositories/$1/_manifests/tags/v1/current"
	printf '%b' "${3:-$planted}" \
	    >"$repositories/$1/_manifests/tags/v1/current/link"
}
absent=sha256:$(printf '%064d' 7)
docker=application/vnd.docker

plant_layer schema1
plant_manifest schema1 "{\"schemaVersion\":1,\"name\":\"schema1\",
\"fsLayers\":[{\"blobSum\":\"$planted\"}],\"history\":[{}]}"
# A list of which one child has gone, and a layer that is elsewhere.
plant_layer list
plant_manifest list "{\"schemaVersion\":2,\"layers\":[
{\"mediaType\":\"$docker.image.rootfs.foreign.diff.tar.gzip\",\"size\":9,
\"digest\":\"$absent\",\"urls\":[\"https://example.invalid/x\"]},
{\"digest\":\"$planted\"}]}"
plant_manifest list "{\"schemaVersion\":2,
\"mediaType\":\"$docker.distribution.manifest.list.v2+json\",\"manifests\":[
{\"digest\":\"$absent\"},{\"digest\":\"$planted\"}]}"
# A repository that has lost its links of layers.
plant_layer bare
plant_manifest bare "{\"layers\":[{\"digest\":\"$planted\"}]}"
rm -rf "$repositories/bare/_layers"
# Links with a newline are links; of others only the name counts.
plant_blob "$(make_blob 4000)"
plant_link newline _layers "$planted" "$planted\n"
text="{\"layers\":[{\"digest\":\"$planted\"}]}"
plant_manifest newline "$text" "sha256:$(printf '%s' "$text" | sha256sum |
    cut -d ' ' -f 1)\n"
for content in "SHA256:$(printf 'A%.0s' $(seq 64))" sha256:12ab ' ' \
    'no digest at all' "$(printf '%0600d' 1)"; do
	plant_layer garbage "$content"
	plant_manifest garbage "{\"layers\":[{\"digest\":\"$planted\"}]}" \
	    "$content"
done
# Where docker-registry was told to delete a blob, and of what is in use.
: >"$T/zero"
zero=$(digest "$T/zero")
mkdir -p "$(dirname "$(blob_file "$zero")")"
: >"$(blob_file "$zero")"
plant_link garbage _layers "$zero"
plant_layer lost
mv "$T/planted" "$T/intact"
lost=$planted
plant_manifest lost "{\"layers\":[{\"digest\":\"$planted\"}]}"
cat "$T/planted" >>"$T/intact" && grep -v "$lost" "$T/intact" >"$T/planted"
: >"$(blob_file "$lost")"
# Uploads that were given up, with and without what they had hashed.
for upload in uploads/_uploads/8f7e4d2c-0000-4000-8000-00000000000a \
    uploads/_uploads/8f7e4d2c-0000-4000-8000-00000000000b \
    one/_uploads/8f7e4d2c-0000-4000-8000-00000000000c; do
	mkdir -p "$repositories/$upload/hashstates/sha256"
	echo 2019-01-01T00:00:00Z >"$repositories/$upload/startedat"
	echo data >"$repositories/$upload/data"
done
echo old >"$repositories/$upload/hashstates/sha256/0"
mkdir -p "$repositories/begun/once/_uploads" \
    "$repositories/garbage/_layers/sha256/$(printf 'A%.0s' $(seq 64))"

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
CONF_STORAGE='  maintenance: {uploadpurging: {age: 1h, interval: 1s}}'
start_registryd
# What expires leaves empty directories for a collection.
has_expired() {
	for session in "$repositories"/*/_uploads/*-00000000000?; do
		[ ! -e "$session" ] || return 1
	done
}
check 'uploads of years ago expire' wait_until 10 has_expired
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
while read -r planted; do
	[ -s "$(blob_file "$planted")" ] || echo "$planted"
done <"$T/planted" >"$T/wrong"
check 'what odd manifests name is kept' [ ! -s "$T/wrong" ]
check 'and what is lost is not lost once more' [ -e "$(blob_file "$lost")" ]
check 'a blob that docker-registry has emptied is not in use' \
    [ ! -e "$(blob_file "$zero")" ]
expect 'a name in capitals is strange' 1 \
    "$(find "$repositories/garbage/_layers/sha256" -name 'A*' | wc -l)"
for path in empty half uploads begun one/_uploads/"${upload##*/}" \
    one/_layers/sha256/"$hex" \
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

# ---- what is no store ------------------------------------------------------

blobs=$STORE/docker/registry/v2/blobs
rubbish=$(make_blob 2000)
push_blob one "$rubbish"
mkfifo "$repositories/pipe" "$blobs/sha256/pipe"
ln -s "$T/config.yml" "$blobs/sha256/zz"
mkdir "$repositories/lost+found"
chmod 0 "$repositories/lost+found"
mv "$repositories/onet" "$T/onet"
ln -s "$T/onet" "$repositories/onet"
for run in 1 2 3; do
	make_old '1 year ago'
	refuse "collection $run among strays says that blobs are kept" collect
	expect 'but ends well' ok "$(collected '.outcome')"
done
expect 'one link is in the way' 1 "$(collected '.hiding')"
expect 'all are told' true "$(collected '.strange >= 505')"
expect 'five by name' 5 "$(collected '.strange_paths | length')"
expect 'no blob is condemned' 0 "$(collected '.blobs.condemned')"
check 'but the link of a layer that nothing names has gone' [ ! -e \
    "$repositories/one/_layers/sha256/$(digest "$rubbish" | cut -c 8-)" ]
check 'a person is told, too' sh -c "$(printf '%s' \
    "'$BUILD/registryctl' -f '$T/registryd.yml' collect |
    grep '1 symbolic links: no blob is removed'")"
check 'and the log says it' wait_log "$REGISTRYD_LOG" \
    'no blob was removed, because of 1 symbolic links'
rm "$repositories/onet"
mv "$T/onet" "$repositories/onet"
rm -r "$repositories/pipe" "$blobs/sha256/pipe" "$blobs/sha256/zz" \
    "$repositories/lost+found"
for run in 1 2; do
	make_old '1 year ago'
	collect
done
check 'without it the blob goes' [ ! -e "$(blob_file "$(digest "$rubbish")")" ]
check 'and what is in use stays' serves
stop_registryd

# ---- too small a bound -----------------------------------------------------

CONF_REGISTRYD='  collect: {interval: 24h, memory: 64KiB}'
i=0
while [ "$i" -lt 3000 ]; do
	printf 'sha256:%064d\n' "$i"
	i=$((i + 1))
done >"$T/many"
plant_manifest many "$(cat "$T/many")"
! is_root || chown -R 62001:62001 "$STORE"
start_registryd
ctl collect >"$T/refused" 2>&1
expect 'a collection that needs more memory than it may have fails' 1 $?
check 'and names the key' \
    grep -q 'raise registryd.collect.memory' "$T/refused"
check 'in the log as well' wait_log "$REGISTRYD_LOG" \
    'too many objects for 64 KiB of memory, raise registryd.collect.memory'
stop_registryd

# ---- and back --------------------------------------------------------------

start_distribution "$T/config.yml"
REGISTRY=$DISTRIBUTION
check 'docker-registry serves what is in use' serves
