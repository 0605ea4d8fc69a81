#!/bin/sh
# Train the voice inside anew: sh tools/train_voice.sh [BUILD] [SHARED] [OUT]
# Four runs, each from the end of the last; interrupt at any time, the same command goes on where it stopped.
#   1  the language model, on the dialogues of models/dialogue.txt
#   2  grounding: prompt learner and language model on drawn maps whose truth is known (the place of PandaGPT's alignment)
#   3  the voice, on what the towers see of drawn scenes and photographs with painted defects; the decoder starts from the
#      towers' own head and is held there, for it is measured by its ranking and the losses of the map only blur that
#   4  the same on what a dialogue sees: maps joined of eleven views, with the decoder as it is. Six of ten are drawn; the others are
#      moved so that 0.5 lies between a subject's two states, and the picture's embedding is that of either state, so that
#      words follow the map and not what is known of the products of the training (docs/decisions/0031)
# and the result with int8 matrices, and with the bias that made most answers right on scenes drawn for that choice alone. About an
# hour on two cores with AMX. Then measure and look before you commit:
#   cp OUT/voice.safetensors models/ && ninja -C build && python3 tools/measure_voice.py
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
shared=${2:-../shared}
out=${3:-runs/voice}

[ -f "$out/1/model.safetensors" ] || "$build/flaw" train language --out "$out/1" --steps 1500 --seed 1
[ -f "$out/2/model.safetensors" ] || "$build/flaw" train anomalygpt --language "$out/1/model.safetensors" --out "$out/2" \
    --ground-share 1 --language-rate 1 --steps 1600 --warmup 50 --rate 1e-3 --seed 1
[ -f "$out/3/model.safetensors" ] || "$build/flaw" train anomalygpt --language "$out/2/model.safetensors" --out "$out/3" \
    --ground-share 0.2 --language-rate 0.3 --decoder-rate 0.001 --few-shot-share 0.4 --dialogue-share 0.1 \
    --window 640 --fresh 0.12 --steps 1900 --warmup 40 --rate 1e-3 --seed 2 --photos "$shared/photos" \
    --photos "$shared/data/hazelnut/train/good,name=hazelnut,weight=3" \
    --photos "$shared/data/cookies/training-images,name=cookie,prefix=normal,weight=3"
if [ ! -f "$out/3/voice.safetensors" ]; then
    "$build/flaw" model quantize "$out/3/model.safetensors" -o "$out/3/begun.safetensors" --keep int8
    python3 tools/set_voice_bias.py "$out/3/begun.safetensors" 4.5
    mv "$out/3/begun.safetensors" "$out/3/voice.safetensors"
fi
[ -f "$out/4/model.safetensors" ] || "$build/flaw" train anomalygpt --language "$out/3/voice.safetensors" --out "$out/4" \
    --views 11 --decoder-rate 0 --even-levels --swap-share 0.5 --ground-share 0.6 --few-shot-share 0.3 --dialogue-share 0.1 \
    --language-rate 0.3 --window 160 --fresh 0.04 --steps 500 --warmup 30 --rate 1e-3 --seed 3 --photos "$shared/photos" \
    --photos "$shared/data/hazelnut/train/good,name=hazelnut,weight=3" \
    --photos "$shared/data/cookies/training-images,name=cookie,prefix=normal,weight=3"
"$build/flaw" model quantize "$out/4/model.safetensors" -o "$out/voice.safetensors" --keep int8
python3 tools/set_voice_bias.py "$out/voice.safetensors" 4
