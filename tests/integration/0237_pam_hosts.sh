#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# Modules that look at the client's address are asked for each address: what
# is remembered of one host, or asked at the same time, lets no other in.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh

make_account alice
printf '+:%s:192.0.2.1\n-:ALL:ALL\n' "$alice" >"$T/access.conf"
pam_service 'auth required pam_unix.so nodelay' \
    "account required pam_access.so accessfile=$T/access.conf"
start_pam 'verifiers: 2'
stop_authd
sed 's/^limits:.*/proxies: [127.0.0.1]/' "$T/pam.yml" >"$T/hosts.yml"
start_authd "$T/hosts.yml"

check "from where she may" from 192.0.2.1 200 "$alice:alice-pw"
check "from elsewhere" from 192.0.2.2 401 "$alice:alice-pw"
check "again from where she may" from 192.0.2.1 200 "$alice:alice-pw"
check "a wrong password" from 192.0.2.1 401 "$alice:wrong"

# All at the same moment.
printf '%s\n' '+:ALL:192.0.2.3' '-:ALL:ALL' >"$T/access.conf"
for n in 3 4 3 5 3 6; do
	echo "a$n $(printf '%s:alice-pw' "$alice" | base64) 192.0.2.$n"
done >"$T/requests"
ask_many 6 <"$T/requests" >"$T/times"
expect "each host has its own answer" "a3 200
a3 200
a3 200
a4 401
a5 401
a6 401" "$(cut -d ' ' -f 1,2 "$T/times" | sort)"
