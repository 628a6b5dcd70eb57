#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What is there before any repository: /, /v2/ (end-1), paths that are
# nothing, methods that are wrong.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd

req GET /v2/
expect_status 200 'end-1: GET /v2/'
expect_header Docker-Distribution-Api-Version registry/2.0
expect_header Content-Type application/json
expect 'GET /v2/: body' '{}' "$(cat "$T/body")"
req HEAD /v2/
expect_status 200
expect_header Content-Length 2
req GET /v2
expect_status 301
expect_header Location /v2/

req GET /
expect_status 200
expect_header Cache-Control no-cache
expect_header Content-Length 0

for path in /v1/_ping '/v1/search?q=x' /v3/ /v2/a /v2/tags/list \
    /v2/a/nothing/b /v2/a/blobs/../x; do
	req GET "$path"
	expect_status 404
	expect_header Docker-Distribution-Api-Version registry/2.0
	expect_json '.errors | length == 1'
done

for name in A/b a//b ../a a/_x a%252Fb a%00b "a%0ab" .a a. a..b; do
	req GET "/v2/$name/tags/list"
	expect_status 400
done
req GET "/v2/$(printf 'a%.0s' $(seq 256))/tags/list"
expect_status 400 'a name of 256 characters'
expect_code NAME_INVALID

req OPTIONS /v2/
expect_status 405
expect_header Allow 'GET, HEAD'
req POST /v2/a/manifests/x
expect_status 405
expect_code UNSUPPORTED
expect_header Allow 'GET, HEAD, PUT, DELETE'
req PUT /v2/a/blobs/uploads/
expect_status 405
expect_header Allow POST

# A failed HEAD says how long its body would be, and sends none.
printf 'HEAD /v2/a/manifests/none HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n' \
    'Connection: close' >"$T/request"
curl -s -m 5 "telnet://$REGISTRY" <"$T/request" >"$T/answer"
check 'HEAD of nothing' grep -q '404 Not Found' "$T/answer"
expect 'no body after HEAD' '' "$(sed '1,/^.$/d' "$T/answer")"

check 'one access line with an id and a status' grep -Eq \
    'response completed" http.request.id=[0-9a-f]{32} .*status=301' \
    "$REGISTRYD_LOG"

# What is no HTTP is refused in the same form.
raw() {
	printf '%s\r\n' "$@" '' >"$T/request"
	curl -s -m 5 "telnet://$REGISTRY" <"$T/request" >"$T/answer"
	sed '1,/^.$/d' "$T/answer" >"$T/body"
	status=$(sed -n '1s/^HTTP\/1.1 \([0-9]*\) .*/\1/p' "$T/answer")
	last=$1
	: >"$T/curl.err"
}
raw 'GET /v2/ HTTP/1.1' 'Host: x' 'no header'
expect_status 400 'a line that is no header'
id='http.request.id=[0-9a-f]{32} http.request.remoteaddr=127.0.0.1:[0-9]+'
check 'its access line' grep -Eq \
    "response completed\" $id http.response.status=400\$" "$REGISTRYD_LOG"
check 'its error line' grep -Eq \
    "completed with error\" $id http.response.status=400 err.message=" \
    "$REGISTRYD_LOG"
expect_json '.errors[0] | has("code") and has("message")'
raw 'GET /v2/ HTTP/1.1'
expect_status 400 'no Host'
raw "GET /v2/$(printf 'a%.0s' $(seq 9000)) HTTP/1.1" 'Host: x'
expect_status 414 'a target of 9000 characters'
expect_json '.errors[0] | has("code") and has("message")' '414: the body'
req GET "/v2/?$(printf 'a=1&%.0s' $(seq 200))"
expect_status 400 '200 parameters'
