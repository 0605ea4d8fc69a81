#!/usr/bin/env python3
"""Make tests/golden/data/clip-tiny: one small CLIP with random weights in OpenCLIP (BF16), Hugging Face (F16) and, for
the image tower alone, timm form, with what PyTorch computes from them. Needs Debian's python3-torch and python3-pil:

    /usr/bin/python3 tools/make_clip_golden.py

The reference below is written from the definition of the networks with torch's own attention, and shares no code with
the library. Weights are rounded to numbers that BF16 and F16 both hold, so all forms are the same model.
"""
import collections
import html
import json
import os
import struct
import unicodedata

import torch
import torch.nn.functional as F
from PIL import Image

OUT = "tests/golden/data/clip-tiny"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
SIDE, PATCH, WIDTH, HEADS, LAYERS, JOINT = 32, 8, 24, 2, 3, 20
TEXT_WIDTH, TEXT_HEADS, TEXT_LAYERS, CONTEXT = 16, 2, 2, 20
MERGES = 120
WORDS = """a photo of the a close-up photo of a damaged bottle without defect perfect flawless metal nut wooden texture
scratch crack hole colour stain broken bent part printed circuit board café naïve größe Größe ΟΔΟΣ μικρό винт гайка
it's isn't we're they'll 12mm 304 #5 & < > "quoted" semi-gloss capsule hazelnut zipper leather tile carpet grid""".split()
TEXTS = ["a photo of a bottle.", "Flawless   Printed Circuit Board!", "it's a nut, isn't it? We'LL see: they've I'm he'd",
         "naïve café — Größe 12mm", "damaged zipper with 3 broken teeth &amp;amp; a scratch", "", "   \t\n ",
         "ΟΔΟΣ μικρό ΣΑΣ Σ", "ВИНТ и гайка", "螺丝 有划痕", "x&lt;y &#233; &#xE9; &notit; &nosuch; &eacute &#128; &#0;",
         "a" * 200, "word " * 40, "e\u0301 combining ½ ² Ⅷ ٣", "tab\there\u00a0there\u3000end", "İstanbul DŽ ẞ",
         "🔩🔧 emoji", "'s 't 'x ''s", "100%_sure--ok"]


def rounded(*shape, std=0.2, mean=0.0):
    x = (torch.randn(*shape) * std + mean).bfloat16().float()
    return torch.where(x.abs() < 2.0 ** -13, torch.zeros_like(x), x)


# Tokenizer: byte alphabet, merges learnt from WORDS, and CLIP's cleaning and words, from their definitions.

def byte_alphabet():
    printable = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) if b in printable else chr(256 + others.index(b)) for b in printable + others}


ALPHABET = byte_alphabet()


def letters_of(word):
    symbols = [ALPHABET[b] for b in word.encode()]
    return symbols[:-1] + [symbols[-1] + "</w>"]


def joined(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


def learn_merges():
    words = [letters_of(w) for text in WORDS for w in split(text.lower())]
    merges = []
    while len(merges) < MERGES:
        pairs = collections.Counter(p for w in words for p in zip(w, w[1:]))
        pair = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(pair)
        words = [joined(w, pair) for w in words]
    return merges


def split(text):
    """CLIP's regular expression without its control tokens, as a scanner."""
    def kind(c):
        return "space" if c.isspace() else {"L": "letter", "N": "number"}.get(unicodedata.category(c)[0], "other")
    i, out = 0, []
    while i < len(text):
        if kind(text[i]) == "space":
            i += 1
            continue
        ending = next((e for e in ("s", "t", "re", "ve", "m", "ll", "d") if text[i:].startswith("'" + e)), None)
        j = i + 1
        if ending:
            j = i + 1 + len(ending)
        elif kind(text[i]) != "number":
            while j < len(text) and kind(text[j]) == kind(text[i]):
                j += 1
        out.append(text[i:j])
        i = j
    return out


def encode(text, vocab, ranks):
    text = " ".join(html.unescape(html.unescape(text)).split()).lower()
    ids = []
    for word in split(text):
        symbols = letters_of(word)
        while len(symbols) > 1:
            pair = min(zip(symbols, symbols[1:]), key=lambda p: ranks.get(p, 1 << 30))
            if pair not in ranks:
                break
            symbols = joined(symbols, pair)
        ids += [vocab[s] for s in symbols]
    ids = [vocab["<|startoftext|>"]] + ids + [vocab["<|endoftext|>"]]
    return ids if len(ids) <= CONTEXT else ids[:CONTEXT - 1] + ids[-1:]


def make_vocab(merges):
    tokens = list(ALPHABET.values())
    tokens += [t + "</w>" for t in tokens] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return {t: i for i, t in enumerate(tokens)}


# Network.

def block_weights(width, hidden):
    shapes = {"ln_1.weight": (width,), "ln_1.bias": (width,), "qkv.weight": (3 * width, width), "qkv.bias": (3 * width,),
              "out.weight": (width, width), "out.bias": (width,), "ln_2.weight": (width,), "ln_2.bias": (width,),
              "fc1.weight": (hidden, width), "fc1.bias": (hidden,), "fc2.weight": (width, hidden), "fc2.bias": (width,)}
    return {k: rounded(*s, mean=1.0 if k in ("ln_1.weight", "ln_2.weight") else 0.0) for k, s in shapes.items()}


def block(x, w, heads, act, eps, mask=None):
    width = x.shape[-1]
    h = F.layer_norm(x, (width,), w["ln_1.weight"], w["ln_1.bias"], eps).transpose(0, 1)
    h = F.multi_head_attention_forward(h, h, h, width, heads, w["qkv.weight"], w["qkv.bias"], None, None, False, 0.0,
                                       w["out.weight"], w["out.bias"], training=False, need_weights=False,
                                       attn_mask=mask)[0]
    x = x + h.transpose(0, 1)
    h = F.layer_norm(x, (width,), w["ln_2.weight"], w["ln_2.bias"], eps)
    h = act(F.linear(h, w["fc1.weight"], w["fc1.bias"]))
    return x + F.linear(h, w["fc2.weight"], w["fc2.bias"])


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def tower(x, m, act):
    """Tokens before ln_pre -> (blocks, normed tokens)."""
    if "pre" in m:
        x = F.layer_norm(x, x.shape[-1:], *m["pre"], m["eps"])
    blocks = []
    for w in m["blocks"]:
        x = block(x, w, m["heads"], act, m["eps"])
        blocks.append(x)
    return blocks, F.layer_norm(x, x.shape[-1:], *m["post"], m["eps"])


def embed(pixels, m):
    x = F.conv2d(pixels, m["patch"], m.get("patch_bias"), stride=m["patch"].shape[-1]).flatten(2).transpose(1, 2)
    return torch.cat([m["cls"].expand(len(x), 1, -1), x], 1) + m["position"]


def windows(x, k, m, act):
    grid = SIDE // PATCH
    out = []
    for top in range(grid - k + 1):
        for left in range(grid - k + 1):
            index = [0] + [1 + (top + y) * grid + left + c for y in range(k) for c in range(k)]
            out.append(tower(x[:, index], m, act)[1][0, 0] @ m["proj"].T)
    return torch.stack(out)


def text_embedding(ids, m, act):
    mask = torch.full((CONTEXT, CONTEXT), float("-inf")).triu(1)
    padded = ids + [0] * (CONTEXT - len(ids))
    x = (m["token"][padded] + m["position"])[None]
    for w in m["blocks"]:
        x = block(x, w, m["heads"], act, m["eps"], mask)
    x = F.layer_norm(x, x.shape[-1:], *m["final"], m["eps"])
    return x[0, len(ids) - 1] @ m["proj"].T


# Files.

def write(path, tensors, dtype, metadata=None):
    header, data = {"__metadata__": metadata or {"format": "pt"}}, b""
    for name, x in tensors.items():
        x = x.contiguous()
        raw = {"F32": lambda: x.numpy().tobytes(), "F16": lambda: x.half().numpy().tobytes(),
               "BF16": lambda: x.bfloat16().view(torch.int16).numpy().tobytes()}[dtype]()
        header[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(OUT, path), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def write_json(path, value):
    with open(os.path.join(OUT, path), "w") as f:
        json.dump(value, f, indent=1, ensure_ascii=False)
        f.write("\n")


def openclip_names(image, text):
    out = {"visual.class_embedding": image["cls"], "visual.positional_embedding": image["position"],
           "visual.proj": image["proj"].T, "visual.conv1.weight": image["patch"]}
    for name, key in (("ln_pre", "pre"), ("ln_post", "post")):
        out[f"visual.{name}.weight"], out[f"visual.{name}.bias"] = image[key]
    names = {"ln_1": "ln_1", "ln_2": "ln_2", "fc1": "mlp.c_fc", "fc2": "mlp.c_proj", "out": "attn.out_proj"}
    for prefix, m in (("visual.", image), ("", text)):
        for i, w in enumerate(m["blocks"]):
            for key, x in w.items():
                part, kind = key.rsplit(".", 1)
                name = f"attn.in_proj_{kind}" if part == "qkv" else f"{names[part]}.{kind}"
                out[f"{prefix}transformer.resblocks.{i}.{name}"] = x
    out |= {"positional_embedding": text["position"], "text_projection": text["proj"].T, "logit_scale": text["scale"],
            "token_embedding.weight": text["token"], "ln_final.weight": text["final"][0],
            "ln_final.bias": text["final"][1]}
    return out


def hf_names(image, text):
    out = {"logit_scale": text["scale"], "visual_projection.weight": image["proj"],
           "text_projection.weight": text["proj"], "vision_model.embeddings.class_embedding": image["cls"],
           "vision_model.embeddings.patch_embedding.weight": image["patch"],
           "vision_model.embeddings.position_embedding.weight": image["position"],
           "vision_model.pre_layrnorm.weight": image["pre"][0], "vision_model.pre_layrnorm.bias": image["pre"][1],
           "vision_model.post_layernorm.weight": image["post"][0], "vision_model.post_layernorm.bias": image["post"][1],
           "text_model.embeddings.token_embedding.weight": text["token"],
           "text_model.embeddings.position_embedding.weight": text["position"],
           "text_model.embeddings.position_ids": torch.arange(CONTEXT).float()[None],
           "text_model.final_layer_norm.weight": text["final"][0], "text_model.final_layer_norm.bias": text["final"][1]}
    names = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2", "out": "self_attn.out_proj"}
    for prefix, m in (("vision_model", image), ("text_model", text)):
        for i, w in enumerate(m["blocks"]):
            for key, x in w.items():
                part, kind = key.rsplit(".", 1)
                at = f"{prefix}.encoder.layers.{i}."
                if part == "qkv":
                    for letter, piece in zip("qkv", x.chunk(3)):
                        out[f"{at}self_attn.{letter}_proj.{kind}"] = piece
                else:
                    out[f"{at}{names[part]}.{kind}"] = x
    return out


def timm_names(m):
    out = {"cls_token": m["cls"][None, None], "pos_embed": m["position"][None], "patch_embed.proj.weight": m["patch"],
           "patch_embed.proj.bias": m["patch_bias"], "norm.weight": m["post"][0], "norm.bias": m["post"][1],
           "head.weight": m["head"][0], "head.bias": m["head"][1]}
    names = {"ln_1": "norm1", "ln_2": "norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2", "qkv": "attn.qkv", "out": "attn.proj"}
    for i, w in enumerate(m["blocks"]):
        for key, x in w.items():
            part, kind = key.rsplit(".", 1)
            out[f"blocks.{i}.{names[part]}.{kind}"] = x
    return out


def configurations(vocab):
    write_json("open_clip/open_clip_config.json", {
        "model_cfg": {"embed_dim": JOINT, "quick_gelu": True,
                      "vision_cfg": {"image_size": SIDE, "layers": LAYERS, "width": WIDTH, "patch_size": PATCH,
                                     "head_width": WIDTH // HEADS, "mlp_ratio": 2.0},
                      "text_cfg": {"context_length": CONTEXT, "vocab_size": len(vocab), "width": TEXT_WIDTH,
                                   "heads": TEXT_HEADS, "layers": TEXT_LAYERS, "mlp_ratio": 3}},
        "preprocess_cfg": {"mean": MEAN, "std": STD}})
    write_json("hf/config.json", {
        "model_type": "clip", "projection_dim": JOINT,
        "vision_config": {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": LAYERS,
                          "num_attention_heads": HEADS, "image_size": SIDE, "patch_size": PATCH},
        "text_config": {"hidden_size": TEXT_WIDTH, "intermediate_size": 3 * TEXT_WIDTH, "eos_token_id": len(vocab) - 1,
                        "num_hidden_layers": TEXT_LAYERS, "num_attention_heads": TEXT_HEADS,
                        "max_position_embeddings": CONTEXT, "vocab_size": len(vocab)}})
    write_json("hf/preprocessor_config.json", {
        "crop_size": SIDE, "size": SIDE, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "image_mean": MEAN, "image_std": STD, "resample": 3})
    write_json("hf/vocab.json", vocab)


def draw_picture():
    """Smooth colours with a hard edge and a little noise, 53 x 41: odd margins when cropped."""
    noise = torch.randint(0, 24, (41, 53, 3))
    y, x = torch.meshgrid(torch.arange(41), torch.arange(53), indexing="ij")
    base = torch.stack([x * 4, y * 5, (x + y) * 2], -1)
    base[10:20, 30:45] = torch.tensor([220, 30, 90])
    image = Image.fromarray((base + noise).clamp(0, 255).to(torch.uint8).numpy())
    image.save(os.path.join(OUT, "picture.png"))
    return image


def prepare(image, side, to, mean, std):
    w, h = image.size
    short = min(w, h)
    image = image.resize((to * w // short, to * h // short), Image.BICUBIC)
    left, top = round((image.size[0] - side) / 2), round((image.size[1] - side) / 2)
    image = image.crop((left, top, left + side, top + side))
    x = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).reshape(side, side, 3).permute(2, 0, 1)
    return ((x / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None])[None]


def make_image():
    tokens = (SIDE // PATCH) ** 2 + 1
    return {"patch": rounded(WIDTH, 3, PATCH, PATCH, std=0.1), "cls": rounded(WIDTH), "position": rounded(tokens, WIDTH),
            "pre": (rounded(WIDTH, mean=1), rounded(WIDTH)), "post": (rounded(WIDTH, mean=1), rounded(WIDTH)),
            "proj": rounded(JOINT, WIDTH), "heads": HEADS, "eps": 1e-5,
            "blocks": [block_weights(WIDTH, 2 * WIDTH) for _ in range(LAYERS)]}


def make_text(vocab):
    return {"token": rounded(len(vocab), TEXT_WIDTH, std=0.5), "position": rounded(CONTEXT, TEXT_WIDTH),
            "final": (rounded(TEXT_WIDTH, mean=1), rounded(TEXT_WIDTH)), "proj": rounded(JOINT, TEXT_WIDTH),
            "heads": TEXT_HEADS, "eps": 1e-5, "scale": torch.tensor(2.65625),
            "blocks": [block_weights(TEXT_WIDTH, 3 * TEXT_WIDTH) for _ in range(TEXT_LAYERS)]}


def make_timm():
    return {"patch": rounded(64, 3, PATCH, PATCH, std=0.1), "patch_bias": rounded(64), "cls": rounded(64),
            "position": rounded(17, 64), "post": (rounded(64, mean=1), rounded(64)), "eps": 1e-6, "heads": 1,
            "head": (rounded(7, 64), rounded(7)), "blocks": [block_weights(64, 32) for _ in range(2)]}


def main():
    torch.manual_seed(11)
    for folder in ("open_clip", "hf", "timm"):
        os.makedirs(os.path.join(OUT, folder), exist_ok=True)
    merges = learn_merges()
    vocab, ranks = make_vocab(merges), {m: i for i, m in enumerate(merges)}
    lines = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
    for path in ("open_clip/bpe_simple_vocab_16e6.txt", "hf/merges.txt"):
        with open(os.path.join(OUT, path), "w") as f:
            f.write(lines)
    image, text, timm, picture = make_image(), make_text(vocab), make_timm(), draw_picture()
    configurations(vocab)
    write("open_clip/open_clip_model.safetensors", openclip_names(image, text), "BF16")
    write("hf/model.safetensors", hf_names(image, text), "F16")
    write("timm/model.safetensors", timm_names(timm), "F16")

    expected = {"pixels": prepare(picture, SIDE, SIDE, MEAN, STD)}
    for name, act in (("quick", quick_gelu), ("gelu", F.gelu)):
        x = embed(expected["pixels"], image)
        blocks, normed = tower(x, image, act)
        for i, b in enumerate(blocks):
            expected[f"{name}.block{i}"] = b
        expected[f"{name}.cls"] = normed[0, 0] @ image["proj"].T
        expected[f"{name}.patches"] = normed[0, 1:] @ image["proj"].T
        for k in (1, 2, 3, 4):
            expected[f"{name}.window{k}"] = windows(x, k, image, act)
        for i, t in enumerate(TEXTS):
            expected[f"{name}.text{i}"] = text_embedding(encode(t, vocab, ranks), text, act)
    expected["timm.pixels"] = prepare(picture, 32, 36, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    blocks, normed = tower(embed(expected["timm.pixels"], timm), timm, F.gelu)
    for i, b in enumerate(blocks):
        expected[f"timm.block{i}"] = b
    expected["timm.cls"] = normed[0, 0]
    expected["timm.logits"] = F.linear(normed[0, 0], *timm["head"])
    write("expected.safetensors", {k: v.detach() for k, v in expected.items()}, "F32",
          {"what": "float32 results of PyTorch %s" % torch.__version__})
    write_json("texts.json", [{"text": t, "ids": encode(t, vocab, ranks)} for t in TEXTS])


if __name__ == "__main__":
    main()
