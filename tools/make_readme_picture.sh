#!/bin/sh
# Draw docs/images/overlay.png again: sh tools/make_readme_picture.sh [BUILD] [OPTION OF flaw inspect]...
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ $# -eq 0 ] || shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$build/flaw" scenes -n 30 --size 320 --kind 'metal nut' --seed 3 --out "$scratch/scenes" >"$scratch/log"
nut=$scratch/scenes/metal_nut
bad=$(find "$nut/test" -name '*.png' -path '*foreign_object*' | sort | head -n 1)
"$build/flaw" inspect "$bad" --good "$nut/train/good" --object 'metal nut' --out "$scratch/out" "$@"
mkdir -p docs/images
cp "$scratch"/out/*_overlay.png docs/images/overlay.png
