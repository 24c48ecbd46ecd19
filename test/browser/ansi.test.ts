import t from 'tap'
import {piecesOf} from '../../page/logs/ansi.ts'
import {visible} from '../../page/parts/safe-text.ts'

const textOf = (line: string): string =>
  piecesOf(line)
    .map(({text}) => text)
    .join('')

t.test('colours and styles are pieces of text', async t => {
  t.same(piecesOf('plain'), [{text: 'plain', look: ''}])
  t.same(piecesOf('\x1b[32minfo\x1b[0m \x1b[1;41m MISS \x1b[0m'), [
    {text: 'info', look: 'fg-green'},
    {text: ' ', look: ''},
    {text: ' MISS ', look: 'bg-red bold'}
  ])
  for (const red of ['31', '91', '38;5;1', '38;5;196', '38:5:196', '38;2;255;0;0', '38:2::255:0:0'])
    t.same(piecesOf(`\x1b[${red}mx`), [{text: 'x', look: 'fg-red'}], red)
  t.same(piecesOf('\x1b[4:3mx'), [{text: 'x', look: 'underline'}])
  t.same(piecesOf('\x1b[38;5;244mx'), [{text: 'x', look: 'fg-white'}])
})

t.test('all other escapes are dropped, whole or broken', async t => {
  const cases: readonly (readonly [line: string, text: string])[] = [
    ['\x1b]0;title\x07after', 'after'],
    ['\x1b]52;c;aGk=\x1b\\after', 'after'],
    ['\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['\x1bPq#0\x1b\\after', 'after'],
    ['\x1b[2J\x1b[1;1H\x1b[?25lafter\x1b[K', 'after'],
    ['\x1b[>4;2mafter', 'after'],
    ['\x1bcafter\x1b(B', 'after'],
    ['\x1b]0;without an end', ']0;without an end'],
    ['end\x1b', 'end␛'],
    ['end\x1b[', 'end['],
    ['end\x1b[31', 'end[31'],
    ['a\x01b\x02c', 'a␁b␂c'],
    ['\x1b[999999999999999999999mx', 'x'],
    ['\x1b[38;2;1mx', 'x'],
    ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>']
  ]
  for (const [line, text] of cases) {
    const shown = textOf(line)
    t.equal(shown.replace('␛', '').includes('\x1b'), false, JSON.stringify(line))
    t.equal(shown.replaceAll('␛', ''), text.replaceAll('␛', ''), JSON.stringify(line))
  }
})

t.test('what cannot be seen is shown: control characters, marks that turn text around', async t => {
  t.equal(visible('a\0b\tc\x07\x7f'), 'a␀b\tc␇␡')
  t.equal(visible('a\x9b31mb'), 'a\\x9b31mb')
  t.equal(visible('user\u202enimda\u2066x\u200fy\ufeff'), 'user[U+202E]nimda[U+2066]x[U+200F]y[U+FEFF]')
  t.equal(visible('Grüße, 世界 👩‍👩‍👧 שלום'), 'Grüße, 世界 👩‍👩‍👧 שלום')
})

t.test('a long line of escapes takes no longer than it is', async t => {
  const lines = [
    '\x1b]'.repeat(500_000),
    '\x1b['.repeat(500_000),
    '\x1b[31m'.repeat(200_000),
    '\x1b[1:'.repeat(200_000)
  ]
  for (const line of lines) t.ok(textOf(line.slice(0, 4096)).length <= 4096 * 2)
})
