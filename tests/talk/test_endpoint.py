"""An endpoint over a real socket: what is sent, what is read, what is tried again, and how each kind of fault is named."""
import json
import os
import socket
import subprocess
import time
import unittest

from server import Server

PROBE = os.environ['FLAW_PROBE']
KEY = 'sk-secret-0123456789abcdef'


class Endpoint(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def ask(self, url, key='-', timeout=20, wait=0.01, words=0, question='Is there any anomaly?'):
        done = subprocess.run([PROBE, url, key, str(timeout), str(wait), str(words), question], capture_output=True, check=True,
                              timeout=60)
        self.assertEqual(done.stderr, b'')
        if b'built without libcurl' in done.stdout:
            self.skipTest('built without libcurl')
        self.assertNotIn(KEY[:10].encode(), done.stdout)
        return json.loads(done.stdout)

    def to(self, way, **more):
        return self.ask(self.server.url(way), **more)

    def fails(self, way, status, says, **more):
        answer = self.to(way, **more)
        self.assertEqual((answer['status'], answer['text']), (status, ''), answer)
        self.assertIn(says, answer['error'])
        self.assertIn(f'http://127.0.0.1:', answer['error'])
        return len(self.server.seen)

    def test_what_is_sent(self):
        self.to('good', key=KEY, question='What\n"now" \u00e9?')
        seen = self.server.seen[0]
        self.assertEqual(seen['path'], '/good/v1/chat/completions')
        self.assertEqual(seen['headers']['Authorization'], 'Bearer ' + KEY)
        self.assertEqual(seen['headers']['Content-Type'], 'application/json')
        body = seen['body']
        self.assertEqual([m['role'] for m in body['messages']], ['system', 'user'])
        self.assertIn('verdict: anomalous\nscore: 0.7 ', body['messages'][0]['content'])
        self.assertEqual(body['messages'][1]['content'], 'What\n"now" \u00e9?')
        self.assertEqual((body['model'], body['stream'], body['max_tokens'], body['temperature'], body['top_p'], body['seed']),
                         ('small', True, 50, 0.5, 0.9, 7))
        self.assertEqual(self.to('good')['status'], 'ok')
        self.assertNotIn('Authorization', self.server.seen[1]['headers'])

    def test_addresses(self):
        base = self.server.url('good')
        for url in (base + '/', base + '//', base + '/chat/completions'):
            self.assertEqual(self.ask(url)['text'], 'Yes, at the left é.')
        for url, says in (('ftp://a/v1', 'no address'), ('127.0.0.1/v1', 'no address'), ('http://', 'no address'),
                          ('http:///v1', 'no address'), ('http://user:pw@a/v1', 'a name or password'),
                          ('http://a/v1?x=1', 'a query'),
                          ('http://a/v1#x', 'a query'), ('http://a b/', 'byte 0x20'), ('http://a/\n', 'byte 0x0a'),
                          ('http://a/\u00e9', 'byte 0xc3'), ('file:///etc/passwd', 'no address')):
            answer = self.ask(url)
            self.assertEqual(answer['status'], 'usage', url)
            self.assertIn(says, answer['error'])
            self.assertNotIn('pw', answer['error'])
        answer = self.ask(base, key='two words')
        self.assertEqual(answer['status'], 'usage')
        self.assertNotIn('two', answer['error'])

    def test_stream_and_plain(self):
        answer = self.to('good')
        self.assertEqual((answer['status'], answer['text'], answer['cut'], answer['stopped']),
                         ('ok', 'Yes, at the left é.', False, False))
        self.assertEqual(answer['pieces'], ['Yes, ', 'at the ', 'left é.'])
        answer = self.to('plain')
        self.assertEqual((answer['text'], answer['cut']), ('No, there is no anomaly.', False))
        self.assertTrue(self.to('length')['cut'])

    def test_end_that_is_said_is_enough(self):
        begin = time.time()
        self.assertEqual(self.to('open')['text'], 'No.')
        self.assertLess(time.time() - begin, 10)

    def test_stopping(self):
        begin = time.time()
        answer = self.to('trickle', words=3)
        self.assertEqual((answer['status'], answer['text'], answer['stopped']), ('ok', 'word word word ', True))
        self.assertTrue(self.to('silent', words=-1)['stopped'])  # while nothing comes
        self.assertLess(time.time() - begin, 15)

    def test_tried_again(self):
        self.assertEqual(self.to('once500')['text'], 'Yes, at the left é.')
        self.assertEqual(self.to('twice429')['text'], 'No, there is no anomaly.')
        self.assertEqual(self.to('drops')['text'], 'No, there is no anomaly.')
        begin = time.time()
        self.assertEqual(self.to('later')['status'], 'ok')
        self.assertGreater(time.time() - begin, 0.9)

    def test_not_tried_for_ever(self):
        self.assertEqual(self.fails('always503', 'unavailable', 'HTTP status 503: model is loading'), 3)
        before = len(self.server.seen)
        self.assertEqual(self.fails('muchlater', 'unavailable', 'HTTP status 429'), before + 1)
        begin = time.time()
        self.fails('always503', 'unavailable', 'HTTP status 503', wait=30, timeout=1)  # no time for a second try
        self.assertLess(time.time() - begin, 5)

    def test_not_tried_again(self):
        for way, status, says in (('unknown', 'unavailable', 'HTTP status 404: no such model'),
                                  ('moved', 'unavailable', 'HTTP status 302 (redirects are not followed)'),
                                  ('refuses', 'unavailable', 'reports an error: out of memory'),
                                  ('hugeerror', 'unavailable', 'HTTP status 400'),
                                  ('private', 'unavailable', 'HTTP status 401 (it wants a key, and there is none)'),
                                  ('wrong', 'bad data', 'byte 0: "choices" is missing'),
                                  ('html', 'bad data', 'neither a JSON object nor a stream'),
                                  ('latin1', 'bad data', 'is not JSON'),
                                  ('cut', 'bad data', 'is cut at byte'),
                                  ('cutstream', 'bad data', 'is not JSON'),
                                  ('huge', 'bad data', 'a reply of more than 8388608 bytes'),
                                  ('raw', 'bad data', 'is not HTTP')):
            before = len(self.server.seen)
            self.assertEqual(self.fails(way, status, says), before + 1, way)

    def test_times_out(self):
        begin = time.time()
        self.fails('silent', 'unavailable', 'no whole reply within 0.4 s (0 bytes came)', timeout=0.4)
        self.fails('stalls', 'unavailable', 'no whole reply within 0.4 s', timeout=0.4)
        self.fails('trickle', 'unavailable', 'no whole reply within 0.4 s', timeout=0.4)
        self.assertLess(time.time() - begin, 20)

    def test_nobody_there(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        answer = self.ask(f'http://127.0.0.1:{port}/v1')
        self.assertEqual(answer['status'], 'unavailable')
        self.assertIn(f'127.0.0.1:{port}', answer['error'])
        answer = self.ask(f'https://127.0.0.1:{self.server.server.server_port}/good/v1')  # no TLS there
        self.assertEqual(answer['status'], 'unavailable')

    def test_key_is_never_shown(self):
        answer = self.to('private', key=KEY)  # `ask` looks for it
        self.assertIn('the key was not accepted', answer['error'])
        self.assertIn('****', answer['error'])
        self.assertIn('****', self.to('tattle', key=KEY)['error'])


if __name__ == '__main__':
    unittest.main()
