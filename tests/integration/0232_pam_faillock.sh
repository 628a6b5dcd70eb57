#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# pam_faillock: three wrong passwords lock a user out until he is let in
# again, and nobody else.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh
mkdir "$T/tally"
lock="pam_faillock.so deny=3 unlock_time=600 dir=$T/tally"
pam_service "auth required ${lock%% *} preauth silent ${lock#* }" \
    'auth sufficient pam_unix.so nodelay' \
    "auth [default=die] ${lock%% *} authfail ${lock#* }" \
    "account required $lock" 'account required pam_unix.so'
make_account alice
make_account bob
start_pam

check "alice is let in" answers 200 "$alice:alice-pw"
for n in 1 2; do
	check "wrong password $n" answers 401 "$alice:wrong"
done
check "two are too few" answers 200 "$alice:alice-pw"
for n in 1 2 3; do
	check "wrong password $n after a right one" \
	    answers 401 "$alice:wrong"
done
ask "$alice:alice-pw" ''
expect_refused
check "bob is let in" answers 200 "$bob:bob-pw"
check "the tally names the client" sh -c \
    "faillock --dir '$T/tally' --user '$alice' | grep -q 'RHOST.*127.0.0.1'"
faillock --dir "$T/tally" --user "$alice" --reset
check "alice is let in again" answers 200 "$alice:alice-pw"
