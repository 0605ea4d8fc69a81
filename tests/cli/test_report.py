"""flaw eval report: one page, well-formed, with nothing from elsewhere and the numbers of --json."""
import base64
import html.parser
import json
import os
import re
import shutil
import unittest
import xml.etree.ElementTree as tree

import command

HOSTILE = '<b>"x\x01\''  # a folder, and so a class, of that name
GRID = ['--method', 'alfa,few-shot', '-k', '0,1', '--seeds', '2']
FIGURES = ('image_auroc', 'image_ap', 'image_f1', 'pixel_auroc', 'pixel_ap', 'pixel_pro', 'pixel_f1', 'false_alarms', 'misses')


class Balanced(html.parser.HTMLParser):
    """Every element that is opened is closed, in order; keeps what is asked for."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        if tag in ('script', 'link', 'iframe', 'object', 'base'):
            self.wrong.append(tag)
        self.links += [value for name, value in attrs if name in ('src', 'href', 'xlink:href', 'action', 'style')]
        self.wrong += [name for name, _ in attrs if name.startswith('on')]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append('/' + tag)


class Report(command.Command):
    def scenes(self, name):
        self.succeed('scenes', '--out', 'scenes', '-n', '10', '--size', '48', '--anomalous-share', '1/3', '--kind', 'washer')
        os.makedirs(self.path('sets'), exist_ok=True)
        shutil.move(self.path('scenes/washer'), self.path('sets/' + name))
        shutil.rmtree(self.path('scenes'))

    def page(self, name):
        with open(self.path(name), encoding='utf-8') as file:
            text = file.read()
        parser = Balanced()
        parser.feed(text)
        parser.close()
        self.assertEqual((parser.open, parser.wrong), ([], []))
        for link in parser.links:
            self.assertRegex(link, r'^(#[a-z0-9]+|data:image/png;base64,[A-Za-z0-9+/]+=*)$')
        self.assertIsNone(re.search(r'https?:|//[a-z]|url\(|@import', re.sub(r'base64,[^"]*', '', text)))
        self.assertIsNone(re.search('[\x00-\x09\x0b-\x1f]', text))
        return tree.fromstring(text)  # well-formed XML as well

    def test_a_run_of_two_data_sets(self):
        self.scenes(HOSTILE)
        self.scenes('hazelnut')
        rows = [json.loads(line) for line in self.succeed('eval', 'sets', *GRID, '--object', 'washer', '--out', 'run', '--json').splitlines()]
        root = self.page('run/report.html')
        sections = [s for s in root.iter('section') if s.get('id').startswith('set')]
        self.assertEqual([s.find('h2').text for s in sections], ['<b>"x\ufffd\'', 'hazelnut'])
        for i, section in enumerate(sections):
            charts = [d for d in section.iter('div') if (d.get('class') or '').startswith('charts')]
            self.assertEqual([len(d.findall('svg')) for d in charts], [5, 2])  # ROC, PR; ROC, PR, PRO of pixels; histograms
            for svg in charts[0]:
                lines = svg.findall('polyline')
                self.assertEqual([line.find('title').text for line in lines], ['alfa, k 0', 'few-shot, k 1'])
                for line in lines:
                    points = [tuple(map(float, p.split(','))) for p in line.get('points').split()]
                    self.assertTrue(2 <= len(points) <= 200)
                    self.assertEqual(points, sorted(points, key=lambda p: p[0]))
                    self.assertTrue(all(40 <= x <= 250 and 24 <= y <= 184 for x, y in points))
            measured = [tr for tr in section.iter('tr') if tr.get('class') == 'measured']
            self.assertEqual(len(measured), 2)
            for tr, row in zip(measured, rows[2 * i:2 * i + 2]):
                shown = {d.get('class'): d for d in tr.iter('data')}
                for key in FIGURES:
                    self.assertEqual(float(shown[key].get('value')), row['mean'][key])
                    self.assertEqual(shown[key].text, f'{100 * row["mean"][key]:.1f}')
        # A drawn hazelnut is not MVTec AD's: nothing published stands beside it.
        self.assertIn('not that class (which has 431 good and 70 bad pictures)', ''.join(sections[1].itertext()))
        self.assertEqual([tr for tr in root.iter('tr') if tr.get('class') == 'published'], [])
        # Pictures: as many as there are false alarms and misses in the first draws.
        with open(self.path('run/results.jsonl'), encoding='utf-8') as file:
            judged = [json.loads(line) for line in file][1:]
        wrong = [j for j in judged if j['draw'] == 0 and j['bad'] == (j['verdict'] == 'normal')]
        pictures = [img.get('src') for img in root.iter('img')]
        self.assertEqual(len(pictures), 2 * len(wrong))
        for src in pictures:
            self.write('one.png', base64.b64decode(src.split(',')[1]))
            self.assertEqual(command.png_size(self.path('one.png')), (48, 48))

        # The page of the kept run is the same, wherever it is written to.
        self.assertEqual(self.succeed('eval', 'report', 'run', '-o', 'other.html'), '')
        with open(self.path('other.html'), 'rb') as other, open(self.path('run/report.html'), 'rb') as first:
            self.assertEqual(other.read(), first.read())
        # A photograph that cannot be read any more is said in its place.
        self.assertTrue(wrong)
        self.write(wrong[0]['image'], b'no picture')
        self.succeed('eval', 'report', 'run', '-o', 'spoilt.html')
        root = self.page('spoilt.html')
        self.assertIn('not shown: ', ''.join(root.itertext()))
        self.assertEqual(len(list(root.iter('img'))), 2 * (len(wrong) - sum(j['image'] == wrong[0]['image'] for j in wrong)))

    def test_half_a_run_has_no_figures(self):
        self.scenes('washer')
        self.succeed('eval', 'sets/washer', '--method', 'alfa', '--shard', '1/2', '--out', 'half')
        self.assertFalse(os.path.exists(self.path('half/report.html')))
        self.assertEqual(self.succeed('eval', 'report', 'half'), '')
        root = self.page('half/report.html')
        self.assertIn('alfa, k 0: no figures, ', ''.join(root.itertext()))
        self.assertEqual(list(root.iter('data')), [])

    def test_wrong_use(self):
        self.fail_once(2, 'usage', 'eval', 'report')
        self.fail_once(66, 'nowhere', 'eval', 'report', 'nowhere')
        self.write('broken/results.jsonl', b'{"flaw_eval":1}\n')
        self.fail_once(65, 'line 1', 'eval', 'report', 'broken')
        self.assertEqual(os.listdir(self.path('broken')), ['results.jsonl'])


if __name__ == '__main__':
    unittest.main()
