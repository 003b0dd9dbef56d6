#!/bin/sh
# Runs once at the first start of Raspberry Pi OS, as root: installs the package that lies beside this
# file on the boot partition. The package then applies the edge.conf that lies there too.
# What it said stands in edge-runtime-install.log on the same partition.
set -u

boot=${EDGE_RUNTIME_BOOT:-/boot/firmware}
log=$boot/edge-runtime-install.log

say() { # on the screen that is plugged in, and into the log
    echo "edge-runtime: $1" | tee -a "$log"
}

install_package() { # install_package ARGUMENT...
    # A clock that was never set, a router that is slow: apt tries again.
    DEBIAN_FRONTEND=noninteractive apt-get install --yes -o Acquire::Retries=5 \
        -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1
}

if [ "$(dpkg --print-architecture)" != arm64 ]; then
    say "this is a 32-bit system; write the card anew with Raspberry Pi OS Lite (64-bit)"
    exit 1
fi
set -- "$boot"/edge-runtime_*_arm64.deb
if [ ! -f "$1" ]; then
    say "there is no edge-runtime_VERSION_arm64.deb in $boot; copy it there and start again"
    exit 1
fi
while [ $# -gt 1 ]; do
    shift # several versions: the last one
done

say "installing $1, which takes some minutes"
if apt-get update -o Acquire::Retries=5 >>"$log" 2>&1 && install_package "$1"; then
    say "installed, with the camera's library"
elif install_package --no-install-recommends "$1"; then
    say "installed without internet; for a Pi camera: sudo apt install python3-picamera2"
else
    say "could not be installed; $log says why"
    exit 1
fi
