#!/usr/bin/env python3
"""The language model's training pass and its adapters against PyTorch, from the same start.

    check_language.py DUMP_LANGUAGE

DUMP_LANGUAGE is the test program that writes a tiny LLaMA (rotary positions in halves and a tied head; then in pairs and a
head of its own), a batch with soft prompts, and the loss and gradients of the C code to a file. The same network is
written here with PyTorch's own operations in float64. Every gradient array must agree within 1e-4 of its norm, the loss
within 1e-5. Exit status 77 (skipped) where PyTorch is not installed (Debian: python3-torch).
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from check_gradients import F, read_safetensors, torch  # noqa: E402  (leaves with 77 where there is no PyTorch)

HEADS, KV, EPS, BASE, SCALE, LORA_SCALE = 6, 2, 1e-5, 50.0, 0.13, 0.5


def rms(x, w):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * w.flatten()


def rotate(x, halves):
    """x [N, heads, T, width]: as Hugging Face turns it (halves) or as the original does (pairs, complex numbers)."""
    n, heads, tokens, width = x.shape
    frequency = BASE ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)
    angle = torch.outer(torch.arange(tokens, dtype=x.dtype), frequency)
    if not halves:
        turned = torch.view_as_complex(x.reshape(n, heads, tokens, width // 2, 2)) * torch.polar(torch.ones_like(angle), angle)
        return torch.view_as_real(turned).reshape(x.shape)
    cos, sin = (torch.cat([f(angle)] * 2, -1) for f in (torch.cos, torch.sin))
    return x * cos + torch.cat([-x[..., width // 2:], x[..., :width // 2]], -1) * sin


def block(x, w, prefix, qkv_w, out_w, halves):
    n, tokens, d = x.shape
    width = d // HEADS
    q, k, v = F.linear(rms(x, w[prefix + 'norm1.w']), qkv_w).split([d, KV * width, KV * width], -1)
    q, k, v = (a.view(n, tokens, -1, width).transpose(1, 2) for a in (q, k, v))
    q, k = rotate(q, halves), rotate(k, halves)
    k, v = (a.repeat_interleave(HEADS // KV, 1) for a in (k, v))
    mask = torch.full((tokens, tokens), float('-inf'), dtype=x.dtype).triu(1)
    heads = ((q @ k.transpose(-1, -2) / width ** 0.5 + mask).softmax(-1) @ v).transpose(1, 2).reshape(n, tokens, d)
    x = x + F.linear(heads, out_w)
    gate, up = F.linear(rms(x, w[prefix + 'norm2.w']), w[prefix + 'fc1.w']).chunk(2, -1)
    return x + F.linear(F.silu(gate) * up, w[prefix + 'fc2.w'])


def adapted(w, base, layer):
    """The matrices qkv and out of a block: what was there plus what the adapters add."""
    d = w['language.norm'].numel()
    q, k, v, o = base[layer].view(-1, d).split([d, d // HEADS * KV, d // HEADS * KV, d])
    parts = []
    for name, part in zip('qkvo', (q, k, v, o)):
        a, b = (w['layers.%d.self_attn.%s_proj.lora_%s.weight' % (layer, name, x)] for x in 'AB')
        parts.append(part + LORA_SCALE * b @ a)
    return torch.cat(parts[:3]), parts[3]


def loss_of(w, d, rows, matrices, halves):
    ids, target = (torch.tensor(d[k]).long() for k in ('ids', 'target'))
    x = torch.where((ids >= 0)[..., None], w['language.token'][ids.clamp_min(0)], rows[(-1 - ids).clamp_min(0)])
    for i, (qkv_w, out_w) in enumerate(matrices):
        x = block(x, w, 'language.block.%d.' % i, qkv_w, out_w, halves)
    logits = F.linear(rms(x, w['language.norm']), w.get('language.head', w['language.token']))
    return SCALE * F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-1, reduction='sum')


def check(program, kind):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'dump.safetensors')
        subprocess.run([program, path, kind], check=True)
        d = read_safetensors(path)
    w = {k[2:]: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in d.items() if k.startswith('w/')}
    rows = torch.tensor(d['rows'], dtype=torch.float64, requires_grad=True)
    base = torch.tensor(d['base'], dtype=torch.float64)
    layers, bad, worst = len(base), [], 0.0
    plain = [(w['language.block.%d.qkv.w' % i], w['language.block.%d.out.w' % i]) for i in range(layers)]
    loss = loss_of(w, d, rows, plain, kind == 'tied')
    loss.backward()
    for i in range(layers):  # what the model holds is what the adapters say
        for ours, theirs in zip(plain[i], adapted(w, base, i)):
            if not (ours - theirs).abs().max() < 1e-6:
                bad.append('adapted weights of block %d' % i)
    loss_of(w, d, torch.tensor(d['rows'], dtype=torch.float64), [adapted(w, base, i) for i in range(layers)],
            kind == 'tied').backward(inputs=[v for k, v in w.items() if '.lora_' in k])
    gap = abs(float(d['loss'][0, 0]) / float(loss) - 1)
    if not gap < 1e-5:
        bad.append('loss %.6f, PyTorch %.6f' % (d['loss'][0, 0], float(loss)))
    pairs = {name: (d['g/' + name], p.grad) for name, p in w.items()}
    pairs['the given rows'] = (d['d_rows'], rows.grad)
    for name, (ours, theirs) in pairs.items():
        gap = float((torch.tensor(ours, dtype=torch.float64) - theirs).norm() / theirs.norm())
        worst = max(worst, gap)
        if not gap < 1e-4:
            bad.append('gradient of %s: off by %.1e' % (name, gap))
    print('%s head: loss %.6f, %d gradient arrays, worst relative distance %.1e' % (kind, float(loss), len(pairs), worst))
    for line in bad:
        print('WRONG: ' + line)
    return not bad


if __name__ == '__main__':
    sys.exit(0 if all([check(sys.argv[1], kind) for kind in ('tied', 'free')]) else 1)
