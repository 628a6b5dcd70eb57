#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Whom PAM verifiers run as: root, a user in group shadow, and who they are
# when authd is not started as root.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh
pam_service 'auth required pam_unix.so nodelay' \
    'account required pam_unix.so'
make_account alice
make_account expired
make_account checker
change_accounts() {
	usermod -a -G shadow "$checker" && chage -E 2001-01-01 "$expired"
}
with_accounts change_accounts || die "accounts cannot be changed"
shadow=$(getent group shadow | cut -d : -f 3)

ids() {
	awk -v key="$2:" '$1 == key { $1 = ""; print substr($0, 2) }' \
	    "/proc/$1/status"
}
lets_in() {
	check "$1: a right password" answers 200 "$alice:alice-pw"
	check "$1: a wrong one" answers 401 "$alice:wrong"
	check "$1: an expired account" answers 401 "$expired:expired-pw"
	check "$1: nobody" answers 401 "nobody-$alice:x"
	check "$1: nothing failed but these" [ "$(grep -c result=unavailable \
	    "$AUTHD_LOG")" -eq 0 ]
}

start_pam
for pid in $(pids verifier-pam); do
	expect "root" "0 0 0 0" "$(ids "$pid" Uid)"
done
lets_in root
stop_authd

start_pam "user: $checker"
uid=$(id -u "$checker")
for pid in $(pids verifier-pam) $(helper_pids); do
	expect "the user" "$uid $uid $uid $uid" "$(ids "$pid" Uid)"
	check "group shadow is kept" sh -c \
	    "echo ' $(ids "$pid" Groups) ' | grep -q ' $shadow '"
	expect "no privilege" 0000000000000000 "$(ids "$pid" CapEff)"
	expect "and none to come" 1 "$(ids "$pid" NoNewPrivs)"
done
lets_in "group shadow"
stop_authd

# Without that group the modules cannot see any hash, and say so.
start_pam 'user: "62015:62015"'
check "without group shadow nothing can be checked" \
    answers 503 "$alice:alice-pw"
stop_authd

sed 's/^  user: .*/  user: no-such-user/' "$T/pam.yml" >"$T/absent.yml"
refuses_to_start() {
	refuse "$1" timeout 20 "$BUILD/authd" -f "$2"
	cp "$T/check.out" "$T/refusal"
	check "$1: the log says so" grep -q "$3" "$T/refusal"
}
refuses_to_start "a user that is absent" "$T/absent.yml" \
    'pam.user: there is no user no-such-user; create it with: useradd'
mv "$PAM_D/authd" "$PAM_D/other"
refuses_to_start "a service that is absent" "$T/pam.yml" \
    "there is no readable $PAM_D/authd"
mv "$PAM_D/other" "$PAM_D/authd"

# Not root at all, but in group shadow: everything as that user.
"$BUILD/authctl" key new -o "$T" >/dev/null
chown "$checker" "$T/token.key"
sed "s,$T/keys/,$T/,g; /^  user:/d" "$T/pam.yml" >"$T/plain.yml"
cp "$BUILD/authd" "$T/authd"
chmod 755 "$T/authd"
AUTHD_LOG=$T/plain.log
gid=$(id -g "$checker")
background "$AUTHD_LOG" setpriv --reuid "$checker" --regid "$gid" \
    --init-groups "$T/authd" -f "$T/plain.yml"
AUTHD_PID=$started
wait_log "$AUTHD_LOG" 'msg=ready' || die "authd does not start as a user"
AUTHD=localhost:$(log_port "$AUTHD_LOG")
lets_in "not root"
stop_authd

# Root with the rights that the systemd unit leaves, no others.
caps=$(sed -n 's/^CapabilityBoundingSet=//p' \
    "$TESTS/../etc/systemd/authd.service" | tr ' ' '\n' |
    sed 's/^CAP_/+/' | tr 'A-Z\n' 'a-z,' | sed 's/,$//')
background "$AUTHD_LOG" setpriv "--bounding-set=-all,$caps" --no-new-privs \
    "$BUILD/authd" -f "$T/plain.yml"
AUTHD_PID=$started
wait_log "$AUTHD_LOG" 'msg=ready' || die "authd does not start confined"
AUTHD=localhost:$(log_port "$AUTHD_LOG")
lets_in "the rights of the unit"
