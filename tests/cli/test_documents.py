"""What the documents promise: the example is the one that is built, links lead somewhere, commands take their flags."""
import os
import re
import shlex
import subprocess
import unittest

import command
from command import FLAW, SOURCE, part

EXAMPLE = os.environ['FLAW_EXAMPLE']


def text_of(*name):
    with open(os.path.join(SOURCE, *name), encoding='utf-8') as file:
        return file.read()


class Documents(command.Command):
    def test_example_in_the_readme_is_the_file(self):
        self.assertEqual(re.search(r'```c\n(.*?)```', text_of('README.md'), re.S).group(1), text_of('examples', 'judge.c'))

    def test_example_runs(self):
        self.write('a.png', part(9))
        good = [self.write(f'{i}.png', part(i)) for i in range(3)]
        done = subprocess.run([EXAMPLE, 'a.png', *good], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertRegex(done.stdout, r'^(normal|anomalous) [\d.]+ .*bolt')
        done = subprocess.run([EXAMPLE, 'none.png'], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (66, 1))

    def test_links(self):
        for name in ('README.md', 'docs/tour.md', 'docs/anomalygpt.md'):
            for link in re.findall(r'\]\(([^)#]+)\)', text_of(name)):
                if '://' not in link:
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, os.path.dirname(name), link)), f'{name}: {link}')

    def test_commands_take_the_flags_that_the_readme_gives_them(self):
        page = subprocess.run([FLAW, 'help', '--markdown'], capture_output=True, text=True, check=True).stdout
        sections = dict(re.findall(r'^## flaw (\w+)\n(.*?)(?=^## |\Z)', page, re.M | re.S))
        lines = re.findall(r'`flaw (.*?)`', text_of('README.md'))
        self.assertGreater(len(lines), 10)
        for line in lines:
            words = shlex.split(line)
            self.assertIn(words[0], sections)
            for word in words[1:]:
                if word.startswith('-') and len(word) > 1:
                    pattern = rf'`{word}, ' if word[1] != '-' else rf'{word}[ `]'
                    self.assertRegex(sections[words[0]], pattern, line)


if __name__ == '__main__':
    unittest.main()
