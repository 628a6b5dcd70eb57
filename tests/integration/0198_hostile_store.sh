#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What somebody else does to the store behind us: damaged, missing and odd
# files cost their own request, never a process or a hang, and a push heals.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
tree=$STORE/docker/registry/v2
index=application/vnd.oci.image.index.v1+json

# of DIGEST: its file
of() {
	hex=${1#*:}
	echo "$tree/blobs/sha256/$(echo "$hex" | cut -c 1-2)/$hex/data"
}

# A new push of what is damaged is a real write.
damages='truncate:-s:100 truncate:-s:0 truncate:-s:+1 rm: mkfifo: ln:'
for damage in $damages; do
	blob=$(make_blob 5000)
	D=$(digest "$blob")
	check "$damage: push" push_blob a "$blob"
	file=$(of "$D")
	case $damage in
	rm:) rm "$file" ;;
	mkfifo:) rm "$file"; mkfifo "$file" ;;
	ln:) rm "$file"; ln -s /etc/passwd "$file" ;;
	*) truncate -s "${damage##*:}" "$file" ;;
	esac
	REQ_TIMEOUT=5
	req GET "/v2/a/blobs/$D"
	case $damage:$status in
	rm:*:404|mkfifo:*:500|ln:*:500|truncate:*)
		ok "$damage: GET answers $status" ;;
	*)	fail "$damage: GET" "$status" ;;
	esac
	refuse "$damage: no file from elsewhere" grep -q root: "$T/body"
	req POST "/v2/b/blobs/uploads/?mount=$D&from=a"
	expect_status 202 "$damage: no mount"
	req POST "/v2/a/blobs/uploads/?mount=$D"
	expect_status 202 "$damage: not even of its own"
	printf '{"schemaVersion":2,"config":%s,"layers":[]}' \
	    "$(descriptor application/vnd.oci.image.config.v1+json \
	    "$blob")" >"$T/manifest"
	refuse "$damage: no manifest" push_manifest a x "$T/manifest"
	expect_code MANIFEST_BLOB_UNKNOWN
	check "$damage: push it again" push_blob a "$blob"
	req GET "/v2/a/blobs/$D"
	expect_status 200 "$damage: healed"
	check "$damage: the bytes" cmp "$blob" "$T/body"
done
for damage in 20 0 rm; do
	printf '{"schemaVersion":2,"manifests":[],"n":"%s"}' $damage \
	    >"$T/index"
	D=$(digest "$T/index")
	check 'push an index' push_manifest a t$damage "$T/index" $index
	if [ $damage = rm ]; then
		rm "$(of "$D")"
		want=404
	else
		truncate -s $damage "$(of "$D")"
		want=500
	fi
	for ref in "$D" t$damage; do
		req GET "/v2/a/manifests/$ref"
		expect_status $want "damaged by $damage: GET ${ref%%:*}"
		# Who is told that it is not there pushes it again.
		req HEAD "/v2/a/manifests/$ref"
		expect_status 404 "damaged by $damage: HEAD ${ref%%:*}"
		[ $want = 404 ] || check 'and the log tells' wait_log \
		    "$REGISTRYD_LOG" "a $ref: read manifest: stored data"
	done
	req GET /v2/a/tags/list
	expect_status 200 'the list of tags does not suffer'
	check 'push it again' push_manifest a t$damage "$T/index" $index
	req GET "/v2/a/manifests/t$damage"
	check 'healed' cmp "$T/index" "$T/body"
done

# Stray files: a tag that is listed can be pulled or is 404, never a 500.
tags=$tree/repositories/a/_manifests/tags
mkdir -p "$tags/half/index" "$tags/bad name/current" \
    "$tags/dangling/current" "$tags/$(printf 'z%.0s' $(seq 200))"
: >"$tags/file"
printf 'sha256:%064d' 0 >"$tags/dangling/current/link"
mkdir -p "$tree/repositories/Upper/_manifests" "$tree/repositories/a b"
: >"$tree/repositories/file"
ln -s /etc "$tree/repositories/link"
if is_root; then
	chown -R 62001:62001 "$tags"
fi
req GET /v2/a/tags/list
expect_json '.tags - ["t20", "t0", "trm", "dangling"] == []' \
    'stray names are no tags'
for tag in half dangling file; do
	req GET "/v2/a/manifests/$tag"
	expect_status 404 "stray: $tag"
done
for tag in half dangling; do
	check "a push over $tag" push_manifest a $tag "$T/index" $index
	req GET "/v2/a/manifests/$tag"
	expect_status 200 "$tag is a tag now"
done
req GET /v2/_catalog
expect_json '.repositories == ["a"]' 'stray names are no repositories'
req GET /v2/link/tags/list
check 'nothing behind a symbolic link' [ "$status" -ge 404 ]

# A repository whose name begins with another's stands by itself.
for name in q q/b q/b/x; do
	check "push $name" push_manifest $name t "$T/index" $index
done
req DELETE "/v2/q/manifests/$(digest "$T/index")"
expect_status 202
for name in q/b q/b/x; do
	req GET "/v2/$name/manifests/t"
	expect_status 200 "$name does not suffer"
done
req GET /v2/q/manifests/t
expect_status 404 'q is empty'
expect 'no process was lost' 5 "$(children "$REGISTRYD_PID" | wc -l)"
