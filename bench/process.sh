#!/bin/sh
# What one call of the command costs from start to end: sh bench/process.sh [BUILD] [PICTURE] [ROUNDS]
# Medians in milliseconds over rounds of whole processes: the bare program, judging one picture by words, by four good
# parts, and by a recipe. Without a picture, drawn ones are used.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
picture=${2:-}
rounds=${3:-15}
flaw=$build/flaw
[ -x "$flaw" ] || { echo "process.sh: no $flaw here; sh setup.sh build makes it" >&2; exit 66; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$flaw" scenes -n 16 --size 256 --kind bottle --anomalous-share 0 --out "$scratch/scenes" >"$scratch/log"
good=$(find "$scratch/scenes" -path '*train/good*' -name '*.png' | sort | head -n 4)
[ -n "$picture" ] || picture=$(find "$scratch/scenes" -path '*test/good*' -name '*.png' | sort | head -n 1)
with_good=
for file in $good; do with_good="$with_good --good $file"; done
# shellcheck disable=SC2086
"$flaw" learn $with_good --object bottle -o "$scratch/bottle.recipe" >"$scratch/log"

# median TITLE COMMAND...
median() {
    title=$1
    shift
    i=0
    : >"$scratch/times"
    while [ "$i" -lt "$rounds" ]; do
        begin=$(date +%s%N)
        "$@" >"$scratch/log"
        end=$(date +%s%N)
        echo $(((end - begin) / 1000)) >>"$scratch/times"
        i=$((i + 1))
    done
    sort -n "$scratch/times" | awk -v title="$title" '{ t[NR] = $1 } END { printf "%-44s%9.1f ms\n", title, t[int((NR + 1) / 2)] / 1000 }'
}

echo "$picture, $rounds rounds, $(nproc) processors"
median 'the bare program (flaw --version)' "$flaw" --version
median 'inspect by words' "$flaw" inspect "$picture" --object bottle --json
# shellcheck disable=SC2086
median 'inspect by 4 good parts' "$flaw" inspect "$picture" --object bottle $with_good --json
median 'inspect by a recipe' "$flaw" inspect "$picture" --recipe "$scratch/bottle.recipe" --json
median 'the same, files written' "$flaw" inspect "$picture" --recipe "$scratch/bottle.recipe" --json --out "$scratch/out"
