#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Debian's docker-registry takes the tokens of authd.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

start_authd
mkdir -p "$T/other"
cat >"$T/config.yml" <<CONF
version: 0.1
storage:
  filesystem: {rootdirectory: $T/other}
  delete: {enabled: true}
http: {addr: "127.0.0.1:0"}
auth:
  token:
    realm: http://$AUTHD/token
    service: registry.test
    issuer: authd
    rootcertbundle: $T/keys/token.crt
CONF
start_distribution "$T/config.yml"
REGISTRY=$DISTRIBUTION

req GET /v2/
expect_status 401 "docker-registry asks for a token"
TOKEN=$(token alice:alice-pw)
req GET /v2/
expect_status 200 "a token without scope opens /v2/"
TOKEN=$(token alice:alice-pw repository:alice/app:pull,push)
make_image alice/app 1 >/dev/null
expect_status 201 "push"
req DELETE "/v2/alice/app/manifests/$(digest "$T/body")"
expect_status 401 "no right to delete"
TOKEN=$(token alice:alice-pw repository:bob/app:pull)
req GET /v2/bob/app/tags/list
expect_status 401 "no right to another's"
TOKEN=$(token admin:admin-pw registry:catalog:'*')
req GET /v2/_catalog
expect_status 200 "the catalog as admin"

TOKEN=
check "skopeo login" skopeo login --tls-verify=false -u alice -p alice-pw \
    "$REGISTRY"
check "skopeo copy" skopeo copy -q --src-tls-verify=false \
    --dest-tls-verify=false "docker://$REGISTRY/alice/app:1" \
    "docker://$REGISTRY/alice/app:2"
check "skopeo list-tags" skopeo list-tags --tls-verify=false \
    "docker://$REGISTRY/alice/app"
