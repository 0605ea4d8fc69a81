"""tools/count_tests.py reports what ran: a test that failed, crashed or never ran must not count as passed."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

COUNTER = os.path.join(os.environ['FLAW_SOURCE'], 'tools', 'count_tests.py')
GOOD = '[==========] Running 2 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[       OK ] b\n'
FAILED = '[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n'
FAILED_ERR = '[  PASSED  ] 1 test(s).\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n'
SKIPPED = '[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\nno pictures here\n[  SKIPPED ] b\n'
SKIPPED_ERR = '[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] b\n'


def count(*programs):
    """(exit status, last line) for programs given as (result, stdout, stderr)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'testlog.json')
        with open(path, 'w', encoding='utf-8') as log:
            for result, out, err in programs:
                log.write(json.dumps({'name': 'x', 'result': result, 'stdout': out, 'stderr': err}) + '\n')
        done = subprocess.run([sys.executable, COUNTER, path], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip().split('\n')[-1]


class Counts(unittest.TestCase):
    def test_good(self):
        self.assertEqual(count(('OK', GOOD, '')), (0, '2 passed, 0 failed, 0 skipped'))

    def test_failed_and_skipped(self):
        self.assertEqual(count(('FAIL', FAILED, FAILED_ERR)), (1, '1 passed, 1 failed, 0 skipped'))
        self.assertEqual(count(('OK', SKIPPED, SKIPPED_ERR)), (0, '1 passed, 0 failed, 1 skipped'))

    def test_crash_inside_a_test(self):
        self.assertEqual(count(('FAIL', GOOD + '[ RUN      ] c\n', '')), (1, '2 passed, 1 failed, 0 skipped'))

    def test_bad_end_after_good_tests(self):
        self.assertEqual(count(('FAIL', GOOD, 'leak')), (1, '2 passed, 1 failed, 0 skipped'))
        self.assertEqual(count(('TIMEOUT', '', '')), (1, '0 passed, 1 failed, 0 skipped'))

    def test_programs_without_counts(self):
        self.assertEqual(count(('OK', '', ''), ('SKIP', '', ''), ('ERROR', '', '')),
                         (1, '1 passed, 1 failed, 1 skipped'))

    def test_unittest(self):
        text = '...\n' + '-' * 70 + '\nRan 9 tests in 1.6s\n\nFAILED (failures=1, errors=2, skipped=3)\n'
        self.assertEqual(count(('FAIL', '', text)), (1, '3 passed, 3 failed, 3 skipped'))
        self.assertEqual(count(('OK', '', '-\nRan 1 test in 0.1s\n\nOK\n')), (0, '1 passed, 0 failed, 0 skipped'))

    def test_nothing_ran(self):
        self.assertEqual(count(), (1, '0 passed, 1 failed, 0 skipped'))


if __name__ == '__main__':
    unittest.main()
