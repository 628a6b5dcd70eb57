#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two registryds on one directory, as two hosts are: uploads move between
# them, tags and deletions are seen at once, nobody's change is lost.
cd "$(dirname "$0")" && . ./lib.sh

CONF_REGISTRYD="  durability: ${DURABILITY:-none}"
CONF_TOP='tags: {maxtags: 100000}'
start_registryd
one=$REGISTRY one_pid=$REGISTRYD_PID one_log=$REGISTRYD_LOG
PIDS="$PIDS $one_pid"
cp "$T/registryd.yml" "$T/other.yml"
mv "$one_log" "$T/registryd-one.log"
start_registryd "$T/other.yml"
two=$REGISTRY

# ---- uploads ----------------------------------------------------------------

# A Location without its host.
path_of() {
	case $1 in
	http://*) echo "/${1#http://*/}" ;;
	*) echo "$1" ;;
	esac
}

on() {
	host=$1 method=$2 url=$(path_of "$3")
	shift 3
	req "$method" "http://$host$url" "$@"
}

a=$(make_blob 100000) b=$(make_blob 50000)
cat "$a" "$b" >"$T/both"
on "$one" POST /v2/a/b/blobs/uploads/
expect_status 202 "begun on one"
on "$two" PATCH "$(header Location)" -T "$a" -H 'Content-Range: 0-99999'
expect_status 202 "goes on at the other"
on "$one" GET "$(header Location)"
expect_header Range 0-99999 "the first knows how far it is"
session=$(header Location)
on "$one" PATCH "$session" -T "$b" -H 'Content-Range: 100000-149999'
expect_status 202 "and goes on"
on "$two" PUT "$(location_with "digest=$(digest "$T/both")")"
expect_status 201 "finished on the other"
on "$one" GET "/v2/a/b/blobs/$(digest "$T/both")"
expect_status 200 "there on the first"
check "and right" cmp "$T/both" "$T/body"
on "$one" GET "$session"
expect_status 404 "the session is gone on the first"
on "$two" POST /v2/a/b/blobs/uploads/
session=$(header Location)
on "$one" DELETE "$session"
expect_status 204 "cancelled on the first"
on "$two" PATCH "$session" -T "$a"
expect_status 404 "gone on the other"

# Both at once: the slow one has it, the other is told so.
on "$one" POST /v2/a/b/blobs/uploads/
session=$(header Location)
(
	cat "$a"
	wait_until 20 test -e "$T/go"
	cat "$b"
) | curl -sS -m 20 -X PATCH -T - -o /dev/null -w '%{http_code}' \
    "http://$one$(path_of "$session")" >"$T/slow" &
slow=$!
data=$STORE/docker/registry/v2/repositories/a/b/_uploads
holds() {
	[ -n "$(find "$data" -name data -size +90k)" ]
}
wait_until 5 holds
on "$two" PATCH "$session" -T "$a"
expect_status 409 "a second writer on the other host"
on "$two" PUT "$session?digest=$(digest "$T/both")"
expect_status 409 "nor can it be finished there"
on "$two" DELETE "$session"
expect_status 409 "nor cancelled"
touch "$T/go"
wait "$slow"
check "the first one is not disturbed" [ "$(cat "$T/slow")" = 202 ]
on "$two" PUT "$session?digest=$(digest "$T/both")"
expect_status 201 "finished on the other host"

# ---- tags -------------------------------------------------------------------

REGISTRY=$one
make_image a/b t >/dev/null || die "cannot push an image"
on "$two" GET /v2/a/b/manifests/t
expect_status 200 "a tag is there on the other at once"
on "$two" DELETE /v2/a/b/manifests/t
expect_status 202 "deleted on the other"
on "$one" GET /v2/a/b/manifests/t
expect_status 404 "gone on the first at once"

# HOST TAG...: curl's lines to PUT the manifest under each.
puts() {
	host=$1 next=
	shift
	for tag; do
		[ -z "$next" ] || echo next
		next=yes
		echo "url = \"http://$host/v2/a/b/manifests/$tag\""
		echo 'request = "PUT"'
		echo "data-binary = \"@$manifest\""
		echo 'header = "Content-Type:' \
		    'application/vnd.oci.image.manifest.v1+json"'
		echo 'output = "/dev/null"'
		printf '%s\n' 'write-out = "%{http_code}\n"'
	done
}

names() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 \
	    23 24; do
		echo "$1$i"
	done
}

round() {
	# shellcheck disable=SC2046
	puts "$one" $(names "r$1-a") >"$T/puts.1"
	# shellcheck disable=SC2046
	puts "$two" $(names "r$1-b") >"$T/puts.2"
	curl -sS -m 60 -Z --parallel-max 24 -K "$T/puts.1" >"$T/codes.1" \
	    2>>"$T/curl.log" &
	first=$!
	curl -sS -m 60 -Z --parallel-max 24 -K "$T/puts.2" >"$T/codes.2" \
	    2>>"$T/curl.log"
	wait "$first"
	[ "$(cat "$T/codes.1" "$T/codes.2" | grep -c '^201$')" -eq 48 ]
}

tags() {
	on "$1" GET '/v2/a/b/tags/list?n=100000'
	jq -r '.tags[]' "$T/body" | sort
}

n=0
while [ $n -lt "${ROUNDS:-3}" ]; do
	n=$((n + 1))
	round $n || fail "round $n" "$(sort "$T/codes.1" "$T/codes.2" |
	    uniq -c | tr '\n' ' ')"
	{ names "r$n-a"; names "r$n-b"; } >>"$T/want.unsorted"
	sort "$T/want.unsorted" >"$T/want"
	tags "$one" >"$T/tags.1"
	tags "$two" >"$T/tags.2"
	check "round $n: every tag on the first" diff "$T/want" "$T/tags.1"
	check "round $n: every tag on the other" diff "$T/want" "$T/tags.2"
done

# ---- the digest goes while a tag moves --------------------------------------

# A tag that has been moved to another manifest is not deleted with the first.
REGISTRY=$one make_image a/b other >/dev/null
new=$(digest "$manifest") new_file=$manifest lost=0
n=0
while [ $n -lt "${RACES:-8}" ]; do
	n=$((n + 1))
	REGISTRY=$one make_image a/b moves 10 >/dev/null
	old=$(digest "$manifest")
	curl -sS -m 20 -o /dev/null -X DELETE \
	    "http://$two/v2/a/b/manifests/$old" &
	deletes=$!
	REGISTRY=$one push_manifest a/b moves "$new_file" ||
	    fail "race $n: the tag is moved" "$status"
	wait "$deletes"
	on "$two" GET /v2/a/b/manifests/moves
	[ "$(header Docker-Content-Digest)" = "$new" ] || lost=$((lost + 1))
done
check "no tag is lost to a deletion ($n races)" [ "$lost" -eq 0 ]
stop_pid "$one_pid"
stop_registryd
