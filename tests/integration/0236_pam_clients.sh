#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
# docker, skopeo, podman and buildah log in with accounts of the host.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./pam.sh &&
    . ./clients.sh

on_exit() {
	unmount_all
	with_accounts remove_accounts
}
pam_service 'auth required pam_unix.so' 'account required pam_unix.so'
make_account alice
make_account must
with_accounts chage -d 0 "$must" || die "accounts cannot be changed"
start_pam
start_registryd
start_dockerd

login() {
	client=$1 user=$2 password=$3
	case $client in
	docker) set -- ;;
	*) set -- --tls-verify=false ;;
	esac
	echo "$password" | "$client" login "$@" -u "$user" \
	    --password-stdin "$REGISTRY"
}
for client in docker skopeo podman buildah; do
	command -v $client >/dev/null || die "no $client"
	check "$client: a right password" login $client "$alice" alice-pw
	says "$client: it says so" 'Login Succeeded'
	refuse "$client: a wrong one" login $client "$alice" wrong
	says "$client: the reason" \
	    'incorrect username or password|invalid username/password'
	refuse "$client: must change password" login $client "$must" must-pw
	says "$client: the same reason" \
	    'incorrect username or password|invalid username/password'
done
