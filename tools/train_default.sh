#!/bin/sh
# Train the model inside anew: sh tools/train_default.sh [BUILD] [SHARED] [OUT]
# Four runs; interrupt at any time, the same command goes on where it stopped.
#   1  new parts only: local head, projections, text tower, blocks 9 to 11; DeiT-Tiny's blocks 0 to 8 stay as they are
#   2  blocks 6 and above, the stages of the memory bank held near the start by distillation
#   3  blocks 3 and above, likewise
#   4  from the mean of the ends of runs 2 and 3, blocks 3 and above, six of ten subjects varied: bent, recoloured, printed
#      on, repeated, so that there are more products than are drawn
# and half of run 4 with a quarter each of 2 and 3, which does better than any of them.
# Some 430,000 pictures: three hours on two cores with AMX, days without. Then measure and look before you commit:
#   cp OUT/model.safetensors models/default.safetensors && ninja -C build && python3 tools/measure_default.py
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
shared=${2:-../shared}
out=${3:-runs/default}

# phase NUMBER START STEPS OPTION...
phase() {
    number=$1 start=$2 steps=$3
    shift 3
    [ ! -f "$out/$number/model.safetensors" ] || return 0
    echo "== phase $number of 4: $steps steps of 32 pictures"
    "$build/flaw" train --out "$out/$number" --init "$start" --steps "$steps" --seed "$number" \
        --photos "$shared/photos" \
        --photos "$shared/data/hazelnut/train/good,name=hazelnut,weight=3" \
        --photos "$shared/data/cookies/training-images,name=cookie,prefix=normal,weight=3" "$@"
}

phase 1 "$shared/models/deit-tiny" 3000 --rate 1e-3 --tower-rate 0.3 --warmup 150 --first-trained 9
phase 2 "$out/1/model.safetensors" 1500 --rate 5e-4 --tower-rate 0.6 --warmup 80 --first-trained 6 --weight-distil 1
phase 3 "$out/2/model.safetensors" 900 --rate 4e-4 --tower-rate 0.8 --warmup 40 --first-trained 3 --weight-distil 1 --ema 0.995
"$build/flaw" train export "$out/2/checkpoint.safetensors" "$out/3/checkpoint.safetensors" "$out/3/mean.safetensors"
phase 4 "$out/3/mean.safetensors" 8000 --rate 4e-4 --tower-rate 0.8 --warmup 100 --first-trained 3 --weight-distil 0 --ema 0.998 --vary 0.6
# A checkpoint that is named twice counts twice.
"$build/flaw" train export "$out/2/checkpoint.safetensors" "$out/3/checkpoint.safetensors" "$out/4/checkpoint.safetensors" \
    "$out/4/checkpoint.safetensors" "$out/model.safetensors"
