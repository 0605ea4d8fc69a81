#!/bin/sh
# The paper's ablation on the voice inside: adapters (LoRA) in its language model in place of its prompt learner, everything
# else as the voice has it: sh tools/train_adapter.sh [BUILD] [SHARED] [OUT]
# Seven minutes on one core with AMX; interrupt at any time, the same command goes on where it stopped. Then measure:
#   python3 tools/measure_voice.py --adapter OUT/model.safetensors
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
shared=${2:-../shared}
out=${3:-runs/adapter}

"$build/flaw" train anomalygpt --adapter 16 --language models/voice.safetensors --out "$out" --decoder-rate 0.001 \
    --dialogue-share 0.1 --window 640 --fresh 0.12 --steps 700 --warmup 40 --rate 2e-3 --seed 2 --evaluate-every 350 \
    --photos "$shared/photos" --photos "$shared/data/hazelnut/train/good,name=hazelnut,weight=3" \
    --photos "$shared/data/cookies/training-images,name=cookie,prefix=normal,weight=3"
