#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Owners of tokens who are accounts of the host: looked up and judged by the
# account modules, without a password.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh &&
    . ./tokens.sh
pam_service 'auth required pam_unix.so' 'account required pam_unix.so'
for user in alice bob carol dave; do
	make_account $user
done
ACCOUNT_GROUP=regg$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
change_accounts() {
	groupadd "$ACCOUNT_GROUP" && usermod -a -G "$ACCOUNT_GROUP" "$bob" &&
	    usermod -L "$dave"
}
with_accounts change_accounts || die "accounts cannot be changed"
CTL_CONF=$T/pam.yml
start_pam "$(printf 'groups: true\n%s' "$(vault_lines \
    'refresh_tokens: 24h')")"

tokens() {
	for user; do
		eval "name=\$$user"
		eval "token_$user=\$(made \"\$name\")"
	done
}
tokens alice bob carol dave
ask "$alice:$token_alice" "scope=repository:$alice/x:pull,push"
expect_status 200 "an account of the host"
expect "its sub" "$alice" "$(claims .sub)"
expect_access "repository:$alice/x:pull"
expect "the backend" pam "$(field auth.backend)"
ask "$bob:$token_bob" 'scope=repository:team/x:pull'
expect_access 'repository:team/x:pull' "his groups of the system"
ask "$alice:$token_alice" 'scope=repository:team/x:pull'
expect_access '' "who is not in it"
ask "$dave:$token_dave" ''
expect_refused
reason locked
for user in root daemon "no-such-$alice" "../$alice"; do
	token=$(made "$user")
	ask "$user:$token" ''
	expect_refused
done

ask "$carol:carol-pw" 'offline_token=true'
refresh=$(jq -r '.refresh_token // ""' "$T/body")
use() {
	post grant_type=refresh_token "refresh_token=$refresh"
	last="POST /token with a refresh token"
}
use
expect_status 200 "a refresh token"
new_password() {
	printf '%s:%s\n' "$carol" new-pw | chpasswd -c SHA512
}
with_accounts new_password
use
expect_refused
reason 'token: the password was changed'
ask "$carol:$token_carol" ''
expect_status 200 "the other kind stays"

with_accounts usermod -e 2001-01-01 "$carol"
ask "$carol:$token_carol" ''
expect_refused
reason 'account expired'
with_accounts chage -d 0 "$bob"
ask "$bob:$token_bob" ''
expect_refused
reason 'must change password'
with_accounts userdel "$alice" >/dev/null 2>&1
ask "$alice:$token_alice" ''
expect_refused
reason 'token: its owner is not there any more'
