#!/bin/sh
# SPDX-License-Identifier: ISC
#
# podman and buildah: log in, push, pull, by digest, indexes, rights.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

is_root || skip "podman's own storage is made as root"
start_authd
start_registryd
make_rootfs
app=$REGISTRY/alice/app

podman_() {
	podman --root "$T/podman" --runroot "$T/podman-run" \
	    --tmpdir "$T/podman-tmp" --storage-driver vfs \
	    --cgroup-manager cgroupfs --events-backend none "$@"
}
buildah_() {
	buildah --root "$T/podman" --runroot "$T/podman-run" \
	    --storage-driver vfs "$@"
}
image_id() {
	podman_ image inspect --format '{{.Id}}' "$1"
}

# ---- podman ----------------------------------------------------------------

check "podman import" podman_ import "$T/rootfs.tar" "$app:1"
id=$(image_id "$app:1")
refuse "podman login with a wrong password" podman_ login \
    --tls-verify=false -u alice -p wrong "$REGISTRY"
says "wrong password: the reason" 'invalid username/password|incorrect'
check "podman login" podman_ login --tls-verify=false -u alice -p alice-pw \
    "$REGISTRY"
check "podman push" podman_ push --tls-verify=false \
    --digestfile "$T/digest" "$app:1"
podman_ rmi -f "$id" >/dev/null
check "podman pull" podman_ pull --tls-verify=false "$app:1"
expect "podman pull gives the same image" "$id" "$(image_id "$app:1")"
podman_ rmi -f "$id" >/dev/null
check "podman pull by digest" podman_ pull --tls-verify=false \
    "$app@$(cat "$T/digest")"
expect "podman pull by digest gives the same image" "$id" \
    "$(image_id "$app@$(cat "$T/digest")")"
podman_ tag "$id" "$app:1"
check "podman push in docker's format" podman_ push --tls-verify=false \
    --format v2s2 "$app:1" "$app:v2s2"
check "podman manifest create" podman_ manifest create "$app:multi"
check "podman manifest add" podman_ manifest add --tls-verify=false \
    "$app:multi" "docker://$app:1"
check "podman manifest push" podman_ manifest push --all \
    --tls-verify=false "$app:multi" "docker://$app:multi"
check "podman search --list-tags" podman_ search --list-tags \
    --tls-verify=false "$app"
says "podman sees the tags" multi
refuse "podman push where one may not" podman_ push --tls-verify=false \
    "$app:1" "$REGISTRY/bob/app:1"
says "not allowed: the reason" 'denied|unauthorized|authentication'

# ---- buildah ---------------------------------------------------------------

check "buildah from scratch" buildah_ from --name work scratch
check "buildah add" buildah_ add work "$T/rootfs.tar"
check "buildah commit" buildah_ commit work "$app:built"
check "buildah push" buildah_ push --tls-verify=false "$app:built"
buildah_ rm -a >/dev/null 2>&1
buildah_ rmi -f "$app:built" >/dev/null 2>&1
check "buildah pull" buildah_ pull --tls-verify=false "$app:built"
check "buildah manifest create" buildah_ manifest create list
check "buildah manifest add" buildah_ manifest add --tls-verify=false list \
    "docker://$app:built"
check "buildah manifest push" buildah_ manifest push --all \
    --tls-verify=false list "docker://$app:list"
check "skopeo sees buildah's index" skopeo inspect --raw \
    --tls-verify=false "docker://$app:list"
says "it is an index" 'manifests'

check "podman logout" podman_ logout "$REGISTRY"
refuse "podman pull without login" podman_ pull --tls-verify=false "$app:1"
check "buildah login" buildah_ login --tls-verify=false -u admin \
    -p admin-pw "$REGISTRY"
check "podman push as admin" podman_ push --tls-verify=false "$app:built" \
    "$REGISTRY/public/app:1"
check "buildah logout" buildah_ logout "$REGISTRY"
check "podman pull without login where allowed" podman_ pull \
    --tls-verify=false "$REGISTRY/public/app:1"
