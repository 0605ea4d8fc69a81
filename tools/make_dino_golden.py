#!/usr/bin/python3
"""Reference results of DINOv2 towers for tests/golden/test_dino.c, from a plain PyTorch model written from the papers
(arXiv 2304.07193, 2309.16588) and the documentation of the weights; no published weights are needed or used.

Weights come from a formula of their name and index, the same in the test, so that none need be kept; the one torch file is
kept as it is written here.

    tools/make_dino_golden.py tests/golden/data/dino
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

WIDTH, LAYERS, PATCH, NATIVE = 64, 4, 4, 7


def uniform(name, count):
    """Numbers in [-0.5, 0.5) from the name's FNV-1a hash and the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xffffffff
    mask = np.uint64(0xffffffff)
    x = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed)) & mask
    for shift, factor in ((16, 0x85ebca6b), (13, 0xc2b2ae35), (16, 1)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor) & mask
    return x.astype(np.float64) / 2.0**32 - 0.5


def weight(name, *shape):
    u = uniform(name, int(np.prod(shape)))
    if 'norm' in name and name.endswith('weight'):
        u = 1 + 0.5 * u
    elif name.endswith('gamma'):
        u = 0.6 + 0.8 * u
    elif name.endswith('bias'):
        u = 0.3 * u
    elif name.endswith('weight'):
        u = 3.5 / np.sqrt(np.prod(shape[1:])) * u
    return torch.from_numpy(u.astype(np.float32)).reshape(shape)


def make_weights(registers, gated, layers=LAYERS, hidden=2 * WIDTH):
    d = WIDTH
    shapes = {'cls_token': (1, 1, d), 'mask_token': (1, d), 'pos_embed': (1, 1 + NATIVE**2, d),
              'patch_embed.proj.weight': (d, 3, PATCH, PATCH), 'patch_embed.proj.bias': (d,),
              'norm.weight': (d,), 'norm.bias': (d,)}
    if registers:
        shapes['register_tokens'] = (1, registers, d)
    first, second, rows = ('w12', 'w3', 2 * hidden) if gated else ('fc1', 'fc2', hidden)
    for i in range(layers):
        shapes.update({f'blocks.{i}.' + key: shape for key, shape in {
            'norm1.weight': (d,), 'norm1.bias': (d,), 'attn.qkv.weight': (3 * d, d), 'attn.qkv.bias': (3 * d,),
            'attn.proj.weight': (d, d), 'attn.proj.bias': (d,), 'ls1.gamma': (d,),
            'norm2.weight': (d,), 'norm2.bias': (d,), f'mlp.{first}.weight': (rows, d), f'mlp.{first}.bias': (rows,),
            f'mlp.{second}.weight': (d, hidden), f'mlp.{second}.bias': (d,), 'ls2.gamma': (d,)}.items()})
    return {name: weight(name, *shape) for name, shape in shapes.items()}


def resample(grid_positions, side, way):
    """[1, D, n, n] -> [1, D, side, side]"""
    if way == 'offset':
        scale = (side + 0.1) / grid_positions.shape[-1]
        out = F.interpolate(grid_positions, scale_factor=(scale, scale), mode='bicubic', antialias=False)
    else:
        out = F.interpolate(grid_positions, size=(side, side), mode='bicubic', antialias=way == 'smooth')
    assert out.shape[-2:] == (side, side)
    return out


def positions(w, grid, way):
    given = w['pos_embed']
    if grid == NATIVE:
        return given
    patches = given[:, 1:].reshape(1, NATIVE, NATIVE, WIDTH).permute(0, 3, 1, 2)
    patches = resample(patches, grid, way).permute(0, 2, 3, 1).reshape(1, grid * grid, WIDTH)
    return torch.cat((given[:, :1], patches), 1)


def attention(x, w, block, heads):
    q, k, v = F.linear(x, w[block + 'attn.qkv.weight'], w[block + 'attn.qkv.bias']).chunk(3, -1)
    q, k, v = (t.reshape(t.shape[1], heads, -1).transpose(0, 1) for t in (q, k, v))
    scores = q @ k.transpose(1, 2) / (WIDTH // heads)**0.5
    mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(1, -1, WIDTH)
    return F.linear(mixed, w[block + 'attn.proj.weight'], w[block + 'attn.proj.bias'])


def mlp(x, w, block, gated):
    if gated:
        gate, up = F.linear(x, w[block + 'mlp.w12.weight'], w[block + 'mlp.w12.bias']).chunk(2, -1)
        return F.linear(F.silu(gate) * up, w[block + 'mlp.w3.weight'], w[block + 'mlp.w3.bias'])
    hidden = F.gelu(F.linear(x, w[block + 'mlp.fc1.weight'], w[block + 'mlp.fc1.bias']))
    return F.linear(hidden, w[block + 'mlp.fc2.weight'], w[block + 'mlp.fc2.bias'])


def norm(x, w, name):
    return F.layer_norm(x, (WIDTH,), w[name + '.weight'], w[name + '.bias'], 1e-6)


def run(w, grid, heads, way, class_position=True, layers=LAYERS):
    """Class token and patches behind the final norm, patches after the second block."""
    gated, side = 'blocks.0.mlp.w12.weight' in w, grid * PATCH
    pixels = torch.from_numpy((4 * uniform('pixels', 3 * side * side)).astype(np.float32)).reshape(1, 3, side, side)
    patches = F.conv2d(pixels, w['patch_embed.proj.weight'], w['patch_embed.proj.bias'], stride=PATCH)
    x = torch.cat((w['cls_token'], patches.flatten(2).transpose(1, 2)), 1)
    position = positions(w, grid, way).clone()
    if not class_position:
        position[:, 0] = 0
    x = x + position
    count = 1
    if 'register_tokens' in w:
        x = torch.cat((x[:, :1], w['register_tokens'], x[:, 1:]), 1)
        count += w['register_tokens'].shape[1]
    stage = None
    for i in range(layers):
        block = f'blocks.{i}.'
        x = x + w[block + 'ls1.gamma'] * attention(norm(x, w, block + 'norm1'), w, block, heads)
        x = x + w[block + 'ls2.gamma'] * mlp(norm(x, w, block + 'norm2'), w, block, gated)
        if i == min(1, layers - 1):
            stage = x[0, count:]
    x = norm(x, w, 'norm')[0]
    return x[0], x[count:], stage


# name: registers, gated, grid, heads, way of positions, position of the class token
CASES = {
    'hf': (0, False, 7, 4, 'plain', True),
    'hf-small': (0, False, 5, 4, 'plain', True),
    'hf-large': (0, True, 10, 4, 'plain', True),
    'hf-registers': (4, False, 5, 4, 'smooth', True),
    'hf-registers-gated': (3, True, 10, 4, 'smooth', True),
    'timm': (0, False, 5, 1, 'smooth', True),
    'timm-registers': (4, True, 10, 1, 'smooth', False),
    'meta': (0, False, 5, 1, 'offset', True),
    'meta-large': (0, True, 10, 1, 'offset', True),
    'meta-registers': (4, False, 5, 1, 'smooth', True),
}


def keep(results, name, cls, patches, stage):
    results[name + '.cls'] = cls
    results[name + '.patches'] = torch.stack((patches[0], patches[len(patches) // 2], patches[-1], patches.mean(0)))
    results[name + '.stage'] = torch.stack((stage[0], stage[1], stage[-1]))


def write_safetensors(path, tensors):
    header, data = {}, b''
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().astype(np.float32).tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    results = {}
    for name, (registers, gated, grid, heads, way, class_position) in CASES.items():
        keep(results, name, *run(make_weights(registers, gated), grid, heads, way, class_position))
    half = {name: tensor.half() for name, tensor in make_weights(0, False, 1, WIDTH).items()}
    torch.save(half, os.path.join(folder, 'meta.pth'))
    keep(results, 'pth', *run({name: tensor.float() for name, tensor in half.items()}, 5, 1, 'offset', layers=1))
    for given, ours in ((37, 16), (13, 11), (6, 14), (7, 10), (5, 1)):
        field = torch.from_numpy(uniform('field', 2 * given * given).astype(np.float32)).reshape(given * given, 2)
        for way in ('plain', 'smooth', 'offset'):
            out = resample(field.t().reshape(1, 2, given, given), ours, way)
            results[f'field.{given}.{ours}.{way}'] = out[0].reshape(2, -1).t().contiguous()
    write_safetensors(os.path.join(folder, 'expected.safetensors'), results)


if __name__ == '__main__':
    main()
