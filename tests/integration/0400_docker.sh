#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The docker client with a dockerd of its own: log in, push, pull, by digest
# too, an index, a mount, and what is refused.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

start_authd
start_registryd
start_dockerd
make_rootfs
app=$REGISTRY/alice/app

check "import" docker import -c 'CMD ["/bin/sh"]' "$T/rootfs.tar" "$app:1"
id=$(docker image inspect -f '{{.Id}}' "$app:1")

# ---- login -----------------------------------------------------------------

refuse "push before login" docker push "$app:1"
says "push before login: the reason" 'denied|unauthorized|authentication'
refuse "login with a wrong password" \
    docker login -u alice -p wrong "$REGISTRY"
says "wrong password: the reason" 'incorrect username or password'
refuse "login as nobody" docker login -u nobody -p alice-pw "$REGISTRY"
says "nobody: the same reason" 'incorrect username or password'
check "login" docker login -u alice -p alice-pw "$REGISTRY"
says "login succeeded" 'login succeeded'

# ---- push and pull ---------------------------------------------------------

check "push" docker push "$app:1"
digest=$(sed -n 's/.*digest: \(sha256:[0-9a-f]*\).*/\1/p' "$T/check.out")
expect "push names a digest" 71 ${#digest}
check "push again" docker push "$app:1"
says "push again sends nothing" 'already exists'
check "rmi" docker rmi -f "$id"
check "pull" docker pull "$app:1"
expect "pull gives the same image" "$id" \
    "$(docker image inspect -f '{{.Id}}' "$app:1")"
docker rmi -f "$id" >/dev/null 2>&1
check "pull by digest" docker pull "$app@$digest"
expect "pull by digest gives the same image" "$id" \
    "$(docker image inspect -f '{{.Id}}' "$app@$digest")"
docker tag "$app@$digest" "$app:1"
refuse "pull of an unknown tag" docker pull "$app:none"
says "unknown tag: the reason" 'manifest unknown|not found'

docker tag "$app:1" "$REGISTRY/alice/other/deep:1"
check "push to another repository" docker push "$REGISTRY/alice/other/deep:1"
says "the layer is mounted" 'mounted from alice/app'

# ---- an index --------------------------------------------------------------

echo arm >"$T/rootfs/arch"
tar -C "$T/rootfs" -cf "$T/rootfs2.tar" .
docker import --platform linux/arm64 "$T/rootfs2.tar" "$app:arm" \
    >/dev/null 2>&1
check "push the other architecture" docker push "$app:arm"
DOCKER_CLI_EXPERIMENTAL=enabled
export DOCKER_CLI_EXPERIMENTAL
check "manifest create" docker manifest create --insecure "$app:multi" \
    "$app:1" "$app:arm"
check "manifest annotate" docker manifest annotate --arch arm64 "$app:multi" \
    "$app:arm"
check "manifest push" docker manifest push --insecure "$app:multi"
check "pull from the index" docker pull "$app:multi"
expect "pull from the index gives this architecture" "$id" \
    "$(docker image inspect -f '{{.Id}}' "$app:multi")"
check "pull the other architecture" docker pull --platform linux/arm64 \
    "$app:multi"

# ---- rights ----------------------------------------------------------------

docker tag "$app:1" "$REGISTRY/bob/app:1"
refuse "push where one may not" docker push "$REGISTRY/bob/app:1"
says "not allowed: the reason" 'denied'
check "login as admin" docker login -u admin -p admin-pw "$REGISTRY"
docker tag "$app:1" "$REGISTRY/public/app:1"
check "push as admin" docker push "$REGISTRY/public/app:1"
check "logout" docker logout "$REGISTRY"
docker rmi -f "$REGISTRY/public/app:1" >/dev/null
check "anonymous pull where allowed" docker pull "$REGISTRY/public/app:1"
refuse "anonymous pull where not" docker pull "$app:1"
says "anonymous: the reason" 'denied|unauthorized|authentication'
refuse "anonymous push" docker push "$REGISTRY/public/app:1"
