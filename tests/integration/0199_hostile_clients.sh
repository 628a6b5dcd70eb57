#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Clients that lie, leave, race and inject: each gets its own answer, HEAD
# says what GET says, and the log keeps one record per line.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
index=application/vnd.oci.image.index.v1+json
printf '{"schemaVersion":2,"manifests":[]}' >"$T/index"
D=$(digest "$T/index")
check 'push' push_manifest a seed "$T/index" $index
pids=$(children "$REGISTRYD_PID" | tr '\n' ' ')

# Every byte, encoded, in every place that may be echoed.
for n in $(seq 0 255); do
	hex=$(printf '%%%02x' "$n")
	for path in "/v2/a$hex/tags/list" "/v2/a/manifests/x$hex" \
	    "/v2/a/tags/list?n=1&last=$hex" "/v2/_catalog?n=0&last=$hex" \
	    "/v2/?ns=$hex" "/v2/a/blobs/uploads/$hex" \
	    "/v2/a/blobs/sha256:$hex" "/v2/a/referrers/$D?artifactType=$hex"
	do
		printf 'next\nurl = "http://%s%s"\n' "$REGISTRY" "$path"
		printf 'dump-header = "%s"\noutput = "%s"\n' "$T/heads" \
		    "$T/bodies"
		printf 'write-out = "%%{http_code}\\n"\npath-as-is\nsilent\n'
	done
done | sed 1d >"$T/curlrc"
curl -K "$T/curlrc" >"$T/codes" 2>/dev/null
expect 'every byte is answered' 2048 "$(wc -l <"$T/codes" | tr -d ' ')"
refuse 'and none with a 5xx' grep -Eqv '^(200|40[0-9])$' "$T/codes"
for field in User-Agent Referer Authorization Accept X-Forwarded-For; do
	for n in 1 9 11 12 27 34 92 127 128 133 155 255; do
		byte=$(printf "\\\\%03o" "$n")
		# shellcheck disable=SC2059
		req GET /v2/ -H "$(printf "$field: a${byte}b")"
		case $status in
		200|400) ;;
		*) fail "$field with byte $n" "$status" ;;
		esac
	done
done
LC_ALL=C grep -Ev '^time=[0-9TZ:.-]+ level=[a-z]+ process=' \
    "$REGISTRYD_LOG" >"$T/odd"
expect 'every line of the log is a record' '' "$(head -c 200 "$T/odd")"
LC_ALL=C tr -d '\n -~' <"$REGISTRYD_LOG" >"$T/odd"
expect 'of printable characters' 0 "$(wc -c <"$T/odd" | tr -d ' ')"

for path in /v2/ / /v2/_catalog /v2/a/tags/list /v2/a/manifests/seed \
    "/v2/a/manifests/$D" "/v2/a/referrers/$D" /v2/a/manifests/none \
    /v2/none/tags/list '/v2/a/tags/list?n=x' /v2/A/tags/list; do
	for method in GET HEAD; do
		req $method "$path"
		grep -iv '^date:' "$T/head" >"$T/$method"
	done
	check "HEAD is GET: $path" cmp "$T/GET" "$T/HEAD"
done

# Names that begin with each other, in pages of every size.
query=
for n in $(seq 128); do
	name=$(head -c "$n" /dev/zero | tr '\0' a)
	query="$query&tag=$name"
	[ $((n % 16)) -ne 0 ] && continue
	push_manifest a "$D?$query" "$T/index" $index || fail "tags: $n"
	query=
done
for tag in a. a- a_ aa.a aa-a A 0 _ a.a-a; do
	push_manifest a "$tag" "$T/index" $index || fail "tag $tag"
done
req GET /v2/a/tags/list
jq -r '.tags[]' "$T/body" >"$T/all"
expect 'all of them' 138 "$(wc -l <"$T/all" | tr -d ' ')"
check 'in byte order' env LC_ALL=C sort -c "$T/all"
for n in 1 2 3 64 137 138 139; do
	next="/v2/a/tags/list?n=$n"
	: >"$T/pages"
	while [ -n "$next" ]; do
		req GET "$next"
		jq -r '.tags[]' "$T/body" >>"$T/pages"
		next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
	done
	check "pages of $n" cmp "$T/all" "$T/pages"
done

# Clients that go away in the middle of each kind of body.
head -c 200 /dev/zero >"$T/zeros"
for n in 1 2 3 4 5 6; do
	for what in PATCH PUT POST MANIFEST; do
		req POST /v2/u/blobs/uploads/
		L=$(header Location)
		case $what in
		PATCH) line="PATCH $L" ;;
		PUT) line="PUT $L?digest=$D" ;;
		POST) line="POST /v2/u/blobs/uploads/?digest=$D" ;;
		MANIFEST) line='PUT /v2/u/manifests/x' ;;
		esac
		(printf '%s HTTP/1.1\r\nHost: x\r\n' "$line"
		    printf 'Content-Length: 90000\r\n\r\n'
		    head -c $((n * 30)) "$T/zeros") |
		    timeout 0.2 curl -s "telnet://$REGISTRY" >/dev/null 2>&1
	done
done
for n in 1 2 3 4 5 6; do
	blob=$(make_blob 100)
	check "a push after they left, $n" push_blob u "$blob"
done

# Several clients at one session: one wins, and no byte is mixed.
blob=$(make_blob 200000)
B=$(digest "$blob")
race() {
	curl -s -o /dev/null -m 20 -w '%{http_code}\n' "$@"
}
for round in 1 2 3 4 5; do
	req POST /v2/race/blobs/uploads/
	L=$SCHEME://$REGISTRY$(header Location)
	for n in 1 2 3 4; do
		race -X PATCH -H 'Content-Range: 0-199999' \
		    --data-binary "@$blob" "$L" >"$T/race.$n" &
		eval "racer$n=\$!"
	done
	# shellcheck disable=SC2154
	wait "$racer1" "$racer2" "$racer3" "$racer4"
	cat "$T"/race.[1-4] >"$T/races"
	expect "round $round: one PATCH" 1 "$(grep -c 202 "$T/races")"
	expect "round $round: the others" 3 \
	    "$(grep -Ec '409|416' "$T/races")"
	race -X PUT "$L?digest=$B" >"$T/race.1" &
	racer1=$!
	race -X DELETE "$L" >"$T/race.2" &
	racer2=$!
	wait "$racer1" "$racer2"
	req GET "/v2/race/blobs/$B"
	case $(cat "$T/race.1" "$T/race.2" | tr '\n' ' ') in
	201*) want=200 ;;
	*' 204 ') want=404 ;;
	*) want='PUT or DELETE' ;;
	esac
	expect "round $round: PUT against DELETE" "$want" "$status"
	[ "$status" = 404 ] || check "round $round: the bytes" \
	    cmp "$blob" "$T/body"
	req DELETE "/v2/race/blobs/$B"
done
expect 'the same processes as at the start' "$pids" \
    "$(children "$REGISTRYD_PID" | tr '\n' ' ')"
