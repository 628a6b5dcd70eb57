#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# PAM beside the htpasswd file: whom the first does not know, the second is
# asked about, and nobody else.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh

# As in Debian's common-auth: a stack that says the same of unknown users
# and of wrong passwords.
pam_service 'auth [success=1 default=ignore] pam_unix.so nodelay' \
    'auth requisite pam_deny.so' 'auth required pam_permit.so' \
    'account required pam_unix.so'
make_account host
for user in "$host" file; do
	echo "$user-file-pw" | "$BUILD/authctl" passwd -p "$T/htpasswd" \
	    "$user" >>"$T/authctl.log" 2>&1
done
backends() {
	sed '/^backends:/d; /^htpasswd:/d; /^verifier_user:/d' "$T/pam.yml" \
	    >"$T/both.yml"
	{
		echo "backends: [$1]"
		echo "htpasswd: $T/htpasswd"
		echo 'verifier_user: "62013:62013"'
	} >>"$T/both.yml"
	stop_authd
	start_authd "$T/both.yml"
}
start_pam

backends 'pam, htpasswd'
check "a user of the host" answers 200 "$host:host-pw"
check "his password in the file is not asked for" \
    answers 401 "$host:$host-file-pw"
check "a user of the file" answers 200 "file:file-file-pw"
check "his wrong password" answers 401 "file:x"
check "nobody of both" answers 401 "no-such-$host:x"
check "root is known to PAM, and refused" answers 401 "root:x"

backends 'htpasswd, pam'
check "now the file counts first" answers 200 "$host:$host-file-pw"
check "and the host not at all" answers 401 "$host:host-pw"
check "nobody of both again" answers 401 "no-such-$host:x"

# Without a least number, users need no account: then the stack's word
# counts, and it does not tell unknown users.
sed 's/^pam:/&\
  min_uid: 0/' "$T/pam.yml" >"$T/pam2.yml"
mv "$T/pam2.yml" "$T/pam.yml"
pam_service "auth required $HOSTILE 0" 'account required pam_permit.so'
backends 'pam'
ask "virtual:x" "scope=repository:virtual/a:pull"
expect_status 200 "a user without an account"
expect_access "repository:virtual/a:pull"
check "root, if it must be" answers 200 "root:x"
