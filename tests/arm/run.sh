#!/bin/sh
# sh run.sh SOURCE BUILD WRITE_TOWER: the kernels' tests compiled for aarch64 in the folder BUILD and run by an emulator,
# one after the other; then the image tower that the program WRITE_TOWER writes on this machine. Exit status 77 (skipped)
# where Debian's cross compiler or the emulator is missing.
set -eu
source=$1
build=$2
write_tower=$3

for tool in aarch64-linux-gnu-gcc qemu-aarch64 meson ninja; do
    command -v "$tool" >/dev/null || {
        echo "skipped: no $tool here (packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user)"
        exit 77
    }
done

# quietly COMMAND...: its output is of interest only when it fails.
quietly() {
    "$@" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
}

[ -f "$build/build.ninja" ] ||
    quietly meson setup "$build" "$source" --cross-file "$source/tests/arm/aarch64.ini" -Dparts=kernels -Dwerror=true
quietly ninja -C "$build"

status=0
for program in "$build"/tests/arm/test_*; do
    [ ! -d "$program" ] || continue
    echo "== $(basename "$program")"
    qemu-aarch64 "$program" || status=1
done

# A processor without sdot.
QEMU_CPU=cortex-a53 qemu-aarch64 "$build/tests/arm/test_largest" || status=1

"$write_tower" "$source/examples/metal-nut/test/02_break.png" "$build/tower.bin"
qemu-aarch64 "$build/tests/arm/read_tower" "$build/tower.bin" || status=1
exit "$status"
