#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Accounts of the host by pam_unix: good, bad, locked, expired, must change.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh

pam_service 'auth required pam_unix.so nullok' 'account required pam_unix.so'
make_account alice YESCRYPT
make_account bob SHA512
make_account locked
make_account expired
make_account aged
make_account must
make_account empty
ACCOUNT_GROUP=regg$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
change_accounts() {
	groupadd "$ACCOUNT_GROUP" && usermod -a -G "$ACCOUNT_GROUP" "$bob" &&
	    usermod -L "$locked" && chage -E 2001-01-01 "$expired" &&
	    chage -d 2001-01-01 -M 10 -I 10 "$aged" && chage -d 0 "$must" &&
	    usermod -p '' "$empty"
}
with_accounts change_accounts || die "accounts cannot be changed"
start_pam 'groups: true'

ask "$alice:alice-pw" "scope=repository:$alice/app:pull"
expect_status 200 "a yescrypt hash"
expect "the subject is the account" "$alice" "$(claims .sub)"
expect_access "repository:$alice/app:pull" "access of the account"
ask "$bob:bob-pw" "scope=repository:team/app:pull"
expect_status 200 "a SHA-512 hash"
expect_access "repository:team/app:pull" "a group of the system counts"
ask "$alice:alice-pw" "scope=repository:team/app:pull"
expect_access "" "who is not in it has nothing by it"

: >"$T/refusals"
refused() {
	ask "$1" ''
	expect_refused
	{
		cat "$T/body"
		sed '/^[Dd]ate:/d; /^[Xx]-[Rr]equest-[Ii]d:/d' "$T/head"
	} | sha256sum >>"$T/refusals"
}
reason() {
	check "the log says: $1" log_has "$AUTHD_LOG" "reason=\"?$1"
}
refused "$alice:wrong"
refused "$alice:"
refused "$bob:bob-pw "
refused "$locked:locked-pw"
refused "$expired:expired-pw"
reason 'account expired'
refused "$aged:aged-pw"
refused "$must:must-pw"
reason 'must change password'
refused "$empty:x"
refused "$empty:"
refused "root:x"
reason 'beneath pam.min_uid'
refused "daemon:x"
refused "no-such-$alice:alice-pw"
reason 'unknown user'
refused "../$alice:alice-pw"
refused "$alice:$(head -c 600 /dev/zero | tr '\0' x)"
reason 'password too long'
expect "all are refused alike" 1 "$(sort -u "$T/refusals" | wc -l)"

# 511 bytes are the most that modules take.
long=$(head -c 511 /dev/zero | tr '\0' x)
set_password() {
	printf '%s:%s\n' "$alice" "$long" | chpasswd -c SHA512
}
with_accounts set_password
ask "$alice:$long" ''
expect_status 200 "a password of 511 bytes"
refused "$alice:${long}x"
refuse "no password is in the log" grep -F -e alice-pw -e bob-pw -e xxxxxxxx \
    "$AUTHD_LOG"
