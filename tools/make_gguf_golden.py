#!/usr/bin/env python3
"""Golden GGUF files for tests/format: written from the format's description alone, independent of the reader in C.

    python3 tools/make_gguf_golden.py [FOLDER]

golden.gguf (version 3) holds metadata of every type and one tensor of every type of weights; golden-v2.gguf the same
with another alignment and version 2; golden.safetensors what the tensors are as float32. Steps and scales are drawn at
random, the numbers follow from them by each type's formula, and the bytes by its layout, so that nothing here decodes.
"""
import json
import os
import struct
import sys

import numpy as np

TYPES = {'F32': 0, 'F16': 1, 'Q4_0': 2, 'Q4_1': 3, 'Q8_0': 8, 'Q4_K': 12, 'Q6_K': 14, 'BF16': 30}
U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64 = range(13)
FORMATS = {U8: 'B', I8: 'b', U16: 'H', I16: 'h', U32: 'I', I32: 'i', F32: 'f', BOOL: '?', U64: 'Q', I64: 'q', F64: 'd'}


def half(x):
    """(bytes of the nearest F16, its value)."""
    h = np.float16(x)
    return h.tobytes(), np.float32(h)


def nibbles(q):
    """32 steps of 4 bits: element i in the low half of byte i, element 16 + i in its high half."""
    return bytes(int(q[i]) | int(q[16 + i]) << 4 for i in range(16))


def block_q8_0(r):
    d, scale = half(r.normal() / 64)
    q = r.integers(-128, 128, 32)
    return d + q.astype(np.int8).tobytes(), scale * q.astype(np.float32)


def block_q4_0(r):
    d, scale = half(r.normal() / 4)
    q = r.integers(0, 16, 32)
    return d + nibbles(q), scale * (q - 8).astype(np.float32)


def block_q4_1(r):
    d, scale = half(r.normal() / 4)
    m, least = half(r.normal())
    q = r.integers(0, 16, 32)
    return d + m + nibbles(q), scale * q.astype(np.float32) + least


def block_q4_k(r):
    """8 groups of 32 steps of 4 bits; each group a scale and a minimum of 6 bits.

    12 bytes hold these: bytes 0-3 the scales of groups 0-3 below the upper two bits of the scales of groups 4-7, bytes
    4-7 the minima likewise, bytes 8-11 the low four bits of groups 4-7, scale below minimum."""
    d, scale = half(r.normal() / 128)
    dmin, least = half(r.normal() / 32)
    s, m, q = r.integers(0, 64, 8), r.integers(0, 64, 8), r.integers(0, 16, (8, 32))
    packed = [int(s[i] | s[4 + i] >> 4 << 6) for i in range(4)]
    packed += [int(m[i] | m[4 + i] >> 4 << 6) for i in range(4)]
    packed += [int(s[4 + i] & 15 | (m[4 + i] & 15) << 4) for i in range(4)]
    steps = b''.join((q[g] | q[g + 1] << 4).astype(np.uint8).tobytes() for g in range(0, 8, 2))
    x = (scale * s.astype(np.float32))[:, None] * q.astype(np.float32) - (least * m.astype(np.float32))[:, None]
    return d + dmin + bytes(packed) + steps, x.reshape(-1)


def block_q6_k(r):
    """16 groups of 16 steps of 6 bits with an offset of 32; each group a scale of 8 bits with sign.

    Each half of 128 elements has 64 bytes of low nibbles (elements 0-63 low, 64-127 high) and 32 bytes of upper pairs
    of bits (elements 0-31 lowest, then 32-63, ...)."""
    d, scale = half(r.normal() / 1024)
    s, q = r.integers(-128, 128, 16), r.integers(0, 64, 256)
    low, high = b'', b''
    for part in q.reshape(2, 128):
        low += ((part[:64] & 15) | (part[64:] & 15) << 4).astype(np.uint8).tobytes()
        high += sum((part[32 * i:32 * i + 32] >> 4) << 2 * i for i in range(4)).astype(np.uint8).tobytes()
    x = (scale * s.astype(np.float32))[:, None] * (q - 32).astype(np.float32).reshape(16, 16)
    return low + high + s.astype(np.int8).tobytes() + d, x.reshape(-1)


def plain(r, kind, count):
    x = r.normal(size=count).astype(np.float32)
    if kind == 'F32':
        return x.tobytes(), x
    if kind == 'F16':
        return x.astype(np.float16).tobytes(), x.astype(np.float16).astype(np.float32)
    bits = x.view(np.uint32) & np.uint32(0xffff0000)
    return (bits >> 16).astype(np.uint16).tobytes(), bits.view(np.float32)


def tensor(r, kind, shape):
    """(bytes, float32 array) of a tensor with random contents; shape row-major."""
    count = int(np.prod(shape))
    blocks = {'Q8_0': (block_q8_0, 32), 'Q4_0': (block_q4_0, 32), 'Q4_1': (block_q4_1, 32), 'Q4_K': (block_q4_k, 256),
              'Q6_K': (block_q6_k, 256)}
    if kind not in blocks:
        data, x = plain(r, kind, count)
    else:
        make, size = blocks[kind]
        made = [make(r) for _ in range(count // size)]
        data, x = b''.join(b for b, _ in made), np.concatenate([v for _, v in made])
    return data, x.astype(np.float32).reshape(shape)


def text(s):
    raw = s.encode()
    return struct.pack('<Q', len(raw)) + raw


def value(kind, v):
    return text(v) if kind == TEXT else struct.pack('<' + FORMATS[kind], v)


def pair(key, kind, v, of=None):
    if kind != ARRAY:
        return text(key) + struct.pack('<I', kind) + value(kind, v)
    return text(key) + struct.pack('<IIQ', ARRAY, of, len(v)) + b''.join(value(of, x) for x in v)


def write_gguf(path, version, pairs, tensors, alignment):
    """tensors: (name, kind, shape row-major, bytes)."""
    head = b'GGUF' + struct.pack('<IQQ', version, len(tensors), len(pairs)) + b''.join(pairs)
    data = b''
    for name, kind, shape, raw in tensors:
        data += b'\0' * (-len(data) % alignment)
        head += text(name) + struct.pack('<I', len(shape))
        head += struct.pack(f'<{len(shape)}Q', *reversed(shape)) + struct.pack('<IQ', TYPES[kind], len(data))
        data += raw
    with open(path, 'wb') as file:
        file.write(head + b'\0' * (-len(head) % alignment) + data)


def write_safetensors(path, arrays):
    header, data = {}, b''
    for name, x in sorted(arrays.items()):
        header[name] = {'dtype': 'F32', 'shape': list(x.shape), 'data_offsets': [len(data), len(data) + x.nbytes]}
        data += x.tobytes()
    raw = json.dumps(header).encode()
    raw += b' ' * (-len(raw) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(raw)) + raw + data)


def main(arguments):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
    folder = arguments[0] if arguments else os.path.join(root, 'tests', 'format', 'data')
    r = np.random.default_rng(20230826)
    shapes = {'F32': (5,), 'F16': (3, 7), 'BF16': (2, 3, 5), 'Q8_0': (3, 96), 'Q4_0': (3, 64), 'Q4_1': (2, 2, 32),
              'Q4_K': (2, 512), 'Q6_K': (2, 512)}
    tensors, arrays = [], {}
    for kind, shape in reversed(shapes.items()):  # not in order of names
        raw, x = tensor(r, kind, shape)
        tensors.append((kind.lower() + '.weight', kind, shape, raw))
        arrays[kind.lower() + '.weight'] = x
    pairs = [pair('general.architecture', TEXT, 'golden'), pair('a.u8', U8, 200), pair('a.i8', I8, -100),
             pair('a.u16', U16, 60000), pair('a.i16', I16, -30000), pair('a.u32', U32, 4000000000),
             pair('a.i32', I32, -2000000000), pair('a.f32', F32, 0.1), pair('a.yes', BOOL, True),
             pair('a.no', BOOL, False), pair('a.u64', U64, 2**64 - 1), pair('a.i64', I64, -2**63),
             pair('a.f64', F64, 0.1), pair('a.empty', TEXT, ''),
             pair('b.tokens', ARRAY, ['<s>', '', '\u2581the', 'a\0b'], TEXT), pair('b.scores', ARRAY, [0.0, -1.5, 3e38], F32),
             pair('b.kinds', ARRAY, [3, -1], I32), pair('b.ids', ARRAY, [7, 8, 9], U32), pair('b.large', ARRAY, [2**31], U32),
             pair('b.flags', ARRAY, [True, False], BOOL), pair('b.wide', ARRAY, [1.0], F64), pair('b.none', ARRAY, [], TEXT),
             pair('general.quantization_version', U32, 2)]
    write_gguf(os.path.join(folder, 'golden.gguf'), 3, pairs, tensors, 32)
    pairs.append(pair('general.alignment', U32, 8))
    write_gguf(os.path.join(folder, 'golden-v2.gguf'), 2, pairs, tensors, 8)
    write_safetensors(os.path.join(folder, 'golden-gguf.safetensors'), arrays)


if __name__ == '__main__':
    main(sys.argv[1:])
