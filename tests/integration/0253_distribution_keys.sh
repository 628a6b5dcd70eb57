#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Debian's docker-registry: keys that rotate beneath a CA, ES256, and the
# libtrust profile without x5c.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh && . ./keys.sh

make_token_ca
CONF_AUTHD="keys:
  - name: ec
    key: $T/ec/token.key
    certificate: $T/ec/token.crt"
mkdir "$T/ec"
"$BUILD/authctl" key rotate -a es256 -c "$T/keys" -o "$T/ec" \
    >>"$T/authctl.log" 2>&1 || die "authctl key rotate -a es256"
make_users
authd_conf >"$T/authd.yml"
cat >"$T/services" <<'CONF'
services:
  - registry.test
  - {name: fast, algorithm: ES256}
  - {name: old, kid: libtrust, x5c: false}
CONF
sed -i -e "/^services:/{r $T/services" -e 'd;}' "$T/authd.yml"
start_authd "$T/authd.yml"

# SERVICE BUNDLE
run_distribution() {
	mkdir -p "$T/other"
	cat >"$T/config.yml" <<-CONF
	version: 0.1
	storage:
	  filesystem: {rootdirectory: $T/other}
	http: {addr: "127.0.0.1:0"}
	auth:
	  token:
	    realm: http://$AUTHD/token
	    service: $1
	    issuer: authd
	    rootcertbundle: $2
	CONF
	start_distribution "$T/config.yml"
	REGISTRY=$DISTRIBUTION
}

run_distribution registry.test "$T/keys/token-ca.crt"
TOKEN=$(service_token registry.test)
opens "RS256 by a leaf of the CA"
rotate
TOKEN=$(service_token registry.test)
opens "and after a rotation"
TOKEN=$(token alice:alice-pw repository:alice/app:pull,push)
make_image alice/app 1 >/dev/null
expect_status 201 "push"
stop_pid "$DISTRIBUTION_PID"

run_distribution fast "$T/keys/token-ca.crt"
TOKEN=$(service_token fast)
opens "ES256 by a leaf of the CA"
TOKEN=$(service_token registry.test)
closed "not for another service"
stop_pid "$DISTRIBUTION_PID"

run_distribution old "$T/keys/token.crt"
TOKEN=$(service_token old)
opens "the libtrust id, without x5c"
