#!/bin/sh
# boot.sh TREE LAYER [COMMAND...]: runs a command, or boots systemd as process 1, in a Debian tree (or UPPER:LOWER) for
# any processor for which binfmt_misc has an emulator. Writes go to LAYER; the network is that of this machine. Needs root.
set -eu
if [ "${IN_NAMESPACES:-}" != yes ]; then
	IN_NAMESPACES=yes exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup "$0" "$@"
fi
tree=$1 layer=$2 root=$2/root
shift 2
mount --make-rprivate /
mkdir -p "$layer/changes" "$layer/work" "$root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$layer/changes,workdir=$layer/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
chmod 1777 "$root/tmp"
mkdir "$root/dev/pts" "$root/dev/shm"
chmod 1777 "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
[ $# -gt 0 ] || set -- /lib/systemd/systemd --unit=multi-user.target
hostname raspberrypi
# A root of its own, not just a chroot: systemd gives its services namespaces by the same means.
mkdir "$root/run/before"
cd "$root"
pivot_root . run/before
umount --lazy /run/before
rmdir /run/before
# `container` tells systemd that it has no hardware to set up.
exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root "$@"
