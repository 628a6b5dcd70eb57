#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the conformance tests of the distribution spec ask of blobs, once with
# sha256 and once with sha512: every way to push, right and wrong, then HEAD,
# GET, ranges and DELETE.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
octets='Content-Type: application/octet-stream'

# dig FILE: by the algorithm of this round
dig() {
	echo "$alg:$("${alg}sum" "$1" | cut -d ' ' -f 1)"
}

# new BYTES: sets $blob and $D
new() {
	blob=$(make_blob "$1")
	D=$(dig "$blob")
}

session() {
	req POST /v2/one/blobs/uploads/ -H 'Content-Length: 0'
	[ "$status" = 202 ] || fail "POST: $status"
	L=$(header Location)
}

# send METHOD FROM TO [QUERY]: bytes of $blob with their Content-Range
send() {
	tail -c +$(($2 + 1)) "$blob" | head -c $(($3 - $2 + 1)) >"$T/chunk"
	req "$1" "$L${4:-}" --data-binary "@$T/chunk" -H "$octets" \
	    -H "Content-Range: $2-$3"
	[ -z "$(header Location)" ] || L=$(header Location)
}

# The answer to the last push: 201 and a URL that gives the blob.
pushed() {
	expect_status 201 "$alg: $1"
	expect_header Docker-Content-Digest "$D" "$alg: $1: digest"
	req GET "$(header Location)"
	expect_status 200 "$alg: $1: Location"
	check "$alg: $1: bytes" cmp "$blob" "$T/body"
	req HEAD "/v2/one/blobs/$D"
	expect_status 200 "$alg: $1: HEAD"
	expect_header Content-Length "$(wc -c <"$blob" | tr -d ' ')"
	expect_header Docker-Content-Digest "$D"
	gone "$1" one
}

gone() {
	req DELETE "/v2/$2/blobs/$D"
	expect_status 202 "$alg: $1: DELETE"
	req HEAD "/v2/$2/blobs/$D"
	expect_status 404 "$alg: $1: gone at once"
}

good() {
	new 512
	req GET "/v2/one/blobs/$D"
	expect_status 404 "$alg: not pushed yet"
	req POST "/v2/one/blobs/uploads/?digest=$D" --data-binary "@$blob" \
	    -H "$octets"
	pushed 'one POST'
	session
	req PUT "$L?digest=$D" --data-binary "@$blob" -H "$octets"
	pushed 'POST and PUT'
	session
	send PATCH 0 511
	expect_status 202
	req PUT "$L?digest=$D" -H "$octets" -H 'Content-Length: 0'
	pushed 'one chunk'
	session
	req PATCH "$L" --data-binary "@$blob" -H "$octets" \
	    -H 'Transfer-Encoding: chunked'
	expect_status 202
	req PUT "$(header Location)?digest=$D" -H 'Content-Length: 0'
	pushed stream
	new 3067
	session
	for at in 0-1023 1024-2047 2048-3066; do
		send PATCH ${at%-*} ${at#*-}
		expect_status 202 "$alg: chunk $at"
		expect_header Range "0-${at#*-}"
	done
	req PUT "$L?digest=$D" -H 'Content-Length: 0'
	pushed 'three chunks'
	session
	send PATCH 0 1023
	send PATCH 1024 2047
	send PUT 2048 3066 "?digest=$D"
	pushed 'the last chunk in PUT'
}

# Before each chunk one that does not follow; GET tells where to go on.
out_of_order() {
	last=$1 want=0
	new 3067
	session
	for at in 0-1023 1024-2047 2048-3066; do
		bad=$((${at#*-} + 1))
		[ $bad -lt 3067 ] && end=$((bad + 1023)) || bad=0 end=1023
		[ "$end" -lt 3067 ] || end=3066
		if [ "$end" = 3066 ] && [ "$last" = PUT ]; then
			send PUT $bad "$end" "?digest=$D"
		else
			send PATCH $bad "$end"
		fi
		expect_status 416 "$alg: $bad-$end is not next, $last"
		req GET "$L"
		expect_status 204 "$alg: where to go on"
		expect_header Range "0-$want"
		L=$(header Location) want=${at#*-}
		[ "$want" = 3066 ] && [ "$last" = PUT ] && break
		send PATCH ${at%-*} "$want"
		expect_status 202 "$alg: $at is next, $last"
	done
	if [ "$last" = PUT ]; then
		send PUT 2048 3066 "?digest=$D"
	else
		req PUT "$L?digest=$D" -H 'Content-Length: 0'
	fi
	pushed "out of order, $last"
}

mounts() {
	new 512
	req POST "/v2/two/blobs/uploads/?digest=$D" --data-binary "@$blob" \
	    -H "$octets"
	req POST "/v2/one/blobs/uploads/?mount=$D&from=two"
	pushed mount
	gone 'source of the mount' two
	req POST "/v2/one/blobs/uploads/?mount=$D&from=two"
	expect_status 202 "$alg: nothing to mount"
	req PUT "$(header Location)?digest=$D" --data-binary "@$blob" \
	    -H "$octets"
	pushed 'after nothing to mount'
	session
	req DELETE "$L"
	expect_status 204 "$alg: cancel"
}

# part RANGE FIRST LAST
part() {
	req GET "/v2/one/blobs/$D" -H "Range: bytes=$1"
	expect_status 206 "$alg: $1"
	expect_header Content-Range "bytes $2-$3/2048"
	expect_header Content-Length $(($3 - $2 + 1))
	tail -c +$(($2 + 1)) "$blob" | head -c $(($3 - $2 + 1)) >"$T/want"
	check "$alg: $1: bytes" cmp "$T/want" "$T/body"
}

ranges() {
	new 2048
	req POST "/v2/one/blobs/uploads/?digest=$D" --data-binary "@$blob" \
	    -H "$octets"
	part 500-1499 500 1499
	part 500- 500 2047
	part -500 1548 2047
	part 2000-5000 2000 2047
	for outside in 500-0 5000-10000; do
		req GET "/v2/one/blobs/$D" -H "Range: bytes=$outside"
		expect_status 416 "$alg: $outside"
	done
	gone ranges one
	for text in '' '{}'; do
		blob=$T/known
		printf %s "$text" >"$blob"
		D=$(dig "$blob")
		session
		req PUT "$L?digest=$D" --data-binary "@$blob" -H "$octets"
		pushed "the blob '$text'"
	done
}

refused() {
	expect_status 400 "$alg: bad digest, $1"
	expect_code DIGEST_INVALID
	req HEAD "/v2/one/blobs/$D"
	expect_status 404 "$alg: bad digest, $1: nothing there"
}

bad_digests() {
	new 3067
	printf 'and more' >>"$blob"
	req POST "/v2/one/blobs/uploads/?digest=$D" --data-binary "@$blob" \
	    -H "$octets"
	refused 'one POST'
	session
	req PUT "$L?digest=$D" --data-binary "@$blob" -H "$octets"
	refused 'POST and PUT'
	session
	send PATCH 0 1023
	send PATCH 1024 3074
	req PUT "$L?digest=$D" -H 'Content-Length: 0'
	refused chunked
	session
	send PATCH 0 1023
	send PUT 1024 3074 "?digest=$D"
	refused 'the last chunk in PUT'
	session
	req PATCH "$L" --data-binary "@$blob" -H "$octets" \
	    -H 'Transfer-Encoding: chunked'
	req PUT "$L?digest=$D" -H 'Content-Length: 0'
	refused stream
}

for alg in sha256 sha512; do
	good
	out_of_order PATCH
	out_of_order PUT
	mounts
	ranges
	bad_digests
done
