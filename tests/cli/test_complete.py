"""flaw complete: the published story, word for word; drawing with a seed; what it refuses."""
import json
import os
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
        for level in ('ref', 'avx2', 'avx512', 'amx'):
            self.assertEqual(self.complete('', FLAW_LEVEL=level, FLAW_TEMPERATURE='0'), self.published() + '\n')

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
                                 ('rope_scaling', {'type': 'linear', 'factor': 2}, 'rope_scaling')):
            self.write('copy/config.json', json.dumps(dict(config, **{key: value})).encode())
            self.fail_once(66 if word == '9 missing' else 65, word, 'complete', '--model', copy, '')


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
