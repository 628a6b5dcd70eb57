#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Where answers point to: http.prefix, http.host, http.relativeurls, and the
# headers of proxies; http.headers; the namespace that a client asks for.
cd "$(dirname "$0")" && . ./lib.sh

where() {
	req POST "$1/v2/a/blobs/uploads/" ${2:+-H "$2"} ${3:+-H "$3"}
	[ "$status" = 202 ] || fail "POST $1: $status"
	header Location | sed 's,/blobs/uploads/.*,,'
}

CONF_HTTP='  prefix: /some/where/
  headers:
    X-Content-Type-Options: [nosniff]
    Access-Control-Allow-Origin: ["*"]'
start_registryd
expect 'a prefix' /some/where/v2/a "$(where /some/where)"
req GET /some/where/v2/
expect_status 200
expect_header X-Content-Type-Options nosniff
expect_header Access-Control-Allow-Origin '*'
req GET /some/where/v2
expect_header Location /some/where/v2/
for path in /v2/ /some/v2/ /some/wherev2/ /some/where/; do
	req GET $path
	expect_status 404
done
req GET /
expect_status 200 'the probe needs no prefix'
make_image a x >/dev/null 2>&1
printf '{"schemaVersion":2,"manifests":[]}' >"$T/index"
for tag in t1 t2; do
	req PUT /some/where/v2/a/manifests/$tag --data-binary "@$T/index" \
	    -H 'Content-Type: application/vnd.oci.image.index.v1+json'
	expect_status 201
done
req GET '/some/where/v2/a/tags/list?n=1'
expect_header Link '</some/where/v2/a/tags/list?last=t1&n=1>; rel="next"'
stop_registryd

CONF_HTTP='  host: https://registry.example.com:8443/'
start_registryd
expect 'a host' https://registry.example.com:8443/v2/a "$(where '')"
req GET '/v2/?ns=registry.example.com:8443'
expect_header OCI-Namespace registry.example.com:8443
req GET '/v2/?ns=docker.io'
expect_no_header OCI-Namespace
stop_registryd

CONF_HTTP='  host: https://registry.example.com
  relativeurls: true'
start_registryd
expect 'a host wins over relativeurls' https://registry.example.com/v2/a \
    "$(where '')"
stop_registryd

CONF_HTTP='  relativeurls: false'
start_registryd
expect 'from Host' "http://$REGISTRY/v2/a" "$(where '')"
expect 'X-Forwarded' https://p.example/v2/a "$(where '' \
    'X-Forwarded-Proto: https' 'X-Forwarded-Host: p.example, q.example')"
expect 'Forwarded' https://p.example:444/v2/a "$(where '' \
    'Forwarded: for=1.2.3.4;host="p.example:444";proto=https, host=q')"
expect 'X-Forwarded-Proto alone' "https://$REGISTRY/v2/a" "$(where '' \
    'X-Forwarded-Proto: HTTPS')"
for bad in 'a b' 'a/b' 'a?b' 'a"b' "a'b" 'a<b' 'a@b' \
    "$(printf 'a%.0s' $(seq 300))"; do
	expect "no host: $bad" /v2/a "$(where '' "X-Forwarded-Host: ${bad% b}" \
	    "Forwarded: host=\"$bad\"")"
done
