"""flaw ask and flaw chat from outside: the published tokens, facts without a voice, endpoints, terminals and pipes."""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import unittest

import command
from command import FLAW, SHARED, SOURCE, part

sys.path.insert(0, os.path.join(SOURCE, 'tests', 'talk'))
from server import Server  # noqa: E402

GOLDEN = os.path.join(SHARED, 'golden', 'anomalygpt-small')
TOWERS = os.path.join(SOURCE, 'models', 'default.safetensors')  # as a file it has no voice


class Talk(command.Command):
    def setUp(self):
        super().setUp()
        self.write('a.png', part(1, spot=(20, 20)))

    def ask(self, *arguments, status=0, errors=0, **environment):
        """The JSON object of flaw ask, and standard error."""
        found, out, err = self.run_flaw('ask', '--json', *arguments, **environment)
        self.assertEqual((found, len(err)), (status, errors), err)
        return json.loads(out) if out else None, err

    def server(self):
        """The small endpoint of tests/talk, until the test ends."""
        *_, err = self.run_flaw('ask', '--model', TOWERS, '--llm', 'http://127.0.0.1:1/v1', '--llm-timeout', '0.1', 'a.png', '?')
        if 'libcurl' in err[0]:
            self.skipTest(err[0])
        server = Server()
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def golden(self):
        if not os.path.isdir(GOLDEN):
            self.skipTest(f'{GOLDEN} is not here')
        with open(os.path.join(GOLDEN, 'expected.json'), encoding='utf-8') as file:
            return json.load(file)


class Ask(Talk):
    def test_published_tokens(self):
        expected = self.golden()
        common = ['--model', GOLDEN, '--object', expected['object'], '--max-tokens', '16']
        for image in expected['images']:
            picture = os.path.join(GOLDEN, image['file'])
            for kind, more in (('decoder', []), ('few_shot', ['--good', os.path.join(GOLDEN, expected['normal'])])):
                answer, _ = self.ask(*common, *more, picture, expected['question'])
                self.assertEqual(answer['ids'], image[kind + '_greedy_ids'])
                self.assertAlmostEqual(answer['score'], image[kind + '_score'], places=4)
                self.assertEqual((answer['image'], answer['question']), (picture, expected['question']))
                self.assertEqual((answer['source'], answer['cut'], answer['model']), ('language', True, 'anomalygpt-small'))
                self.assertEqual(answer['map_verdict'], 'anomalous' if answer['score'] > answer['threshold'] else 'normal')
                self.assertIn('agree', answer)

    def test_one_bundle(self):
        """What flaw model convert makes of the folder says the same."""
        expected = self.golden()
        self.succeed('model', 'convert', GOLDEN, '-o', 'all.flaw')
        answer, _ = self.ask('--model', 'all.flaw', '--object', expected['object'], '--max-tokens', '16',
                             os.path.join(GOLDEN, 'part1.png'), expected['question'])
        self.assertEqual(answer['ids'], expected['images'][0]['decoder_greedy_ids'])

    def test_drawing_of_lots(self):
        self.golden()
        picture = os.path.join(GOLDEN, 'part1.png')
        hot = ['--model', GOLDEN, '--max-tokens', '12', '--temperature', '1.5', picture, 'Is there any anomaly?']
        first, _ = self.ask('--seed', '1', *hot)
        again, _ = self.ask('--seed', '1', '--threads', '1', *hot)
        other, _ = self.ask('--seed', '2', *hot)
        narrow, _ = self.ask('--seed', '2', '--top-p', '0.00001', *hot)
        greedy, _ = self.ask(*hot, '--temperature', '0')
        self.assertEqual(first['ids'], again['ids'])
        self.assertNotEqual(first['ids'], other['ids'])
        self.assertEqual(narrow['ids'], greedy['ids'])

    def test_for_people(self):
        self.golden()
        out = self.succeed('ask', '--model', GOLDEN, '--max-tokens', '4', os.path.join(GOLDEN, 'part1.png'), 'Is it good?')
        self.assertRegex(out, r'^\S.*\n  words: no verdict.*; map: \w+, [\d.]+ against 0\.5\n$')

    def test_facts_stand_in(self):
        answer, _ = self.ask('--model', TOWERS, '--object', 'plate', 'a.png', 'What is it?')
        self.assertEqual((answer['source'], answer['agree']), ('facts', True))
        self.assertNotIn('ids', answer)
        self.assertIn('no voice', answer['note'])
        self.assertIn('plate', answer['answer'])
        self.assertEqual(answer['verdict'], answer['map_verdict'])
        out = self.succeed('ask', '--model', TOWERS, '--object', 'plate', 'a.png', 'What is it?')
        self.assertTrue(out.startswith(answer['answer'] + '\n'))
        self.assertIn('  note: the model has no voice', out)
        self.assertNotIn('words:', out)

    def test_good_parts(self):
        answer, _ = self.ask('--model', TOWERS, '--good', self.good_parts(4), 'a.png', 'Is it good?')
        judged = self.judge('--model', TOWERS, '--good', 'good', 'a.png')[1][0]
        self.assertEqual((answer['score'], answer['threshold']), (judged['score'], judged['threshold']))

    def test_wrong_use(self):
        self.fail_once(2, 'PICTURE', 'ask')
        self.fail_once(2, 'QUESTION', 'ask', 'a.png')
        self.fail_once(2, '3 arguments', 'ask', 'a.png', 'is', 'it')
        self.fail_once(2, 'empty', 'ask', '--model', TOWERS, 'a.png', ' ')
        self.fail_once(66, 'none.png', 'ask', '--model', TOWERS, 'none.png', 'Is it good?')
        self.fail_once(65, 'cut.png', 'ask', '--model', TOWERS, self.write('cut.png', part(1)[:200]), 'Is it good?')
        self.fail_once(66, 'nowhere', 'ask', '--model', 'nowhere', 'a.png', 'Is it good?')
        self.fail_once(66, 'nowhere', 'ask', '--model', TOWERS, '--good', 'nowhere', 'a.png', 'Is it good?')
        self.fail_once(2, 'turned', 'ask', '--model', TOWERS, '--rotations', 'a.png', 'Is it good?')
        self.write('half/vicuna/config.json', b'{}')
        self.fail_once(66, 'imagebind_huge.pth', 'ask', '--model', 'half', 'a.png', 'Is it good?')
        self.fail_once(2, '--top-p', 'ask', '--top-p', '2', 'a.png', 'Is it good?')


class Endpoints(Talk):
    def setUp(self):
        super().setUp()
        self.endpoint = self.server()

    def to(self, way, *more, **environment):
        return self.ask('--model', TOWERS, '--llm', self.endpoint.url(way), *more, 'a.png', 'Is it good?', **environment)

    def test_answer(self):
        answer, _ = self.to('good', '--object', 'brake disc', '--llm-model', 'tiny', '--max-tokens', '33')
        self.assertEqual((answer['answer'], answer['source']), ('Yes, at the left é.', 'endpoint'))
        self.assertEqual((answer['verdict'], answer['places'], answer['cut']), ('anomalous', ['left'], False))
        self.assertEqual(answer['agree'], answer['map_verdict'] == 'anomalous')
        self.assertNotIn('ids', answer)
        body = self.endpoint.seen[0]['body']
        self.assertEqual((body['model'], body['max_tokens']), ('tiny', 33))
        system, user = body['messages']
        self.assertIn(f"score: {answer['score']:.4g} ", system['content'])
        self.assertIn(f"verdict: {answer['map_verdict']}\n", system['content'])
        self.assertNotIn('brake disc', system['content'])  # words of users stand in their messages only
        self.assertEqual(user['content'], 'The product is called "brake disc".\n\nIs it good?')

    def test_key(self):
        key = 'sk-very-secret-key'
        self.to('good', FLAW_LLM_KEY=key)
        self.assertEqual(self.endpoint.seen[-1]['headers']['Authorization'], 'Bearer ' + key)
        self.to('good', '--llm-key-env', 'MY_KEY', MY_KEY='other', FLAW_LLM_KEY=key)
        self.assertEqual(self.endpoint.seen[-1]['headers']['Authorization'], 'Bearer other')
        answer, err = self.to('private', status=69, errors=1, FLAW_LLM_KEY=key)
        self.assertIn('HTTP status 401', err[0])
        self.assertNotIn('very-secret', err[0] + json.dumps(answer))

    def test_faults(self):
        """The facts stand in; the exit status and the line on standard error tell."""
        for way, status, word in (('unknown', 69, 'no such model'), ('wrong', 65, '"choices"'), ('cut', 65, 'cut at byte'),
                                  ('latin1', 65, 'not JSON'), ('huge', 65, 'more than'), ('moved', 69, 'redirects')):
            answer, err = self.to(way, status=status, errors=1)
            self.assertIn(word, err[0])
            self.assertIn(word, answer['note'])
            self.assertEqual(answer['source'], 'facts')
            self.assertEqual(answer['verdict'], answer['map_verdict'])
        answer, err = self.to('silent', '--llm-timeout', '0.5', status=69, errors=1)
        self.assertIn('within 0.5 s', err[0])
        self.assertIn('score', answer)
        self.fail_once(2, 'no address', 'ask', '--llm', 'localhost', 'a.png', 'Is it good?')

    def test_stand_in_for_people(self):
        status, out, err = self.run_flaw('ask', '--model', TOWERS, '--llm', self.endpoint.url('cutstream'), 'a.png', 'Is it good?')
        self.assertEqual((status, len(err)), (65, 1))
        lines = out.splitlines()
        self.assertEqual(lines[0], 'Yes')  # what came before the fault
        self.assertIn('score', lines[1])
        self.assertIn('the endpoint failed', lines[2])

    def test_turns(self):
        url = self.endpoint.url('echo')
        out = subprocess.run([FLAW, 'chat', '--model', TOWERS, '--llm', url, '--object', 'gear', 'a.png'],
                             cwd=self.folder, text=True, input='First?\nSecond?\n/restart\nThird?\n', capture_output=True, check=True, timeout=100)
        self.assertEqual(out.stdout, 'You asked: The product is called "gear".\n\nFirst?\nYou asked: Second?\n'
                                     'You asked: The product is called "gear".\n\nThird?\n')
        turns = [[(m['role'], m['content']) for m in s['body']['messages'][1:]] for s in self.endpoint.seen]
        named = 'The product is called "gear".\n\n'
        self.assertEqual(turns[1], [('user', named + 'First?'), ('assistant', f'You asked: {named}First?'), ('user', 'Second?')])
        self.assertEqual(turns[2], [('user', named + 'Third?')])

    def test_long_dialogue(self):
        """Old turns are no longer sent; the last question always is."""
        questions = [f'{i} ' + 'x' * 1500 for i in range(12)]
        subprocess.run([FLAW, 'chat', '--model', TOWERS, '--llm', self.endpoint.url('plain'), '--object', 'cog', 'a.png'],
                       cwd=self.folder, text=True, input='\n'.join(questions), capture_output=True, check=True, timeout=100)
        last = self.endpoint.seen[-1]['body']['messages']
        self.assertEqual(last[-1]['content'], questions[-1])
        self.assertTrue(last[1]['content'].startswith('The product is called "cog".\n\n'))
        self.assertEqual([m['role'] for m in last[:2]], ['system', 'user'])
        self.assertLess(len(json.dumps(last)), 22000)
        self.assertLess(len(last), 2 * len(questions))


class Pipe(Talk):
    def chat(self, lines, *arguments, status=0, model=TOWERS, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith('FLAW_') and 'DISPLAY' not in k}
        clean.update(environment)
        done = subprocess.run([FLAW, 'chat', '--model', model, *arguments], cwd=self.folder, env=clean, capture_output=True,
                              text=True, input=lines, check=False, timeout=100)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr.splitlines()

    def test_questions(self):
        out, err = self.chat('Is it good?\n\n   \nWhere?', 'a.png')
        self.assertEqual((len(out.splitlines()), err), (3, []))  # the note is told once
        out, _ = self.chat('', 'a.png')
        self.assertEqual(out, '')

    def test_json(self):
        out, err = self.chat('Is it good?\nWhere?\n', '--json', 'a.png')
        answers = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([a['question'] for a in answers], ['Is it good?', 'Where?'])
        self.assertEqual(err, [])

    def test_turns_of_the_model(self):
        self.golden()
        picture = os.path.join(GOLDEN, 'part1.png')
        common = ['--json', '--max-tokens', '8']
        out, _ = self.chat(f'Is it good?\nIs it good?\n/restart\nIs it good?\n/picture {picture}\nIs it good?\n', *common,
                           picture, model=GOLDEN)
        ids = [json.loads(line)['ids'] for line in out.splitlines()]
        self.assertEqual(len(ids), 4)
        self.assertNotEqual(ids[0], ids[1])  # the first turn is read, too
        self.assertEqual(ids[0], ids[2])
        self.assertEqual(ids[0], ids[3])

    def test_commands(self):
        self.write('b.png', part(2, size=64))
        out, err = self.chat('/facts\n/picture b.png\n/facts\n/help\n/quit\nnever read\n', 'a.png')
        self.assertEqual(out.count('picture: 96 x 96 pixels'), 1)
        self.assertEqual(out.count('picture: 64 x 64 pixels'), 1)
        self.assertIn('/restart', out)
        self.assertEqual(err, [])

    def test_faults_do_not_end_it(self):
        out, err = self.chat('/nonsense\n/picture none.png\n/picture\nIs it good?\n', 'a.png', status=2)
        self.assertEqual(len(err), 3)
        self.assertIn('/nonsense', err[0])
        self.assertIn('none.png', err[1])
        self.assertIn('score', out)

    def test_map(self):
        out, _ = self.chat('/map\n', '--out', 'maps', 'a.png')
        self.assertEqual(out, 'maps/a_overlay.png\n')
        self.assertGreater(command.png_size(self.path('maps/a_overlay.png'))[0], 90)
        out, _ = self.chat('/map\n/map\n', 'a.png', TMPDIR=self.folder)
        self.assertEqual(len(set(out.splitlines())), 1)
        self.assertTrue(os.path.exists(out.splitlines()[0]))
        out, err = self.chat('/map\nIs it good?\n', '--out', 'a.png/x', 'a.png', status=74)
        self.assertEqual(len(err), 1)
        self.assertIn('score', out)

    def test_viewer(self):
        self.write('bin/xdg-open', b'#!/bin/sh\necho "$1" > seen.txt\n')
        os.chmod(self.path('bin/xdg-open'), 0o755)
        out, _ = self.chat('/map\n', '--out', 'maps', 'a.png', DISPLAY=':0', PATH=self.path('bin') + ':' + os.environ['PATH'])
        self.assertEqual(out, 'maps/a_overlay.png (opened)\n')
        end = time.time() + 20
        while time.time() < end and not (os.path.exists(self.path('seen.txt')) and os.path.getsize(self.path('seen.txt'))):
            time.sleep(0.02)
        with open(self.path('seen.txt'), encoding='utf-8') as file:
            self.assertEqual(file.read(), 'maps/a_overlay.png\n')
        out, _ = self.chat('/map\n', '--out', 'maps', 'a.png', DISPLAY=':0', PATH='/nowhere')
        self.assertEqual(out, 'maps/a_overlay.png\n')

    def test_wrong_use(self):
        self.fail_once(2, 'PICTURE', 'chat')
        self.fail_once(66, 'none.png', 'chat', '--model', TOWERS, 'none.png')
        self.fail_once(2, 'PICTURE', 'chat', 'a.png', 'b.png')


class OnTerminal(Talk):
    """flaw chat as people have it: a terminal in front and behind."""

    def start(self, *arguments):
        self.ours, theirs = pty.openpty()
        clean = {k: v for k, v in os.environ.items() if not k.startswith('FLAW_') and 'DISPLAY' not in k}
        self.process = subprocess.Popen([FLAW, 'chat', '--model', TOWERS, *arguments], cwd=self.folder, env=clean, stdin=theirs,
                                        stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=self.own_terminal)
        os.close(theirs)
        self.addCleanup(self.stop)
        self.seen = ''

    @staticmethod
    def own_terminal():
        """The terminal sends Ctrl-C to the process that it controls; under nohup these tests ignore its end, the process must not."""
        import fcntl
        import termios
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def stop(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def until(self, text, seconds=60):
        """Waits for `text`, and gives what came up to its end."""
        end = time.time() + seconds
        while text not in self.seen:
            self.assertLess(time.time(), end, f'waited for {text!r}, came: {self.seen!r}')
            if select.select([self.ours], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.ours, 65536).decode('utf-8', 'replace')
                except OSError:
                    self.fail(f'ended before {text!r}: {self.seen!r}')
        before, self.seen = self.seen.split(text, 1)
        return before + text

    def type(self, text):
        os.write(self.ours, text.encode())

    def test_dialogue(self):
        self.start('a.png', '--object', 'plate')
        greeting = self.until('> ')
        self.assertIn('plate', greeting)
        self.assertIn('/help', greeting)
        self.type('Is it good?\n')
        self.assertIn('score', self.until('> '))
        for _ in range(20):  # however soon after the prompt
            self.type('\x03')
            self.until('(/quit ends)')
            self.until('> ')
        self.type('\x04')  # the end of input
        self.assertEqual(self.process.wait(timeout=30), 0)

    def test_interrupt_stops_an_answer(self):
        server = self.server()
        self.start('a.png', '--llm', server.url('slow'))
        self.until('> ')
        self.type('Is it good?\n')
        self.until('word ')
        self.type('\x03')
        after = self.until('> ', seconds=30)  # all of it would take forty seconds
        self.assertLess(after.count('word'), 300)
        self.type('/quit\n')
        self.assertEqual(self.process.wait(timeout=30), 0)

    def test_interrupt_before_the_first_word(self):
        server = self.server()
        self.start('a.png', '--llm', server.url('silent'))
        self.until('> ')
        self.type('Is it good?\n')
        end = time.time() + 30
        while time.time() < end and not server.seen:
            time.sleep(0.01)
        self.type('\x03')
        self.until('> ', seconds=10)
        self.type('/quit\n')
        self.assertEqual(self.process.wait(timeout=30), 0)

    def test_answers_drive_no_terminal(self):
        server = self.server()
        self.start('a.png', '--llm', server.url('escapes'))
        self.until('> ')
        self.type('Is it good?\n')
        answer = self.until('> ')
        self.assertIn('red', answer)
        self.assertNotIn('\x1b', answer)
        self.assertNotIn('\x9b', answer)

    def test_hang_up(self):
        self.start('a.png')
        self.until('> ')
        self.process.send_signal(signal.SIGHUP)
        self.assertLess(self.process.wait(timeout=30), 1)


if __name__ == '__main__':
    unittest.main()
