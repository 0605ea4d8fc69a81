"""The table of flags: pages made from it, twins in the environment, refusals that help."""
import json
import os
import re
import shutil
import subprocess
import unittest

import command
from command import FLAW, SOURCE, part

# A value for each kind of flag that changes what a cheap command does or refuses.
WRONG = {'choice': 'purple', 'number': 'many', 'switch': 'perhaps'}


def reference():
    """{command: [(flag, variable, usage)]} read from the reference page."""
    page = subprocess.run([FLAW, 'help', '--markdown'], capture_output=True, text=True, check=True).stdout
    table, name = {}, None
    for line in page.splitlines():
        heading = re.match(r'## flaw (\S+)', line)
        row = re.match(r'\| `(.*?)` \| `(FLAW_\w+)` \|', line)
        if heading:
            name = heading.group(1)
            table[name] = []
        elif row:
            table[name].append((re.search(r'--[a-z0-9-]+', row.group(1)).group(), row.group(2), row.group(1)))
    return table


class Pages(command.Command):
    def test_every_command_has_a_page(self):
        commands = reference()
        self.assertGreaterEqual(len(commands), 9)
        for name, flags in commands.items():
            page = self.succeed('help', name)
            self.assertEqual(page, self.succeed(name, '--help'))
            self.assertTrue(page.startswith(f'flaw {name}: '), page)
            self.assertIn('Examples:\n  flaw ', page)
            for flag, _, _ in flags:
                self.assertIn(flag, page)

    def test_front_page_and_version(self):
        page = self.succeed()
        self.assertEqual(page, self.succeed('help'))
        self.assertEqual(page, self.succeed('--help'))
        self.assertEqual(page.count('  flaw '), 3)
        self.assertRegex(self.succeed('--version'), r'^flaw \d+\.\d+\.\d+\n$')

    def test_level(self):
        levels = self.levels()
        self.assertEqual(levels[0], 'ref')
        for level in levels:
            bench = json.loads(self.succeed('bench', '--json', '--repeat', '1', FLAW_CPU=level))
            self.assertEqual(bench['level'], level)
        bench = json.loads(self.succeed('bench', '--json', '--repeat', '1', '--level', levels[-1], FLAW_CPU='ref'))
        self.assertEqual(bench['level'], levels[-1])
        self.fail_once(2, 'FLAW_CPU', 'bench', FLAW_CPU='sse9', words=('"sse9"', 'unknown', 'ref'))
        every = ('neon', 'neon-dot', 'avx2', 'avx2-vnni', 'avx512', 'avx512-vnni', 'avx512-bf16', 'amx')
        for level in [level for level in every if level not in levels]:
            self.fail_once(69, 'level', 'bench', '--level', level, words=(level, 'lacks', 'ref'))
            self.fail_once(69, 'FLAW_CPU', 'bench', FLAW_CPU=level, words=(level, 'lacks', 'ref'))

    def test_reference_page_is_up_to_date(self):
        with open(os.path.join(SOURCE, 'docs', 'cli.md'), encoding='utf-8') as file:
            self.assertEqual(file.read(), self.succeed('help', '--markdown'),
                             'docs/cli.md is old: build/flaw help --markdown > docs/cli.md')

    def test_manual_page(self):
        page = self.succeed('help', '--man')
        self.assertTrue(page.startswith('.TH FLAW 1'))
        for name in reference():
            self.assertIn(f'.SS "flaw {name} ', page)
        if not shutil.which('groff'):
            self.skipTest('no groff here to read the manual page')
        done = subprocess.run(['groff', '-man', '-Tutf8', '-ww', '-z'], input=page, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_completion(self):
        script = self.succeed('completion', 'bash')
        bash = shutil.which('bash')
        if not bash:
            self.skipTest('no bash here')

        def offered(*words):
            line = ' '.join(f"'{word}'" for word in words)
            code = (f'{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; compopt() {{ :; }}; _flaw; '
                    'printf "%s\\n" "${COMPREPLY[@]}"')
            return subprocess.run([bash, '-c', code], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(offered('flaw', 'insp'), ['inspect'])
        self.assertEqual(offered('flaw', 'inspect', '--thre'), ['--threshold', '--threads'])
        self.assertEqual(offered('flaw', 'inspect', '--precision', 'b'), ['bf16'])


class Refusals(command.Command):
    def test_misspelt(self):
        self.fail_once(2, '--object', 'inspect', '--objekt', 'x', words=('did you mean',))
        self.fail_once(2, '--alarm-rate', 'inspect', '--alarm-rat', 'x', words=('did you mean',))
        self.fail_once(2, 'flaw inspect', 'inpsect', words=('did you mean',))
        self.fail_once(2, 'zzzzzz', 'zzzzzz')
        self.fail_once(2, '--qqqqqq', 'inspect', '--qqqqqq')
        self.fail_once(2, '-Z', 'inspect', '-Z')
        self.fail_once(2, 'flaw eval', 'inspect', '--shots', '3')

    def test_values(self):
        self.fail_once(2, '--threads', 'inspect', '--threads', '-1', 'a.png', words=('-1', '1024'))
        self.fail_once(2, '--threads', 'inspect', 'a.png', '--threads', words=('needs a value',))
        self.fail_once(2, '--precision', 'inspect', '--precision', 'f16', 'a.png', words=('auto|f32|bf16',))
        self.fail_once(2, '--precision', 'inspect', '--precision', 'f32|bf16', 'a.png')
        self.fail_once(2, '--alarm-rate', 'inspect', '--alarm-rate', '2', 'a.png')
        self.fail_once(2, '--alarm-rate', 'inspect', '--alarm-rate', '1/0', 'a.png')
        self.fail_once(2, '--alarm-rate', 'inspect', '--alarm-rate', '0%', 'a.png', words=('strictly',))
        self.fail_once(2, '--lambda', 'inspect', '--lambda', '-1', 'a.png')
        self.fail_once(2, '--lambda', 'inspect', '--lambda', 'nan', 'a.png')
        self.fail_once(2, '--json', 'inspect', '--json=perhaps', 'a.png')
        self.fail_once(2, '--object', 'inspect', '--object=', 'a.png')
        self.fail_once(2, 'usage', 'inspect')
        self.fail_once(2, 'exactly one', 'embed')
        self.fail_once(2, 'nosuch', 'inspect', '--method', 'nosuch', self.write('a.png', part(1)))

    def test_ways_to_write_a_flag(self):
        self.write('a.png', part(1))
        scores = set()
        for flags in (['--threads', '2'], ['--threads=2'], ['-T', '2'], ['-T2'], ['-T=2']):
            status, lines, err = self.judge('a.png', *flags)
            self.assertEqual((status, err), (0, []), flags)
            scores.add(lines[0]['score'])
        self.assertEqual(len(scores), 1)
        for rate in ('0.2', '20%', '1/5'):
            self.assertEqual(self.judge('a.png', '--good', self.good_parts(6), '--alarm-rate', rate)[0], 0)


class Twins(command.Command):
    def test_every_flag_reads_its_variable(self):
        """A value that cannot be is refused under the variable's name; flags of free text are tried one by one below."""
        free = set()
        for name, flags in reference().items():
            for flag, variable, usage in flags:
                value = re.search(flag + r' (.*)$', usage)
                if not value:
                    wrong = WRONG['switch']
                elif '|' in value.group(1):
                    wrong = WRONG['choice']
                elif value.group(1) in ('N', 'X', 'PIXELS', 'STEPS'):
                    wrong = WRONG['number']
                else:
                    free.add(flag)
                    continue
                status, _, err = self.run_flaw(name, **{variable: wrong})
                self.assertEqual((status, len(err)), (2, 1), (name, variable, err))
                self.assertIn(variable, err[0])
        self.assertLessEqual(free, {'--object', '--good', '--recipe', '--method', '--model', '--prompts', '--out', '--output',
                                    '--image', '--text', '--dump', '--shots', '--kind', '--init', '--words', '--photos', '--source', '--adapter', '--question',
                                    '--llm', '--llm-model', '--llm-key-env',
                                    '--dialogue', '--language', '--texts', '--pin', '--ban', '--brief', '--prompt-cache',
                                    '--shard', '--weights', '--layout', '--method-option'})

    def test_free_text(self):
        self.write('a.png', part(1))
        good = self.good_parts()
        _, lines, err = self.judge('a.png', FLAW_OBJECT='plate', FLAW_OUT='o')
        self.assertEqual((err, lines[0]['object']), ([], 'plate'))
        self.assertTrue(os.path.exists(self.path('o/a_overlay.png')))
        _, lines, _ = self.judge('a.png', FLAW_GOOD=f'{good}/0.png:{good}/1.png')
        self.assertEqual(lines[0]['rule'], 'good-parts')
        self.fail_once(66, 'none.recipe', 'inspect', 'a.png', FLAW_RECIPE='none.recipe')
        self.fail_once(2, 'nosuch', 'inspect', 'a.png', FLAW_METHOD='nosuch')
        self.fail_once(66, 'nowhere', 'inspect', 'a.png', FLAW_MODEL='nowhere')
        self.fail_once(66, 'none.json', 'inspect', 'a.png', FLAW_PROMPTS='none.json')
        self.fail_once(2, 'several', 'eval', '.', FLAW_SHOTS='several')
        self.succeed('learn', FLAW_GOOD=good, FLAW_OUTPUT='x.recipe')
        self.assertTrue(os.path.exists(self.path('x.recipe')))
        by_flag = json.loads(self.succeed('embed', '--text', 'a bolt', '--json'))
        self.assertEqual(json.loads(self.succeed('embed', FLAW_TEXT='a bolt', FLAW_JSON='1')), by_flag)
        self.succeed('embed', FLAW_IMAGE='a.png', FLAW_DUMP='dump.safetensors')
        self.assertTrue(os.path.exists(self.path('dump.safetensors')))

    def test_the_flag_wins(self):
        self.write('a.png', part(1))
        _, lines, err = self.judge('a.png', '--object', 'bolt', FLAW_OBJECT='plate', FLAW_THREADS='1')
        self.assertEqual((err, lines[0]['object']), ([], 'bolt'))
        self.assertIn('picture ', self.succeed('inspect', 'a.png', '--json=no', FLAW_JSON='yes'))

    def test_other_commands_variables_do_no_harm(self):
        self.write('a.png', part(1))
        self.assertEqual(self.judge('a.png', FLAW_SHOTS='several', FLAW_COUNT='x')[0], 0)


class Embed(command.Command):
    def test_unit_length(self):
        self.write('a.png', part(1))
        for arguments in (['--image', 'a.png'], ['--text', 'a photo of a bolt'], ['--text', '']):
            vector = json.loads(self.succeed('embed', *arguments, '--json'))['embedding']
            self.assertAlmostEqual(sum(x * x for x in vector), 1, places=5)
            plain = [float(x) for x in self.succeed('embed', *arguments).split()]
            self.assertEqual(plain, vector)

    def test_tokens(self):
        answer = json.loads(self.succeed('embed', '--text', 'a bolt', '--tokens', '--json'))
        self.assertEqual(list(answer), ['ids'])
        self.assertGreaterEqual(len(answer['ids']), 4)
        self.assertEqual([int(x) for x in self.succeed('embed', '--text', 'a bolt', '--tokens').split()], answer['ids'])


if __name__ == '__main__':
    unittest.main()
