"""tools/check_laws.py finds each kind of violation planted in a small tree, where it is, and nothing in a clean one."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECKER = os.path.join(os.environ['FLAW_SOURCE'], 'tools', 'check_laws.py')
LONG = 'static void big(void)\n{\n' + '    work();\n' * 99 + '}\n'  # 101 lines with its braces
MARK = 'TO' + 'DO'


def check(files):
    """(exit status, output) of the checker on a tree with these files: {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        done = subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Laws(unittest.TestCase):
    def broken(self, path, text, where, *words):
        """One violation, at `where`, whose message holds `words`."""
        status, output = check({path: text})
        self.assertEqual(status, 1, output)
        self.assertIn(f'{path}:{where}: ', output)
        self.assertIn('\n1 laws broken', '\n' + output)
        for word in words:
            self.assertIn(word, output)

    def clean(self, path, text):
        status, output = check({path: text})
        self.assertEqual(status, 0, output)

    def test_clean_tree(self):
        self.clean('src/nn/a.c', '#include <math.h>\n#include "flaw/status.h"\n#include "kernel/kernel.h"\n'
                                 '#include "nn/a.h"\n\nvoid flaw_a(void)\n{\n    flaw_b("system(1)"); /* rand() */\n}\n')

    def test_nothing_to_check(self):
        status, output = check({'README.md': 'words\n'})
        self.assertEqual(status, 1)
        self.assertIn('no C files', output)

    def test_layer_upwards(self):
        self.broken('src/base/a.c', 'int x;\n#include "nn/block.h"\n', 2, 'base is layer 0', 'nn, layer 2')

    def test_layer_sideways(self):
        self.broken('src/image/a.c', '#include "format/npy.h"\n', 1, 'image is layer 1')

    def test_layer_same_number(self):
        self.broken('src/talk/a.h', '#include "record/json.h"\n', 1)

    def test_app_sees_library_inside(self):
        self.broken('app/cli/a.c', '#include "flaw/status.h"\n#include "base/arena.h"\n', 2, 'app/')

    def test_public_header_sees_library_inside(self):
        self.broken('include/flaw/a.h', '#include "base/arena.h"\n', 1, 'public header')

    def test_path_upwards(self):
        self.broken('src/nn/a.c', '#include "../model/vit.h"\n', 1, 'upwards')

    def test_folder_without_layer(self):
        self.broken('src/extra/a.c', 'int x;\n', 1, 'extra')

    def test_long_function(self):
        self.broken('src/base/a.c', '\n' + LONG, 3, 'big()', '101 lines', 'allowed are 100')

    def test_allowed_function_is_reported_only(self):
        self.clean('src/base/a.c', LONG.replace('    work();\n', '', 1))

    def test_long_file(self):
        self.broken('src/base/a.c', 'int x;\n' * 801, 801, '801 lines')
        self.clean('src/base/a.c', 'int x;\n' * 800)

    def test_banned_everywhere(self):
        for call in ('strcpy', 'strcat', 'sprintf', 'gets', 'atoi', 'strtok', 'system', 'rand'):
            self.broken('app/cli/a.c', f'\nint x = {call} (y);\n', 2, f'{call}() is banned')

    def test_similar_names_are_not_banned(self):
        self.clean('src/base/a.c', 'int x = flaw_rand(1) + snprintf(a, 1, b) + t->gets(1) + my_system(2);\n')

    def test_banned_in_library_only(self):
        for call in ('exit', 'abort', 'assert', 'printf', 'fprintf', 'strerror'):
            self.broken('src/base/a.c', f'    {call}(1);\n', 1, f'{call}() is banned')
            self.clean('app/cli/a.c', f'    {call}(1);\n')

    def test_globals(self):
        self.broken('src/base/a.c', 'static int calls;\n', 1, 'must be const')
        self.broken('src/base/a.c', 'void f(void)\n{\n    static float table[9] = {0};\n}\n', 3, 'must be const')
        self.clean('src/base/a.c', 'static const int n = 3;\nstatic int f(int a);\nstatic inline int g(void)\n{\n}\n')

    def test_marks(self):
        self.broken('docs/a.c', f'/* {MARK}: later */\n', 1, 'left behind')
        self.clean('docs/a.c', f'/* {MARK}S and method{MARK} */\n')

    def test_paths_of_one_machine(self):
        self.broken('tests/a.c', 'read("/ho' + 'me/anna/pictures");\n', 1, 'one machine')
        self.clean('tests/a.c', 'read("../work/x"); read("/proc/self/stat"); /* at work/home */\n')

    def test_columns_and_tabs(self):
        self.broken('src/base/a.c', '/*' + 'x' * 131 + '\n', 1, '133 columns')
        self.broken('src/base/a.c', 'int x;\n\tint y;\n', 2, 'tab')


if __name__ == '__main__':
    unittest.main()
