# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# For the tests of PAM, after lib.sh and authd.sh.  They are root's, as they
# make accounts; these have random names and go with the test.
#
#   $PAM_D                  a directory for services
#   pam_service LINE...     write the service "authd" there
#   make_account NAME [HASH-METHOD]    sets $NAME to the account's name; its
#       password is "NAME-pw"
#   start_pam [LINE...]     authd with PAM alone, LINEs for the map "pam"
#   helper_pids             processes in which modules run
#   helper_of PID...

is_root || skip "accounts of the host are made by root only"

PAM_D=$T/pam.d
HOSTILE=$BUILD/tests/integration/pam_hostile.so
ACCOUNTS=
mkdir "$PAM_D"

# Modules run as another user in some tests, and the build is not theirs.
if [ -f "$HOSTILE" ]; then
	install -m 644 "$HOSTILE" "$T/pam_hostile.so"
	HOSTILE=$T/pam_hostile.so
fi

remove_accounts() {
	for account in $ACCOUNTS; do
		userdel "$account" >/dev/null 2>&1
	done
	[ -z "${ACCOUNT_GROUP:-}" ] || groupdel "$ACCOUNT_GROUP" 2>/dev/null
}

# A script with an on_exit of its own calls remove_accounts there.
on_exit() {
	with_accounts remove_accounts
}

pam_service() {
	printf '%s\n' "$@" >"$PAM_D/authd"
}

# Nobody else may hold the lock of the accounts meanwhile.
with_accounts() {
	(flock 9 && "$@") 9<"$TESTS/integration/pam.sh"
}

add_account() {
	useradd -M -N -s /usr/sbin/nologin "$1" &&
	    printf '%s:%s\n' "$1" "$2" | chpasswd -c "$3"
}

make_account() {
	account=regt$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	ACCOUNTS="$ACCOUNTS $account"
	with_accounts add_account "$account" "$1-pw" "${2:-YESCRYPT}" \
	    >"$T/useradd.out" 2>&1 || die "useradd: $(cat "$T/useradd.out")"
	eval "$1=\$account"
}

start_pam() {
	make_token_key
	{
		cat <<-CONF
		listen: 127.0.0.1:0
		services: [registry.test]
		token: {key: $T/keys/token.key, certificate: $T/keys/token.crt}
		user: "62011:62011"
		broker_user: "62012:62012"
		signer_user: "62014:62014"
		groups: {"${ACCOUNT_GROUP:-nobody-is-in-it}": []}
		access:
		  - {user: "*", repository: "\${user}/**", actions: [pull]}
		  - {group: "${ACCOUNT_GROUP:-nobody-is-in-it}", repository:
		     "team/**", actions: [pull]}
		limits: {cache: 0}
		throttle:
		  failures_per_source: 0
		  failures_per_user: 0
		  checks_per_source: 0
		  floor: 0s
		pam:
		  confdir: $PAM_D
		CONF
		[ $# -eq 0 ] || printf '  %s\n' "$@"
	} >"$T/pam.yml"
	start_authd "$T/pam.yml"
}

# Children of the verifiers.
helper_pids() {
	for verifier in $(pids verifier-pam); do
		ps -o pid= --ppid "$verifier"
	done
}

no_zombies() {
	for verifier in $(pids verifier-pam); do
		ps -o stat= --ppid "$verifier" | grep -q Z && return 1
	done
	return 0
}
