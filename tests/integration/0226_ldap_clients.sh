#!/bin/sh
# SPDX-License-Identifier: ISC
#
# docker, skopeo, podman and buildah with users of a directory: log in,
# push, pull, and what they say when that is refused or cannot be checked.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./ldap.sh &&
    . ./clients.sh

is_root || skip "dockerd and podman's storage need root"
make_directory
start_slapd slapd
ldap_usual
start_ldap_authd
start_registryd
start_dockerd
make_rootfs
CLIENTS='docker skopeo podman buildah'

podman_() {
	podman --root "$T/podman" --runroot "$T/podman-run" \
	    --tmpdir "$T/podman-tmp" --storage-driver vfs \
	    --cgroup-manager cgroupfs --events-backend none "$@"
}
buildah_() {
	buildah --root "$T/podman" --runroot "$T/podman-run" \
	    --storage-driver vfs "$@"
}
skopeo_copy() {
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "$@"
}

# CLIENT USER PASSWORD
login() {
	client=$1 user=$2 password=$3
	case $client in
	docker) set -- ;;
	*) set -- --tls-verify=false ;;
	esac
	echo "$password" | "$client" login "$@" -u "$user" \
	    --password-stdin "$REGISTRY"
}

# CLIENT USER PASSWORD WHY: all four say the same of what a person mistook.
refuse_login() {
	refuse "$1: $4" login "$1" "$2" "$3"
	says "$1: $4: the reason" \
	    'incorrect username or password|invalid username/password'
}

# CLIENT: push the image to "bob/CLIENT" and pull it again.
push_and_pull() {
	image=$REGISTRY/bob/$1:1
	case $1 in
	docker)
		docker import "$T/rootfs.tar" "$image" &&
		    docker push "$image" && docker rmi -f "$image" &&
		    docker pull "$image"
		;;
	skopeo)
		skopeo_copy "docker://$REGISTRY/bob/docker:1" \
		    "docker://$image" &&
		    skopeo_copy "docker://$image" "oci:$T/layout:1"
		;;
	podman)
		podman_ import "$T/rootfs.tar" "$image" &&
		    podman_ push --tls-verify=false "$image" &&
		    podman_ rmi -f "$image" &&
		    podman_ pull --tls-verify=false "$image"
		;;
	buildah)
		buildah_ from --name work scratch &&
		    buildah_ add work "$T/rootfs.tar" &&
		    buildah_ commit work "$image" && buildah_ rm work &&
		    buildah_ push --tls-verify=false "$image" &&
		    buildah_ rmi -f "$image" &&
		    buildah_ pull --tls-verify=false "$image"
		;;
	esac
}

for client in $CLIENTS; do
	command -v "$client" >/dev/null || die "no $client"
	refuse_login "$client" Bob wrong "a wrong password"
	refuse_login "$client" nobody Bob-pw "nobody's name"
	refuse_login "$client" locked locked-pw "a locked account"
	# As the directory writes him, who is bob in the rules.
	check "$client: a right password" login "$client" Bob Bob-pw
	says "$client: it says so" 'Login Succeeded'
	check "$client: push and pull" push_and_pull "$client"
done
check "the locked account is told to the log" wait_log "$AUTHD_LOG" \
    'name=locked .*reason=locked'
expect "four wrong passwords and a right one were five binds" 5 \
    "$(binds uid=Bob,ou=people,dc=test)"

docker tag "$REGISTRY/bob/docker:1" "$REGISTRY/alice/docker:1"
refuse "docker: push to another's" docker push "$REGISTRY/alice/docker:1"
says "docker: not allowed: the reason" 'denied'

# The directory is down: nobody is told that his password is wrong, who is
# known is served on, and who is not is told whose fault it is.
stop_pid "$SLAPD_PID"
for client in $CLIENTS; do
	refuse "$client: no directory" login "$client" carol carol-pw
	says "$client: no directory: the reason" '503 .?Service Unavailable'
	cp "$T/check.out" "$T/down.$client"
	refuse "$client: no word of a wrong password" grep -Ei \
	    'incorrect|invalid username' "$T/down.$client"
done
check "docker: who is known gets on" docker pull "$REGISTRY/bob/docker:1"
