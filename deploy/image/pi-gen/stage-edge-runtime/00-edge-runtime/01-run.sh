#!/bin/bash -e
# Outside the image: the package and edge.conf, which lie in this stage's files/.
# shellcheck disable=SC2154 # ROOTFS_DIR is pi-gen's

if [ ! -f files/edge-runtime_arm64.deb ]; then
    echo "copy the package to $PWD/files/edge-runtime_arm64.deb first: deploy/deb/build makes it" >&2
    exit 1
fi
install -m 644 files/edge-runtime_arm64.deb "${ROOTFS_DIR}/tmp/"
install -m 600 files/edge.conf "${ROOTFS_DIR}/boot/firmware/edge.conf"
