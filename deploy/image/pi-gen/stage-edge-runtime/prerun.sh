#!/bin/bash -e
# pi-gen's own function: begin with what the stage before left.
# shellcheck disable=SC2154 # ROOTFS_DIR is pi-gen's

if [ ! -d "${ROOTFS_DIR}" ]; then
    copy_previous
fi
