"""Make the random towers that the side-by-side measurements run on, as flaw bundles.

    python3 bench/peers/make_towers.py FOLDER [b] [l] [xl] [tiny]

    b     ViT-B/16 at 240: 226 tokens, 768 wide, 12 blocks
    l     ViT-L/14 at 336: 577 tokens, 1024 wide, 24 blocks
    xl    24 blocks of 1280 at 224, 2 GB of float32: for bench/start.py
    tiny  2 blocks of 128 at 96, to try things out

CLIP's shape: norm before the blocks, GELU, joint space. The weights are random at the size that trained ones have, so
that activations stay in range in every precision. The text tower is one small block: it is there so that methods that
read sentences open, and costs nothing per picture.
"""
import sys
from pathlib import Path

import numpy as np

import bundle

TOWERS = {  # side, patch, width, heads, blocks, joint
    "b": (240, 16, 768, 12, 12, 512),
    "l": (336, 14, 1024, 16, 24, 768),
    "xl": (224, 14, 1280, 16, 26, 1024),
    "tiny": (96, 16, 128, 2, 2, 64),
}
TEXT_WIDTH, CONTEXT, VOCAB = 64, 77, 514  # a vocabulary of bytes, without merges
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def block(prefix, width, hidden):
    return {f"{prefix}.norm1.w": (width,), f"{prefix}.norm1.b": (width,), f"{prefix}.qkv.w": (3 * width, width),
            f"{prefix}.qkv.b": (3 * width,), f"{prefix}.out.w": (width, width), f"{prefix}.out.b": (width,),
            f"{prefix}.norm2.w": (width,), f"{prefix}.norm2.b": (width,), f"{prefix}.fc1.w": (hidden, width),
            f"{prefix}.fc1.b": (hidden,), f"{prefix}.fc2.w": (width, hidden), f"{prefix}.fc2.b": (width,)}


def shapes_of(side, patch, width, blocks, joint):
    shapes = {"image.patch.w": (width, 3 * patch * patch), "image.cls": (width,),
              "image.position": (1 + (side // patch) ** 2, width), "image.pre.w": (width,), "image.pre.b": (width,)}
    for i in range(blocks):
        shapes.update(block(f"image.block.{i}", width, 4 * width))
    shapes.update({"image.post.w": (width,), "image.post.b": (width,), "image.proj": (joint, width),
                   "text.token": (VOCAB, TEXT_WIDTH), "text.position": (CONTEXT, TEXT_WIDTH)})
    shapes.update(block("text.block.0", TEXT_WIDTH, 4 * TEXT_WIDTH))
    shapes.update({"text.final.w": (TEXT_WIDTH,), "text.final.b": (TEXT_WIDTH,), "text.proj": (joint, TEXT_WIDTH),
                   "logit_scale": (1,)})
    return shapes


def describe(side, patch, width, heads, blocks, joint):
    common = {"activation": "gelu", "eps": 1e-5}
    return {"version": 1, "joint": joint,
            "image": {"width": width, "heads": heads, "hidden": 4 * width, **common, "causal": False, "layers": blocks,
                      "side": side, "patch": patch, "pre_norm": True, "patch_bias": False, "classes": 0,
                      "stages": [max(blocks * i // 4 - 1, 0) for i in range(1, 5)], "local_head": False},
            "prepare": {"resize_to": side, "mean": MEAN, "std": STD},
            "text": {"width": TEXT_WIDTH, "heads": 1, "hidden": 4 * TEXT_WIDTH, **common, "causal": True, "layers": 1,
                     "context": CONTEXT, "vocab": VOCAB, "end": VOCAB - 1}}


def filler(seed, blocks):
    """Matrices keep the size of what they multiply; what enters the residual is smaller by the depth."""
    random = np.random.default_rng(seed)

    def fill(name, shape):
        if name == "logit_scale":
            return np.array([np.log(100)])
        noise = random.standard_normal(shape, np.float32)
        if name.endswith((".norm1.w", ".norm2.w", ".pre.w", ".post.w", ".final.w")):
            return 1 + 0.1 * noise
        if len(shape) == 1:
            return 0.02 * noise
        if name.endswith((".position", ".token")):
            return 0.1 * noise
        depth = np.sqrt(2 * blocks) if name.endswith((".out.w", ".fc2.w")) else 1
        return noise / (np.sqrt(shape[1]) * depth)
    return fill


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or ["b", "l"]:
        side, patch, width, heads, blocks, joint = TOWERS[name]
        bundle.write_bundle(folder / f"{name}.safetensors", shapes_of(side, patch, width, blocks, joint),
                            filler(7, blocks), describe(*TOWERS[name]))
        print(folder / f"{name}.safetensors")


if __name__ == "__main__":
    main()
