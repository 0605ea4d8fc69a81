#!/usr/bin/env python3
"""The losses and gradients of a voice's trainer against PyTorch, on the small golden AnomalyGPT.

    check_voice.py DUMP_VOICE GOLDEN_FOLDER DIALOGUE [RANK]

With RANK the voice has adapters in its language model in place of a prompt learner. DUMP_VOICE is the test program that writes one pass of the C trainer: what the frozen tower saw, the tokens, the weights,
the losses and the gradients of every trained tensor. Decoder, maps, prompt learner, language model and losses are written
here with PyTorch's own operations. Every gradient must agree within 1e-3 of its norm, every loss within 1e-4. Exit status
77 (skipped) where PyTorch or the golden folder is missing.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError:
    SYSTEM = '/usr/bin/python3'  # where Debian's packages are, if another Python comes first in the path
    if sys.executable != SYSTEM and os.path.exists(SYSTEM) and not os.environ.get('FLAW_SYSTEM_PYTHON'):
        os.execve(SYSTEM, [SYSTEM] + sys.argv, dict(os.environ, FLAW_SYSTEM_PYTHON='1'))
    print('skipped: PyTorch is not installed (python3-torch)')
    sys.exit(77)

from check_gradients import read_safetensors

SIDE, GRID, SCALE, STAGES = 224, 16, 100.0, 4
FOCAL, DICE = 0.7, 0.4
EPS = 1e-6  # of the language model's norms
BASE = 10000.0


def upsample(x):
    return F.interpolate(x.view(-1, x.shape[-2] if x.dim() > 2 else 1, GRID, GRID), size=SIDE, mode='bilinear', align_corners=True)


def decoder(w, sight, text):
    """Both channels of every stage: [stages, 2, S, S]."""
    maps = []
    for i in range(STAGES):
        p = F.linear(sight['stage%d' % i], w['voice.decoder.%d.w' % i], w['voice.decoder.%d.b' % i].flatten())
        p = p / p.norm(dim=-1, keepdim=True)
        s = (SCALE * p @ text.t()).t().reshape(1, 2, GRID, GRID)
        maps.append(F.interpolate(s, size=SIDE, mode='bilinear', align_corners=True).softmax(1)[0])
    return torch.stack(maps)


def few_shot(sight, normal):
    best = [F.cosine_similarity(sight[k][:, None], normal[k][None], dim=-1).max(1).values
            for k in ('stage%d' % i for i in range(STAGES))]
    return 1 - F.interpolate(torch.stack(best).mean(0).view(1, 1, GRID, GRID), size=SIDE, mode='bilinear', align_corners=True)[0, 0]


def prompts(w, m):
    x = m.view(1, 1, SIDE, SIDE)
    channels = 1
    for i in range(6):
        k = 5 if i == 5 else 3
        weight = w['voice.conv.%d.w' % i]
        x = F.conv2d(x, weight.view(weight.shape[0], channels, k, k), w['voice.conv.%d.b' % i].flatten(), padding=0 if i == 5 else 1)
        channels = weight.shape[0]
        if i < 5:
            x = F.max_pool2d(F.relu(x), 2)
    return torch.cat([w['voice.base'], x.view(channels, -1).t()])


def rms(x, w):
    return x / (x.pow(2).mean(-1, keepdim=True) + EPS).sqrt() * w.flatten()


def turn(x):
    """x [heads, T, h]: rotary positions, halves."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[1])[:, None] * BASE ** (-torch.arange(half) * 1.0 / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def adapter(w, layer, part, d):
    """What an adapter adds to a square matrix: B A."""
    name = 'layers.%d.self_attn.%s_proj.lora_%%s.weight' % (layer, part)
    return w[name % 'B'] @ w[name % 'A'] if name % 'A' in w else torch.zeros(d, d, dtype=torch.float64)


def language(w, x, heads):
    t, d = x.shape
    mask = torch.full((t, t), float('-inf'), dtype=x.dtype).triu(1)
    layer = 0
    while 'language.block.%d.qkv.w' % layer in w:
        p = 'language.block.%d.' % layer
        qkv = w[p + 'qkv.w'] + torch.cat([adapter(w, layer, part, d) for part in 'qkv'])
        q, k, v = F.linear(rms(x, w[p + 'norm1.w']), qkv).view(t, 3, heads, d // heads).permute(1, 2, 0, 3)
        a = (turn(q) @ turn(k).transpose(-1, -2) / (d // heads) ** 0.5 + mask).softmax(-1) @ v
        x = x + F.linear(a.transpose(0, 1).reshape(t, d), w[p + 'out.w'] + adapter(w, layer, 'o', d))
        gate, up = F.linear(rms(x, w[p + 'norm2.w']), w[p + 'fc1.w']).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * up, w[p + 'fc2.w'])
        layer += 1
    return F.linear(rms(x, w['language.norm']), w['language.head'])


def focal(maps, mask):
    """maps [stages, 2, S, S]; AnomalyGPT's focal loss, alpha 1, gamma 2."""
    hot = torch.stack([1 - mask, mask]).clamp(1e-5, 1 - 1e-5)
    pt = (maps * hot).sum(1) + 1e-5
    return (-(1 - pt) ** 2 * pt.log()).mean((1, 2)).sum()


def dice(maps, mask):
    p = maps[:, 1]
    return (1 - (2 * (p * mask).sum((1, 2)) + 1) / (p.sum((1, 2)) + mask.sum() + 1)).sum()


def run(x):
    w = {k[2:]: torch.tensor(v.astype(np.float64), requires_grad='g/' + k[2:] in x) for k, v in x.items()
         if k.startswith('w/')}
    sights = [{kind: {k.split('/')[2]: torch.tensor(v.astype(np.float64)) for k, v in x.items()
                      if k.startswith('%d/%s/' % (i, kind))} for kind in ('defective', 'normal')} for i in range(2)]
    text, ids, target = torch.tensor(x['text'].astype(np.float64)), x['ids'], x['target']
    words, focal_sum, dice_sum = 0, 0, 0
    for i in range(3):  # decoder's map, few-shot map, normal picture
        entry, defective = sights[i % 2], i < 2
        sight = entry['defective' if defective else 'normal']
        mask = torch.tensor(x['%d/mask' % (i % 2)].astype(np.float64)) * defective
        maps = decoder(w, sight, text)
        m = few_shot(sight, entry['normal']) if i == 1 else maps[:, 1].mean(0)
        unit = sight['embedding'] / sight['embedding'].norm()
        rows = F.linear(unit, w['voice.project.w'], w['voice.project.b'].flatten())
        if 'voice.base' in w:
            rows = torch.cat([rows, prompts(w, m)])
        length = int((target[i] >= 0).nonzero()[0][-1]) + 1
        stream = torch.stack([w['language.token'][k] if k >= 0 else rows[-1 - k - i * len(rows)] for k in ids[i][:length]])
        logits = language(w, stream, int(x['loss'].flatten()[3]))
        at = (target[i][:length] >= 0).nonzero()[0]
        words = words + F.cross_entropy(logits[at], torch.tensor(target[i][at].astype(np.int64)), reduction='sum')
        focal_sum, dice_sum = focal_sum + focal(maps, mask), dice_sum + dice(maps, mask)
    words = words / int((target >= 0).sum())
    total = words + FOCAL * focal_sum / 3 + DICE * dice_sum / 3
    total.backward()
    return w, [float(words), FOCAL * float(focal_sum) / 3, DICE * float(dice_sum) / 3]


def main():
    if not os.path.exists(os.path.join(sys.argv[2], 'anomalygpt_delta.pt')):
        print('skipped: %s is not here' % sys.argv[2])
        return 77
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'dump.safetensors')
        subprocess.run([*sys.argv[1:4], path, *sys.argv[4:]], check=True)
        x = read_safetensors(path)
    w, losses = run(x)
    bad = 0
    for name, got, want in zip(('words', 'focal', 'dice'), x['loss'].flatten(), losses):
        off = abs(got - want) / max(abs(want), 1e-6)
        print('%-18s %.6f, PyTorch %.6f' % (name, got, want))
        bad += off > 1e-4
    worst = 0
    for name, tensor in w.items():
        if not tensor.requires_grad:
            continue
        want, got = tensor.grad.numpy(), x['g/' + name]
        off = np.linalg.norm(got - want) / np.linalg.norm(want)
        worst = max(worst, off)
        if not off <= 1e-3:
            print('%-18s off by %.2e of its norm %.2e' % (name, off, np.linalg.norm(want)))
            bad += 1
    print('largest distance of a gradient: %.2e of its norm (bar 1e-3)' % worst)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
