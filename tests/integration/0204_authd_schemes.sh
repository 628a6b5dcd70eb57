#!/bin/sh
# SPDX-License-Identifier: ISC
# Password files of other tools: Apache's htpasswd and openssl passwd.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh

command -v htpasswd >/dev/null || die "there is no htpasswd(1)"
{
	echo '# users of three tools'
	htpasswd -Bbn low low-pw
	htpasswd -B -C 10 -bn colon 'a:b%c d'
	htpasswd -B -C 10 -bn utf8 'grün'
	htpasswd -B -C 10 -bn blank '   '
	echo "sha512:$(openssl passwd -6 sha512-pw)"
	printf 'sha256:%s\r\n' "$(openssl passwd -5 sha256-pw)"
	echo 'locked:!'
	printf 'last:%s' "$(openssl passwd -6 last-pw)"
} >"$T/htpasswd"
chmod 600 "$T/htpasswd"
start_authd
check "a low cost is warned of" log_has "$AUTHD_LOG" \
    'warning: .*htpasswd:2: bcrypt cost below 10 \(1 of 8 users\)'
for user in low sha512 sha256 last; do
	check "$user" answers 200 "$user:$user-pw"
	check "$user with another password" answers 401 "$user:$user"
done
check "a colon in a password" answers 200 'colon:a:b%c d'
check "a password of blanks" answers 200 'blank:   '
check "one blank less" answers 401 'blank:  '
post grant_type=password username=blank password='   '
expect_status 200 "the same in a form"
check "a password in UTF-8" answers 200 'utf8:grün'
post grant_type=password username=utf8 password='grün'
expect_status 200 "the same in a form"
check "a locked user" answers 401 'locked:!'
long=$(printf '%0600d' 1)
check "a password of 600 bytes" answers 401 "low:$long"
stop_authd

for line in 'x:$apr1$abcdefgh$0123456789012345678901' 'x:secret' 'x:' 'x' \
    'x:$2y$31$ySMcIdvFGOy/RZqIMK8mVufKq6qkdCFQRnZJY99Ldo.07azPK8262' \
    'low:!'; do
	cp "$T/htpasswd" "$T/wrong"
	printf '\n%s\n' "$line" >>"$T/wrong"
	sed "s,htpasswd:.*,htpasswd: $T/wrong," "$T/authd.yml" >"$T/w.yml"
	timeout 10 "$BUILD/authd" -f "$T/w.yml" >"$T/out" 2>&1
	expect "refused: $line" 1 $?
	check "its line is named" grep -q 'wrong:14: ' "$T/out"
done
