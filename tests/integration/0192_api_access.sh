#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The decision on access comes first: before a body, before what exists.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
D=$(make_image alice/app v1)
layer=$(digest "$(ls "$T"/blob.*)")
stop_registryd
start_authd
start_registryd

# Without a token nothing tells what is there.
for path in alice/app/manifests/v1 alice/app/manifests/none \
    "alice/app/blobs/$layer" "alice/app/blobs/sha256:x" alice/none/tags/list \
    "alice/app/referrers/$D"; do
	req GET "/v2/$path"
	expect_status 401
	expect_code UNAUTHORIZED
done
req GET /v2/alice/app/manifests/v1
expect_json '.errors[0].detail == [{Type: "repository", Class: "",
    Name: "alice/app", Action: "pull"}]' 'the detail names what is needed'
for value in 'Basic YWxpY2U6YWxpY2UtcHc=' Bearer 'Bearer ' Negotiate; do
	req GET /v2/ -H "Authorization: $value"
	expect_status 401 "$value"
	refuse 'no error parameter' grep -q error= "$T/head"
done
for value in 'Bearer x' 'Bearer a.b.c' \
    "Bearer $(printf 'a%.0s' $(seq 8193))"; do
	req GET /v2/ -H "Authorization: $value"
	expect_status 401
	check 'invalid_token' grep -q ',error="invalid_token"' "$T/head"
done

PULL=$(token alice:alice-pw repository:alice/app:pull)
for scheme in Bearer bearer BEARER 'Bearer '; do
	req GET /v2/alice/app/manifests/v1 -H "Authorization: $scheme $PULL"
	expect_status 200 "scheme $scheme"
done
req GET /v2/ -H "Authorization: Bearer $PULL" -H 'Authorization: Bearer x'
expect_status 400 'two headers'
for change in "$PULL=" "${PULL}A" "${PULL%?}" "$PULL." "a$PULL"; do
	req GET /v2/ -H "Authorization: Bearer $change"
	expect_status 401 'a changed token'
done
TOKEN=$PULL
for request in 'PUT manifests/v1' 'POST blobs/uploads/' \
    'PATCH blobs/uploads/x' 'GET blobs/uploads/x' 'DELETE blobs/uploads/x' \
    'DELETE manifests/v1' "DELETE blobs/$layer"; do
	req ${request% *} "/v2/alice/app/${request#* }"
	expect_status 401
	check 'insufficient_scope' grep -q ',error="insufficient_scope"' \
	    "$T/head"
done
for name in alice/ap alice/app/x alice app; do
	req GET "/v2/$name/manifests/v1"
	expect_status 401 "the token is not for $name"
done
req GET '/v2/alice%2Fapp/manifests/v1'
expect_status 200 'a slash is a slash, encoded or not'

# A client that waits for 100 is refused without it.
printf '%s\r\n' 'PUT /v2/alice/app/manifests/v1 HTTP/1.1' 'Host: x' \
    'Content-Length: 100' 'Expect: 100-continue' '' >"$T/request"
curl -s -m 3 "telnet://$REGISTRY" <"$T/request" >"$T/answer"
check 'refused before the body' grep -q '^HTTP/1.1 401' "$T/answer"
refuse 'no 100 Continue' grep -q '^HTTP/1.1 100' "$T/answer"

refuse 'no token in the log' grep -Fq "$PULL" "$REGISTRYD_LOG"
refuse 'no password in the log' grep -Fq YWxpY2U6 "$REGISTRYD_LOG"
check 'but the user and the token id' grep -Eq \
    'auth.user.name=alice auth.jti=' "$REGISTRYD_LOG"
