#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What a process that is taken over could give away: workers have no key, no
# hash and no password of a request that is over; each secret is in the one
# process that works with it.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh &&
    . ./memory.sh
is_root || skip "the memory of processes is for root only"

holds() {
	check "$1 has $3" memory_has "$2" "$4"
}

# NAME PID: nothing of what clients sent, of the file, or of the key.
holds_nothing() {
	for user in alice bob admin; do
		refuse "$1 has no password of $user" \
		    memory_has "$2" "$user-pw"
		refuse "$1 has no header of $user" memory_has "$2" \
		    "$(printf '%s' "$user:$user-pw" | base64 | tr -d '=')"
		[ "$3" = hashes ] || refuse "$1 has no hash of $user" \
		    memory_has "$2" "$(sed -n "s/^$user://p" "$T/htpasswd")"
	done
	[ "$3" = key ] ||
	    refuse "$1 has no signing key" memory_has "$2" "$prime"
}

# ---- authd -----------------------------------------------------------------

start_authd
prime=$(key_prime "$T/keys/token.key")
check "the test knows the key" test ${#prime} -eq 100
for _ in 1 2 3 4; do
	for user in alice bob admin; do
		token "$user:$user-pw" "repository:$user/x:pull" >"$T/token"
		token "$user:wrong" "repository:$user/x:pull" >>"$T/token"
	done
	curl -s -o /dev/null --data-urlencode grant_type=password \
	    --data-urlencode service=registry.test \
	    --data-urlencode client_id=test --data-urlencode username=bob \
	    --data-urlencode password=bob-pw "http://$AUTHD/token"
done
for role in worker broker verifier signer; do
	for pid in $(children "$AUTHD_PID" $role); do
		case $role in
		verifier) may=hashes ;;
		signer) may=key ;;
		*) may= ;;
		esac
		holds_nothing "authd's $role" "$pid" "$may"
	done
done
# What is there is found: else all of the above would prove nothing.
hash=$(sed -n 's/^alice://p' "$T/htpasswd")
holds "a verifier" "$(children "$AUTHD_PID" verifier | head -n 1)" \
    "the hash of alice" "$hash"
holds "the signer" "$(children "$AUTHD_PID" signer)" "the key" "$prime"
holds "the broker" "$(children "$AUTHD_PID" broker)" "its service" \
    registry.test
stop_authd

# ---- authd with a directory ------------------------------------------------

# What the service binds with is in verifier-ldap alone; so is what libldap
# and GnuTLS leave behind of the last user.
make_directory
start_slapd slapd
ldap_usual
start_ldap_authd
for user in alice Bob carol; do
	ask "$user:$user-pw" "scope=repository:$user/x:pull"
	expect_status 200 "$user of the directory"
	ask "$user:$user-wrong" ''
done
prime=$(key_prime "$T/keys/token.key")
for role in worker broker signer; do
	for pid in $(children "$AUTHD_PID" "-P $role "); do
		refuse "$role does not have what the service binds with" \
		    memory_has "$pid" 'service secret'
		[ $role = signer ] || refuse "$role has no signing key" \
		    memory_has "$pid" "$prime"
		for user in alice Bob carol; do
			for word in pw wrong; do
				refuse "$role has no $word of $user" \
				    memory_has "$pid" "$user-$word"
			done
		done
	done
done
holds "verifier-ldap" "$(children "$AUTHD_PID" verifier-ldap | head -n 1)" \
    "what the service binds with" 'service secret'
stop_authd
AUTHD=''
CONF_AUTHD=''

# ---- registryd with auth.htpasswd ------------------------------------------

CONF_TOP="auth:
  htpasswd: {realm: test, path: $T/htpasswd}"
CONF_REGISTRYD='  verifier_user: "62003:62003"'
start_registryd
for _ in 1 2 3 4; do
	for user in alice bob admin; do
		req GET /v2/ -u "$user:$user-pw"
		expect_status 200 "$user"
		req GET /v2/ -u "$user:wrong"
	done
done
for role in worker keeper collector verifier; do
	for pid in $(children "$REGISTRYD_PID" $role); do
		may=
		[ $role != verifier ] || may=hashes
		holds_nothing "registryd's $role" "$pid" "$may"
	done
done
holds "a verifier of registryd" \
    "$(children "$REGISTRYD_PID" verifier | head -n 1)" \
    "the hash of alice" "$hash"
holds "a worker of registryd" \
    "$(children "$REGISTRYD_PID" worker | head -n 1)" "its store" "$STORE"
