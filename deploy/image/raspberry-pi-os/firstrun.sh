#!/bin/sh
# For Raspberry Pi OS Bookworm, which has no cloud-init. systemd runs it once in place of a start, when
# the one line of cmdline.txt on the boot partition ends with
#
#   systemd.run=/boot/firmware/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target
#
# There is no network in that start. So it only arranges for the next one, and takes itself out.
set -eu

boot=${EDGE_RUNTIME_BOOT:-/boot/firmware}
root=${EDGE_RUNTIME_ROOT:-}

cat >"$root/etc/systemd/system/edge-runtime-install.service" <<'UNIT'
[Unit]
Description=Install edge-runtime from the boot partition
ConditionPathExists=!/usr/bin/edge-runtime
RequiresMountsFor=/boot/firmware
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh /boot/firmware/edge-runtime-install.sh
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../edge-runtime-install.service "$root/etc/systemd/system/multi-user.target.wants/"

# Without these words the next start is an ordinary one. A new file, then renamed: no half line.
sed 's| *systemd\.[^ ]*||g' "$boot/cmdline.txt" >"$boot/cmdline.new"
sync
mv "$boot/cmdline.new" "$boot/cmdline.txt"
sync
