#!/bin/sh
# Draw examples/ anew: four products, five good pictures each to learn from and four to judge.
#   sh tools/draw_examples.sh [FLAW] [FOLDER]     default: build/flaw examples
set -eu
cd "$(dirname "$0")/.."
flaw=${1:-build/flaw}
out=${2:-examples}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One product: name of the kind, seed of the data set, side of the pictures.
draw() {
    folder=$(printf %s "$1" | tr ' ' '_')
    "$flaw" scenes --kind "$1" -n 12 --anomalous-share 0.25 --size "$3" --seed "$2" --out "$work/$folder" >/dev/null
    to=$out/$(printf %s "$1" | tr ' ' '-')
    rm -rf "$to"
    mkdir -p "$to/good" "$to/test"
    cp "$work/$folder/$folder"/train/good/00[0-4].png "$to/good/"
    cp "$work/$folder/$folder/test/good/000.png" "$to/test/00_good.png"
    cp "$work/$folder/$folder/test/good/001.png" "$to/test/01_good.png"
    number=2
    for picture in "$work/$folder/$folder"/test/*/*.png; do
        defect=$(basename "$(dirname "$picture")")
        [ "$defect" != good ] && [ "$number" -lt 4 ] || continue
        cp "$picture" "$to/test/0${number}_$defect.png"
        number=$((number + 1))
    done
    echo "$to: $(ls "$to/test" | tr '\n' ' ')"
}

draw 'metal nut' "${SEED_NUT:-17}" 256
draw 'capsule' "${SEED_CAPSULE:-4}" 256
draw 'circuit board' "${SEED_BOARD:-3}" 256
# Leather is all grain, which PNG cannot pack: smaller pictures.
draw 'leather' "${SEED_LEATHER:-16}" 160
