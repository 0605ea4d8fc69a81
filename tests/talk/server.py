"""A small endpoint that behaves and misbehaves: the first part of the path says how, http://127.0.0.1:PORT/good/v1."""
import http.server
import json
import threading
import time


def chunk(words=None, reason=None):
    delta = {} if words is None else {'content': words}
    return b'data: ' + json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': reason}]}).encode() + b'\n\n'


GOOD = ['polished', 'smooth', 'golden', 'even', 'bright', 'solid', 'round', 'matt', 'new', 'straight']
BAD = ['scratched', 'cracked', 'dented', 'bent', 'rusty', 'stained', 'chipped', 'worn', 'torn', 'crooked']


def sentences(body, count=30):
    """What a good model answers to a question of talk/prompts_query.c: COUNT sentences that name the object."""
    question = body['messages'][-1]['content']
    words = BAD if ' an abnormal' in question else GOOD
    name = question.split('Call it "')[1].split('"')[0]
    parts = ('surface', 'edge', 'thread', 'body', 'corner')
    there = [line[2:] for line in question.splitlines() if line.startswith('- ')]
    every = [f'a {name} with a {word} {part}' for part in parts for word in words]
    return [s for s in every if s not in there][:count]


def whole(words, reason='stop'):
    return json.dumps({'choices': [{'index': 0, 'message': {'role': 'assistant', 'content': words},
                                    'finish_reason': reason}]}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, code, body=b'', headers=(), length=None):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, *pieces, pause=0.0):
        """Without a length: the end of the connection is the end of the reply."""
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream')
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(pause)

    def do_POST(self):
        way = self.path.split('/')[1]
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.seen.append({'path': self.path, 'headers': dict(self.headers), 'body': json.loads(body)})
        try:
            getattr(self, 'way_' + way)(sum(s['path'] == self.path for s in self.server.seen))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def way_good(self, _):
        self.stream(chunk('Yes, '), chunk('at the '), chunk('left é.'), chunk(None, 'stop'), b'data: [DONE]\n\n')

    def way_echo(self, _):
        """The last question back; what follows from the facts is up to the tests."""
        self.reply(200, whole('You asked: ' + self.server.seen[-1]['body']['messages'][-1]['content']))

    def way_plain(self, _):
        self.reply(200, whole('No, there is no anomaly.'))

    def way_length(self, _):
        self.stream(chunk('Yes, and'), chunk(None, 'length'), b'data: [DONE]\n\n')

    def way_escapes(self, _):
        """Control sequences for terminals, of both kinds."""
        self.reply(200, whole('\x1b[31mred\x1b[0m \x9b2J \x07 \r done'))

    def way_trickle(self, _):
        self.stream(*[chunk('word ')] * 40, chunk(None, 'stop'), b'data: [DONE]\n\n', pause=0.1)

    def way_slow(self, _):
        self.stream(*[chunk('word ')] * 400, chunk(None, 'stop'), b'data: [DONE]\n\n', pause=0.1)

    def way_silent(self, _):
        self.server.leave.wait(30)

    def way_stalls(self, _):
        self.stream(chunk('Yes'))
        self.server.leave.wait(30)

    def way_open(self, _):
        """The end is said, but the connection stays."""
        self.stream(chunk('No.'), chunk(None, 'stop'), b'data: [DONE]\n\n')
        self.server.leave.wait(30)

    def way_once500(self, count):
        if count == 1:
            self.reply(500, b'oops')
        else:
            self.way_good(count)

    def way_twice429(self, count):
        if count <= 2:
            self.reply(429, b'{"error":{"message":"slow down"}}')
        else:
            self.way_plain(count)

    def way_always503(self, _):
        self.reply(503, b'{"error":{"message":"model is loading"}}')

    def way_later(self, count):
        if count == 1:
            self.reply(429, b'', [('Retry-After', '1')])
        else:
            self.way_plain(count)

    def way_muchlater(self, _):
        self.reply(429, b'', [('Retry-After', '3000')])

    def way_drops(self, count):
        """Closes without a word, the first time."""
        if count > 1:
            self.way_plain(count)

    def way_cut(self, _):
        self.reply(200, chunk('Yes')[:-10], length=5000)

    def way_cutstream(self, _):
        self.stream(chunk('Yes'), chunk(', at')[:20])

    def way_huge(self, _):
        self.send_response(200)
        self.end_headers()
        for _ in range(2000):
            self.wfile.write(b': ' + b'x' * 10000 + b'\n')

    def way_hugeerror(self, _):
        self.send_response(400)
        self.end_headers()
        for _ in range(2000):
            self.wfile.write(b'x' * 10000)

    def way_wrong(self, _):
        self.reply(200, b'{"answer": "Yes"}')

    def way_html(self, _):
        self.reply(200, b'<html>\n<body>hello</body>')

    def way_latin1(self, _):
        self.reply(200, '{"choices":[{"message":{"content":"dépassé"}}]}'.encode('latin-1'))

    def way_raw(self, _):
        self.wfile.write(b'what is HTTP?\r\n\r\n')

    def way_moved(self, _):
        self.reply(302, b'', [('Location', f'http://127.0.0.1:{self.server.server_port}/good/v1/chat/completions')])

    def way_unknown(self, _):
        self.reply(404, b'{"error":{"message":"no such model"}}')

    def way_private(self, _):
        key = self.headers.get('Authorization', '')
        self.reply(401, json.dumps({'error': {'message': 'x' * 150 + ' wrong key: ' + key + ' is not ' + key}}).encode())

    def way_tattle(self, _):
        """Repeats the key where the reply seems fine."""
        key = self.headers['Authorization'].split()[1]
        self.reply(200, json.dumps({'error': {'message': 'y' * 185 + key}}).encode())

    def way_refuses(self, _):
        self.reply(200, b'{"error":{"message":"out of memory"}}')


    # Lists of sentences for talk/prompts_make.c.
    def asked(self, count=30):
        return sentences(self.server.seen[-1]['body'], count)

    def way_list(self, count):
        """As assistants do it: chatter, numbers, titles in bold. Other questions are answered plainly."""
        if 'Call it "' not in self.server.seen[-1]['body']['messages'][-1]['content']:
            self.way_plain(count)
            return
        lines = [f'{i}. **Item {i}**: {s}.' for i, s in enumerate(self.asked(), 1)]
        text = 'Sure! Here are some:\n\n' + '\n'.join(lines) + '\n\nLet me know if you need more of these!'
        self.stream(*[chunk(text[i:i + 7]) for i in range(0, len(text), 7)], chunk(None, 'stop'), b'data: [DONE]\n\n')

    def way_fenced(self, _):
        body = json.loads(whole('```json\n' + json.dumps({'descriptions': self.asked()}) + '\n```'))
        self.reply(200, json.dumps({**body, 'model': 'fence-1'}).encode())

    def way_same(self, _):
        """The same list whatever is asked."""
        name = self.asked(1)[0].split(' with')[0]
        self.reply(200, whole('\n'.join(f'- {name} of a {word} kind' for word in GOOD)))

    def way_scant(self, _):
        """Few at a time."""
        self.reply(200, whole('\n'.join(f'- {s}' for s in self.asked(4))))

    def way_negated(self, _):
        """The abnormal list is of no use."""
        abnormal = ' an abnormal' in self.server.seen[-1]['body']['messages'][-1]['content']
        self.reply(200, whole('\n'.join(s.replace('with a', 'without any') if abnormal else s for s in self.asked())))

    def way_uneven(self, _):
        """Too few abnormal sentences, whatever is asked."""
        abnormal = ' an abnormal' in self.server.seen[-1]['body']['messages'][-1]['content']
        name = self.asked(1)[0].split(' with')[0]
        self.reply(200, whole('\n'.join([f'{name} that is {w}' for w in BAD[:7]] if abnormal else self.asked())))

    def way_babble(self, _):
        """Ten megabytes of words."""
        self.stream(*[chunk('a brass hose fitting with a scratch and much more ' * 200)] * 1000, chunk(None, 'stop'))

    def way_noise(self, _):
        """Garbage in the middle of a stream."""
        self.stream(chunk('a bolt with a'), b'data: {"choices":[{"delta":{"cont\n\n', b'\x00\xff\xfe\n\n', chunk('x', 'stop'))

    def way_half(self, count):
        """Answers the first question only."""
        if count == 1:
            self.way_list(count)
        else:
            self.reply(404, b'{"error":{"message":"quota"}}')

    def way_tells(self, _):
        """Gives the key away as the name of its model."""
        body = json.loads(whole('\n'.join(self.asked())))
        self.reply(200, json.dumps({**body, 'model': self.headers['Authorization'].split()[1]}).encode())


class Server:
    """with Server() as s: s.url('good') ... s.seen"""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.seen = self.seen = []
        self.server.leave = threading.Event()
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.leave.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def url(self, way):
        return f'http://127.0.0.1:{self.server.server_port}/{way}/v1'
