#!/bin/sh
# SPDX-License-Identifier: ISC
# The client behind proxies counts in rules, logs and throttling; what a
# client writes into headers counts nowhere.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh

rule='access:\
  - {user: alice, network: 192.0.2.0\/24, repository: "inside", '
rule=$rule'actions: [pull]}'
conf() {
	make_token_key
	make_users
	authd_conf | sed "s/^access:/$rule/" >"$T/authd.yml"
}
inside() {
	ask alice:alice-pw scope=repository:inside:pull "$@"
}

CONF_AUTHD='proxies: [127.0.0.0/8, 10.0.0.0/8]'
conf
start_authd "$T/authd.yml"
inside
expect_access '' "the proxy itself is not inside"
inside -H 'X-Forwarded-For: 192.0.2.7'
expect_access repository:inside:pull "a client inside"
inside -H 'X-Forwarded-For: 192.0.2.7, 10.1.2.3'
expect_access repository:inside:pull "behind two proxies"
inside -H 'X-Forwarded-For: ::ffff:192.0.2.7'
expect_access repository:inside:pull "as a mapped address"
inside -H 'X-Forwarded-For: 192.0.2.7, 198.51.100.1'
expect_access '' "what a client outside wrote before"
inside -H 'X-Forwarded-For: 192.0.2.7' -H 'X-Forwarded-For: 198.51.100.1'
expect_access '' "the same in two headers"
inside -H 'X-Forwarded-For: 192.0.2.7, nonsense'
expect_access '' "no address"
inside -H 'Forwarded: for=192.0.2.7'
expect_access '' "the header that is not configured"
check "the access log has the client" log_has "$AUTHD_LOG" \
    'response completed.*http.request.remoteaddr=192.0.2.7 '
check "so has the audit record" log_has "$AUTHD_LOG" \
    'token issued.* peer=192.0.2.7 '
stop_authd

CONF_AUTHD="$CONF_AUTHD
proxy_header: forwarded"
conf
start_authd "$T/authd.yml"
inside -H 'Forwarded: for="192.0.2.7:4711";proto=https'
expect_access repository:inside:pull "Forwarded"
inside -H 'X-Forwarded-For: 192.0.2.7'
expect_access '' "X-Forwarded-For is not configured"
stop_authd

CONF_AUTHD='proxies: [10.0.0.0/8]'
conf
start_authd "$T/authd.yml"
inside -H 'X-Forwarded-For: 192.0.2.7' -H 'Forwarded: for=192.0.2.7'
expect_access '' "who is no proxy is not believed"
check "and logged as he is" log_has "$AUTHD_LOG" \
    'response completed.*http.request.remoteaddr=127.0.0.1 '
