#!/bin/sh
# SPDX-License-Identifier: ISC
# The HTTP side of authd: methods, limits, the key set, TLS.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
start_authd

for method in HEAD PUT DELETE PATCH OPTIONS; do
	req $method "http://$AUTHD/token"
	expect_status 405
	expect_header Allow 'GET, POST'
	expect_header Cache-Control no-store
done
req POST "http://$AUTHD/jwks"
expect_status 405
expect_header Allow 'GET, HEAD'
req GET "http://$AUTHD/other"
expect_status 404
expect_json '.errors | length == 1'
req GET "http://$AUTHD/"
expect_status 200

req GET "http://$AUTHD/jwks"
expect_status 200
expect_json '.keys | length == 2 and all(.kty == "RSA" and .alg == "RS256"
    and .use == "sig" and (has("d") | not))' "public keys, under both ids"
expect_header Cache-Control 'public, max-age=60'
etag=$(header ETag)
check "the keys have an ETag" test "${#etag}" -eq 34
req HEAD "http://$AUTHD/jwks"
expect_status 200
expect_header ETag "$etag"
for known in "$etag" "W/$etag" "\"x\", $etag" '*'; do
	req GET "http://$AUTHD/jwks" -H "If-None-Match: $known"
	expect_status 304 "keys that are known: $known"
	expect_header ETag "$etag"
	expect "no body" '' "$(cat "$T/body")"
done
req GET "http://$AUTHD/jwks" -H 'If-None-Match: "0123456789abcdef"'
expect_status 200 "keys that are not known"

big=$(printf '%09000d' 1)
req POST "http://$AUTHD/token" -d "a=$big"
expect_status 413 "a body over 8 KiB"
req POST "http://$AUTHD/token" -H 'Transfer-Encoding: chunked' -d "a=$big"
expect_status 413 "the same in chunks"
ask - "a=$big"
expect_status 414 "a query over 8 KiB"
expect_header Cache-Control no-store
expect_json '.errors | length == 1'
ask alice:alice-pw '' -H "X-Big: $big" -H "X-More: $big"
expect_status 431 "headers over 16 KiB"
expect_header Cache-Control no-store
id='http.request.id=[0-9a-f-]{36} http.request.remoteaddr=127.0.0.1:[0-9]+'
check "its access line" grep -Eq \
    "response completed\" $id http.response.status=431\$" "$AUTHD_LOG"
check "its error line" grep -Eq \
    "completed with error\" $id http.response.status=431 err.message=" \
    "$AUTHD_LOG"
check "an error line with address and status" grep -Eq \
    "error\" $id http.response.status=405 err.code=UNSUPPORTED" "$AUTHD_LOG"

# Refusals do not cost the connection.
curl -sS -o /dev/null -o /dev/null -w '%{num_connects} ' \
    -u alice:wrong "http://$AUTHD/token" "http://$AUTHD/token" \
    >"$T/connects"
expect "one connection for two refusals" '1 0' \
    "$(sed 's/ *$//' "$T/connects")"
stop_authd

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$T/tls.key" \
    -out "$T/tls.crt" 2>/dev/null || die "openssl req"
chmod 600 "$T/tls.key"
CONF_AUTHD="tls: {certificate: $T/tls.crt, key: $T/tls.key, minimum: tls1.3}"
start_authd
req GET "https://$AUTHD/token" --cacert "$T/tls.crt" -u alice:alice-pw
expect_status 200 "a token over TLS"
req GET "https://$AUTHD/token" --cacert "$T/tls.crt" --tls-max 1.2
expect "an older version is refused" 000 "$status"
req GET "http://$AUTHD/token" -u alice:alice-pw
refuse "no token in the clear" [ "$status" = 200 ]
