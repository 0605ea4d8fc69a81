"""flaw complete: the published story, word for word; drawing with a seed; what it refuses."""
import json
import math
import os
import random
import struct
import subprocess
import unittest

import command
from command import FLAW, SHARED

STORIES = os.path.join(SHARED, 'models', 'stories260K')


@unittest.skipUnless(os.path.isdir(STORIES), 'the story model is not here')
class Stories(command.Command):
    def published(self):
        with open(os.path.join(STORIES, 'stories260K.md'), encoding='utf-8') as file:
            return file.read().split('-t 0.0\n')[1].split('\n```')[0]

    def complete(self, *arguments, model='', **environment):
        return self.succeed('complete', '--model', os.path.join(STORIES, model), *arguments, **environment)

    def test_published_text(self):
        for model in ('', 'stories260K-f32.gguf', 'stories260K-f16.gguf'):
            self.assertEqual(self.complete('--max-tokens', '256', '', model=model), self.published() + '\n')
        for level in self.levels():
            self.assertEqual(self.complete('', FLAW_CPU=level, FLAW_TEMPERATURE='0'), self.published() + '\n')

    def test_json(self):
        with open(os.path.join(STORIES, 'expected.json'), encoding='utf-8') as file:
            expected = json.load(file)
        ids = expected['ids'][1:]
        answer = json.loads(self.complete('--json', '--max-tokens', str(len(ids)), ''))
        self.assertEqual(answer['ids'], ids)
        self.assertEqual(answer['text'], expected['text'].lstrip())
        self.assertEqual((answer['prompt'], answer['model']), ('', os.path.join(STORIES, '')))
        self.assertGreater(answer['ms'], 0)

    def test_prompt(self):
        text = self.published()
        beginning = text[:text.index(' She wanted')]
        self.assertTrue(text.startswith(beginning + self.complete('-n', '40', beginning).rstrip('\n')))
        self.assertNotEqual(self.complete('-n', '20', '</s><s>'), self.complete('-n', '20', ''))  # words, not control

    def test_drawing(self):
        def draw(*arguments):
            return self.complete('-n', '40', '--temperature', '1', *arguments, 'Once')
        first = draw('--seed', '1')
        self.assertEqual(first, draw('--seed', '1', '--threads', '2'))
        self.assertNotEqual(first, draw('--seed', '2'))
        greedy = self.complete('-n', '40', 'Once')
        self.assertEqual(draw('--top-k', '1', '--seed', '3'), greedy)
        self.assertEqual(draw('--top-p', '0.01', '--seed', '3'), greedy)
        for precision in ('f32', 'bf16'):
            self.assertEqual(self.complete('-n', '20', '--precision', precision, ''), self.complete('-n', '20', ''))

    def test_words_arrive_one_by_one(self):
        done = subprocess.Popen([FLAW, 'complete', '--model', STORIES, '-n', '500', ''], stdout=subprocess.PIPE)
        self.addCleanup(done.stdout.close)
        self.addCleanup(done.wait)
        self.addCleanup(done.kill)
        first = os.read(done.stdout.fileno(), 1 << 16).decode()
        self.assertLess(len(first), 200)
        self.assertTrue(first and self.published().startswith(first), first)

    def test_context_ends_it(self):
        answer = json.loads(self.complete('--json', '-n', '1000000', '--temperature', '1', 'Once'))
        self.assertLessEqual(len(answer['ids']), 512)
        self.fail_once(2, 'at most 512', 'complete', '--model', STORIES, 'word ' * 600)

    def test_folders_and_files_that_are_none(self):
        copy = self.path('copy')
        os.mkdir(copy)
        for name in ('config.json', 'model.safetensors'):
            with open(os.path.join(STORIES, name), 'rb') as file:
                self.write(f'copy/{name}', file.read())
        self.fail_once(2, 'no tokenizer', 'complete', '--model', copy, 'Once')
        answer = json.loads(self.succeed('complete', '--model', copy, '--json', '-n', '3', ''))
        self.assertEqual((answer['text'], len(answer['ids'])), ('', 3))
        self.fail_once(66, 'nowhere', 'complete', '--model', 'nowhere', '')
        with open(os.path.join(STORIES, 'config.json'), encoding='utf-8') as file:
            config = json.load(file)
        for key, value, word in (('hidden_act', 'gelu', 'hidden_act'), ('num_hidden_layers', 6, '9 missing'),
                                 ('num_hidden_layers', 4, 'left over'), ('vocab_size', 511, 'misshapen'),
                                 ('rope_scaling', {'type': 'yarn', 'factor': 2}, 'yarn')):
            self.write('copy/config.json', json.dumps(dict(config, **{key: value})).encode())
            self.fail_once(66 if word == '9 missing' else 65, word, 'complete', '--model', copy, '')


def text(value):
    return struct.pack('<Q', len(value.encode())) + value.encode()


def gguf_value(value):
    """Type number and bytes: text, boolean, float, whole number, and lists of these."""
    if isinstance(value, str):
        return 8, text(value)
    if isinstance(value, bool):
        return 7, struct.pack('<B', value)
    if isinstance(value, float):
        return 6, struct.pack('<f', value)
    if isinstance(value, int):
        return 5, struct.pack('<i', value)
    kinds = [gguf_value(v) for v in value]
    return 9, struct.pack('<IQ', kinds[0][0], len(kinds)) + b''.join(data for _, data in kinds)


def gguf(metadata, tensors):
    """A GGUF 3 file; tensors {name: (sides as rows first, floats)} as F32."""
    head = b'GGUF' + struct.pack('<IQQ', 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, data = gguf_value(value)
        head += text(key) + struct.pack('<I', kind) + data
    body = b''
    for name, (sides, values) in tensors.items():
        head += text(name) + struct.pack('<I', len(sides)) + b''.join(struct.pack('<Q', n) for n in reversed(sides))
        head += struct.pack('<IQ', 0, len(body))
        data = struct.pack(f'<{len(values)}f', *values)
        body += data + bytes(-len(data) % 32)
    return head + bytes(-len(head) % 32) + body


WIDTH, HIDDEN, WORDS = 8, 12, 262


def tiny_gguf():
    """Metadata and tensors of a LLaMA of one block with random weights and a tokenizer of bytes."""
    rng = random.Random(1)
    words = ['<unk>', '<s>', '</s>'] + [f'<0x{b:02X}>' for b in range(256)] + ['\u2581', 'a', '\u2581a']
    metadata = {'general.architecture': 'llama', 'llama.embedding_length': WIDTH, 'llama.block_count': 1,
                'llama.feed_forward_length': HIDDEN, 'llama.attention.head_count': 2, 'llama.attention.head_count_kv': 1,
                'llama.context_length': 64, 'llama.attention.layer_norm_rms_epsilon': 1e-5,
                'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': words,
                'tokenizer.ggml.scores': [-float(i) for i in range(WORDS)],
                'tokenizer.ggml.token_type': [2, 3, 3] + [6] * 256 + [1, 1, 1],
                'tokenizer.ggml.bos_token_id': 1, 'tokenizer.ggml.eos_token_id': 2, 'tokenizer.ggml.unknown_token_id': 0}
    sides = {'token_embd': (WORDS, WIDTH), 'output': (WORDS, WIDTH), 'output_norm': (WIDTH,), 'blk.0.attn_norm': (WIDTH,),
             'blk.0.attn_q': (WIDTH, WIDTH), 'blk.0.attn_k': (WIDTH // 2, WIDTH), 'blk.0.attn_v': (WIDTH // 2, WIDTH),
             'blk.0.attn_output': (WIDTH, WIDTH), 'blk.0.ffn_norm': (WIDTH,), 'blk.0.ffn_gate': (HIDDEN, WIDTH),
             'blk.0.ffn_up': (HIDDEN, WIDTH), 'blk.0.ffn_down': (WIDTH, HIDDEN)}
    tensors = {f'{name}.weight': (shape, [rng.gauss(0, 1) for _ in range(math.prod(shape))]) for name, shape in sides.items()}
    return metadata, tensors


class Gguf(command.Command):
    def test_tiny(self):
        self.write('tiny.gguf', gguf(*tiny_gguf()))
        answer = json.loads(self.succeed('complete', '--model', 'tiny.gguf', '-n', '5', '--json', 'a a'))
        self.assertEqual(len(answer['ids']), 5)
        again = json.loads(self.succeed('complete', '--model', 'tiny.gguf', '-n', '5', '--json', '--level', 'ref', 'a a'))
        self.assertEqual(again['ids'], answer['ids'])

    def test_broken(self):
        """What is changed, the exit status, what the line says."""
        def metadata(key, value):
            return lambda m, t: m.update({key: value}) if value is not None else m.pop(key)
        cases = [
            (metadata('tokenizer.ggml.model', 'gpt2'), 69, 'tokenizer.ggml.model is gpt2'),
            (metadata('tokenizer.ggml.scores', [0.0] * 261), 65, '262 pieces, 261 scores'),
            (metadata('tokenizer.ggml.tokens', None), 65, '0 pieces, 262 scores'),
            (metadata('tokenizer.ggml.token_type', [2, 3, 3] + [6] * 256 + [1, 1, 7]), 65, 'piece 261'),
            (metadata('tokenizer.ggml.tokens', [0] * WORDS), 65, 'tokenizer.ggml.tokens'),
            (metadata('llama.attention.head_count', None), 65, 'no llama.attention.head_count'),
            (metadata('llama.attention.head_count_kv', [1]), 65, 'misshapen'),  # layer by layer: not supported
            (metadata('llama.expert_count', 8), 65, 'llama.expert_count is 8'),
            (metadata('general.architecture', 'qwen2'), 65, 'general.architecture is qwen2'),
            (lambda m, t: t.update({'rope_freqs.weight': ((4,), [1.0] * 4)}), 65, 'stretched rotary positions'),
            (lambda m, t: t.update({'blk.0.attn_q.bias': ((8,), [1.0] * 8)}), 65, '1 left over: blk.0.attn_q.bias'),
            (lambda m, t: t.pop('blk.0.ffn_up.weight'), 66, '1 missing: blk.0.ffn_up.weight'),
            (lambda m, t: t.pop('token_embd.weight'), 66, 'token_embd.weight'),
            (lambda m, t: t.update({'output_norm.weight': ((8,), [math.nan] * 8)}), 65, 'output_norm.weight'),
            (lambda m, t: t.update({n: ((WORDS - 1, WIDTH), t[n][1][WIDTH:]) for n in ('token_embd.weight', 'output.weight')}),
             65, 'the tokenizer has 262 pieces, the token table 261 rows'),
        ]
        for i, (change, status, says) in enumerate(cases):
            m, t = tiny_gguf()
            change(m, t)
            self.write(f'{i}.gguf', gguf(m, t))
            self.fail_once(status, says, 'complete', '--model', f'{i}.gguf', 'a', words=(f'{i}.gguf',))


class Refusals(command.Command):
    def test_arguments(self):
        self.fail_once(2, 'one PROMPT', 'complete')
        self.fail_once(2, 'one PROMPT', 'complete', 'two', 'words')
        self.fail_once(2, '--max-tokens', 'complete', '--max-tokens', '0', 'x')
        self.fail_once(2, '--top-p', 'complete', '--top-p', '2', 'x')
        self.fail_once(2, '--temperature', 'complete', '--temperature', '-1', 'x')
        self.fail_once(2, '--precision', 'complete', '--precision', 'int3', 'x')
        self.write('text', b'no weights at all')
        self.fail_once(65, 'text', 'complete', '--model', 'text', 'x')
        self.write('words.gguf', b'GGUF' + bytes(40))
        self.fail_once(65, 'words.gguf', 'complete', '--model', 'words.gguf', 'x')


if __name__ == '__main__':
    unittest.main()
