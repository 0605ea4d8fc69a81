"""What only a terminal gets: colours, and a progress bar when the work is long."""
import os
import pty
import select
import subprocess
import time
import unittest

import command
from command import FLAW, part


class Terminal(command.Command):
    def on_terminal(self, *arguments, which, **environment):
        """What flaw writes to a terminal as standard output (1) or standard error (2)."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith('FLAW_') and k != 'NO_COLOR'}
        clean.update({'TERM': 'xterm', **environment})
        ours, theirs = pty.openpty()
        streams = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, 'stdin': subprocess.DEVNULL}
        streams['stdout' if which == 1 else 'stderr'] = theirs
        process = subprocess.Popen([FLAW, *arguments], cwd=self.folder, env=clean, **streams)
        os.close(theirs)
        text, end = b'', time.time() + 240
        while time.time() < end and select.select([ours], [], [], 240)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            text += piece
        self.assertEqual(process.wait(timeout=240), 0)
        os.close(ours)
        return text.decode()

    def test_colours(self):
        self.write('a.png', part(1))
        self.assertIn('\033[32mnormal', self.on_terminal('inspect', 'a.png', '--threshold', '1e9', which=1))
        self.assertIn('\033[1;31manomalous', self.on_terminal('inspect', 'a.png', '--threshold', '-1e9', which=1))
        self.assertNotIn('\033', self.on_terminal('inspect', 'a.png', which=1, NO_COLOR='1'))
        self.assertNotIn('\033', self.on_terminal('inspect', 'a.png', which=1, TERM='dumb'))
        self.assertNotIn('\033', self.on_terminal('inspect', 'a.png', '--json', which=1))

    def test_progress(self):
        draw = ('scenes', '--out', 'scenes', '-n', '3', '--size', '64', '--kind', 'metal nut')
        bar = self.on_terminal(*draw, '--progress', 'always', which=2)
        self.assertIn(' of 3 drawn', bar)
        self.assertTrue(bar.endswith('\r\033[K'), repr(bar[-40:]))  # the bar is taken away
        self.assertEqual(self.on_terminal(*draw, '--progress=never', which=2), '')
        self.assertEqual(self.on_terminal(*draw, which=2, FLAW_PROGRESS='always'), bar)
        self.write('a.png', part(1))
        self.assertEqual(self.on_terminal('inspect', 'a.png', which=2), '')  # one picture has no bar

    def test_progress_elsewhere(self):
        """No terminal: no bar, unless it is asked for."""
        draw = ('scenes', '--out', 'scenes', '-n', '3', '--size', '64', '--kind', 'metal nut')
        self.succeed(*draw)
        status, _, err = self.run_flaw(*draw, '--progress', 'always')
        self.assertEqual(status, 0)
        self.assertIn(' of 3 drawn', '\r'.join(err))


if __name__ == '__main__':
    unittest.main()
