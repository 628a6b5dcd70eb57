#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Both daemons by TLS: curl, skopeo and docker, versions, and a certificate
# that is replaced while they run.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

make_tls
SCHEME=https AUTHD_SCHEME=https
CURL_CA_BUNDLE=$T/tls/ca.crt
export CURL_CA_BUNDLE
CONF_AUTHD="tls: {certificate: $T/tls/server.crt, key: $T/tls/server.key}"
CONF_HTTP="
  tls:
    certificate: $T/tls/server.crt
    key: $T/tls/server.key
    minimumtls: tls1.2"
start_authd
start_registryd
make_rootfs

TOKEN=$(token alice:alice-pw repository:alice/app:pull,push)
make_image alice/app 1 5000000 >/dev/null
expect_status 201 "push by TLS"
req GET /v2/alice/app/manifests/1
expect_status 200 "pull by TLS"
expect "the manifest's bytes" "$made" "$(digest "$T/body")"
layer=$(jq -r '.layers[0].digest' "$T/body")
req GET "/v2/alice/app/blobs/$layer"
expect "a layer's bytes" "$layer" "$(digest "$T/body")"

check "TLS 1.2" curl -sS --tls-max 1.2 "https://$REGISTRY/v2/"
check "TLS 1.3" curl -sS --tlsv1.3 "https://$REGISTRY/v2/"
refuse "TLS 1.1" curl -sS --tls-max 1.1 "https://$REGISTRY/v2/"
refuse "an unknown authority" env CURL_CA_BUNDLE=/dev/null \
    curl -sS "https://$REGISTRY/v2/"
status=$(curl -s -o /dev/null -w '%{http_code}' "http://$REGISTRY/v2/")
case $status in
000|400) ok "plain HTTP on the TLS port" ;;
*) fail "plain HTTP on the TLS port" "$status" ;;
esac

# skopeo asks authd by the same certificates.
mkdir -p "$T/certs"
cp "$T/tls/ca.crt" "$T/certs/"
SSL_CERT_FILE=$T/tls/ca.crt
export SSL_CERT_FILE
check "skopeo login" skopeo login --cert-dir "$T/certs" -u alice \
    -p alice-pw "$REGISTRY"
check "skopeo copy" skopeo copy -q --src-cert-dir "$T/certs" \
    --dest-cert-dir "$T/certs" "docker://$REGISTRY/alice/app:1" \
    "docker://$REGISTRY/alice/app:2"

if is_root; then
	start_dockerd
	docker import "$T/rootfs.tar" "$REGISTRY/alice/app:3" >/dev/null 2>&1
	check "docker login" docker login -u alice -p alice-pw "$REGISTRY"
	check "docker push" docker push "$REGISTRY/alice/app:3"
	docker rmi -f "$REGISTRY/alice/app:3" >/dev/null 2>&1
	check "docker pull" docker pull "$REGISTRY/alice/app:3"
fi

# ---- a new certificate -----------------------------------------------------

served() {
	openssl s_client -connect "$REGISTRY" </dev/null 2>/dev/null |
	    openssl x509 -noout -serial
}
is_served() {
	[ "$(served)" = "$1" ]
}
new=$(make_tls >&2 && openssl x509 -noout -serial -in "$T/tls/server.crt")
kill -HUP "$REGISTRYD_PID"
check "SIGHUP takes the new certificate" wait_until 15 is_served "$new"
