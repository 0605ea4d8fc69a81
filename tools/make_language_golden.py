#!/usr/bin/env python3
"""Expected greedy ids and largest logits of a LLaMA folder, from a few lines of PyTorch written from the paper's formulas.

    python3 tools/make_language_golden.py FOLDER > tests/golden/data/language.json

FOLDER holds config.json and model.safetensors (F16 or F32). Rotary positions turn i with i + h/2 (Hugging Face's order);
heads of keys and values are shared by as many heads of queries as the configuration says.
"""
import json
import math
import struct
import sys

import numpy as np
import torch

PROMPT = [1, 450, 760, 338]  # beginning, "The part is"
WRITTEN = 24


def read_tensors(path):
    with open(path, 'rb') as file:
        data = file.read()
    length = struct.unpack('<Q', data[:8])[0]
    header, data = json.loads(data[8:8 + length]), data[8 + length:]
    types = {'F16': np.float16, 'F32': np.float32}
    return {name: torch.from_numpy(np.frombuffer(data[slice(*x['data_offsets'])], types[x['dtype']]).astype(np.float32)
                                   .reshape(x['shape']).copy()) for name, x in header.items() if name != '__metadata__'}


def norm(x, weight, eps):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * weight


def turn(x, angle):
    half = x.shape[-1] // 2
    return x * angle.cos() + torch.cat([-x[..., half:], x[..., :half]], -1) * angle.sin()


def logits(w, c, ids):
    tokens, heads = len(ids), c['num_attention_heads']
    shared = c.get('num_key_value_heads', heads)
    d, eps = c['hidden_size'] // heads, c['rms_norm_eps']
    frequency = 1 / c.get('rope_theta', 10000.0) ** (torch.arange(0, d, 2).double() / d)
    angle = torch.outer(torch.arange(tokens).double(), frequency).float().repeat(1, 2)
    mask = torch.triu(torch.full((tokens, tokens), -math.inf), 1)
    x = w['model.embed_tokens.weight'][ids]
    for layer in range(c['num_hidden_layers']):
        def matrix(name, y, p=f'model.layers.{layer}.'):
            return y @ w[p + name + '.weight'].T
        y = norm(x, w[f'model.layers.{layer}.input_layernorm.weight'], eps)
        q = turn(matrix('self_attn.q_proj', y).view(tokens, heads, d).transpose(0, 1), angle)
        k = turn(matrix('self_attn.k_proj', y).view(tokens, shared, d).transpose(0, 1), angle)
        v = matrix('self_attn.v_proj', y).view(tokens, shared, d).transpose(0, 1)
        k, v = (t.repeat_interleave(heads // shared, 0) for t in (k, v))
        seen = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(d) + mask, -1) @ v
        x = x + matrix('self_attn.o_proj', seen.transpose(0, 1).reshape(tokens, -1))
        y = norm(x, w[f'model.layers.{layer}.post_attention_layernorm.weight'], eps)
        x = x + matrix('mlp.down_proj', torch.nn.functional.silu(matrix('mlp.gate_proj', y)) * matrix('mlp.up_proj', y))
    head = w['model.embed_tokens.weight' if c.get('tie_word_embeddings') else 'lm_head.weight']
    return norm(x, w['model.norm.weight'], eps)[-1] @ head.T


def main(folder):
    with open(folder + '/config.json', encoding='utf-8') as file:
        config = json.load(file)
    tensors, ids = read_tensors(folder + '/model.safetensors'), list(PROMPT)
    first = logits(tensors, config, ids)
    top = torch.topk(first, 10)
    for _ in range(WRITTEN):
        ids.append(int(logits(tensors, config, ids).argmax()))
    print(json.dumps({'prompt': PROMPT, 'ids': ids[len(PROMPT):], 'largest': first.abs().max().item(),
                      'top': [[i, x] for i, x in zip(top.indices.tolist(), top.values.tolist())]}))


if __name__ == '__main__':
    main(sys.argv[1])
