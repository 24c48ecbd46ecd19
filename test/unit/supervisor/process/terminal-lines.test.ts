import {array, assert, constantFrom, oneof, property, string, stringMatching} from 'fast-check'
import t from 'tap'
import {TerminalLines} from '../../../../src/supervisor/process/terminal-lines.ts'

/** What comes in these pieces, as lines; UTF-8. */
function linesOf(...pieces: readonly string[]): readonly string[] {
  const lines = new TerminalLines()
  const text = pieces.map(piece => lines.push(Buffer.from(piece))).join('') + lines.end()
  return Buffer.from(text, 'latin1').toString().split('\n').slice(0, -1)
}

t.test('CR LF ends a line, in whatever pieces it comes; the last line may lack it', async t => {
  t.strictSame(linesOf('one\r\ntwo\r\n\r\nthree'), ['one', 'two', '', 'three'])
  t.strictSame(linesOf('one\r', '\ntwo\r', '\n'), ['one', 'two'])
  t.strictSame(linesOf('Grü', 'ße\r\n'), ['Grüße'])
  t.strictSame(linesOf(), [])
})

t.test('a line that is written over has its last state', async t => {
  t.strictSame(linesOf('10 %\r50 %\r100 %\r\n'), ['100 %'])
  t.strictSame(linesOf('(Pdb) prnt\b\b\b   \b\b\brint x\r\n'), ['(Pdb) print x'])
  t.strictSame(
    linesOf('\x1b[1G\x1b[0Jdebug> \x1b[8Gn', '\x1b[1G\x1b[0Jdebug> ne\x1b[10Gxt\r\n'),
    ['debug> next'],
    'readline'
  )
  t.strictSame(linesOf('waiting\r\x1b[Kdone\r\n'), ['done'])
  t.strictSame(linesOf('abcdef\x1b[3D\x1b[1Px\r\n'), ['abcxf'])
  t.strictSame(linesOf('abc\x1b[2D\x1b[2@XY\r\n'), ['aXYbc'])
  t.strictSame(linesOf('far\x1b[5Caway\r\n'), ['far     away'])
})

t.test('colours stay; titles, modes, links and bells are no text', async t => {
  t.strictSame(linesOf('\x1b[31mred\x1b[0m plain\r\n'), ['\x1b[31mred\x1b[0m plain'])
  t.strictSame(linesOf('\x1b]0;title\x07\x1b[?2004h$ \x07ls\x1b[?2004l\r\n'), ['$ ls'])
  t.strictSame(linesOf('\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b(B\x1b=\r\n'), ['link'])
  t.strictSame(linesOf('\x1b]0;ti', 'tle\x07a\x1b', '[3', '1mb\r\n'), ['a\x1b[31mb'])
})

t.test('what is on the second screen is no line', async t => {
  t.strictSame(linesOf('$ vi\r\n\x1b[?10', '49h\x1b[2Jpicture\r\n~\r\n', 'more\x1b[?1049l$ ls\r\n'), ['$ vi', '$ ls'])
  const lines = new TerminalLines()
  lines.push(Buffer.from('\x1b[?1049h'))
  t.ok(lines.isSecond)
  lines.push(Buffer.from('\x1b[?1049l'))
  t.notOk(lines.isSecond)
})

t.test('a move to another line begins a new one', async t => {
  t.strictSame(linesOf('first\x1b[Asecond\x1b[H\x1b[2Jthird\r\n'), ['first', 'second', 'third'])
})

t.test('an endless line comes in pieces, an endless sequence does not grow', async t => {
  const lines = new TerminalLines()
  let size = 0
  for (let i = 0; i < 60; i++) size += lines.push(Buffer.from('x\b\x07yz'.repeat(1000))).length
  t.ok(size > 60_000)
  t.equal(lines.push(Buffer.from(`\x1b]0;${'t'.repeat(100_000)}`)).length + lines.end().length < 200_000, true)
})

t.test('plain text gives its lines, in whatever pieces it comes', async () => {
  assert(
    property(array(stringMatching(/^[ -~äß漢\n]*$/)), pieces => {
      const whole = pieces.join('')
      const lines = new TerminalLines()
      const text = pieces.map(piece => lines.push(Buffer.from(piece.replaceAll('\n', '\r\n')))).join('') + lines.end()
      const expected = whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`
      return Buffer.from(text, 'latin1').toString() === expected
    })
  )
})

t.test('no input throws, and none shows a control character but those of colours', async () => {
  const part = constantFrom(
    '\x1b[',
    '\x1b]',
    '\x1b',
    '?1049h',
    '\x07',
    ...'1G 99999999D 4000000C P @ K'.split(' '),
    '\b',
    '\r',
    '\n',
    'm',
    ';',
    'x',
    '\x9b'
  )
  assert(
    property(array(oneof(part, string())), pieces => {
      const shown = linesOf(...pieces)
        .join('')
        .replaceAll(/\x1b\[[0-?]*m/g, '') // oxlint-disable-line no-control-regex -- colours
      return !/[\x00-\x08\x0b-\x1f\x7f]/.test(shown) // oxlint-disable-line no-control-regex -- what is sought
    })
  )
})

t.test('a character that is cut between two reads is one character, which the next one takes the place of', async t => {
  const bytes = Buffer.from('é€𝄞 left\r𝄞€é\n')
  for (let at = 0; at < bytes.length; at++) {
    const lines = new TerminalLines()
    const shown = lines.push(bytes.subarray(0, at)) + lines.push(bytes.subarray(at)) + lines.end()
    t.equal(Buffer.from(shown, 'latin1').toString(), '𝄞€é left\n', `cut after ${at} bytes`)
  }
  const cut = new TerminalLines()
  t.equal(cut.push(Buffer.from('caf\xe9', 'latin1')) + cut.end(), 'caf\xe9\n', 'and at the end it is what it is')
})
