import t from 'tap'
import {TerminalText, terminalText} from '../../../../src/observe/logging/terminal-text.ts'

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const END = '\x1b[0m'

const cases: [kind: string, text: string, shown: string][] = [
  ['plain', 'a line\n\tand another\n', 'a line\n\tand another\n'],
  ['UTF-8', bytes('é … ─ ├ 漢字 😀 €\n'), bytes('é … ─ ├ 漢字 😀 €\n')],
  ['SGR with ;', '\x1b[1;31mred\x1b[0m\n', '\x1b[1;31mred\x1b[0m\n'],
  ['SGR with :', '\x1b[38:2::255:0:0mred\x1b[m\n', '\x1b[38:2::255:0:0mred\x1b[m\n'],
  ['SGR that stays open ends with its line', '\x1b[8mhidden\nnext\n', `\x1b[8mhidden${END}\nnext\n`],
  ['SGR that closes itself alone', '\x1b[31mred\x1b[39m\n', `\x1b[31mred\x1b[39m${END}\n`],
  ['SGR beside UTF-8', bytes('\x1b[32m✓\x1b[0m … done\n'), bytes('\x1b[32m✓\x1b[0m … done\n')],
  ['CSI: erase, move', '\x1b[2K\x1b[1A\x1b[Hup\n', '\\x1b[2K\\x1b[1A\\x1b[Hup\n'],
  ['CSI with a private or intermediate byte', '\x1b[?1049h\x1b[>4;2m\x1b[1 q\n', '\\x1b[?1049h\\x1b[>4;2m\\x1b[1 q\n'],
  ['CSI that asks the terminal', '\x1b[6n\x1b[c\x1b[21t\n', '\\x1b[6n\\x1b[c\\x1b[21t\n'],
  ['OSC 0 with BEL', '\x1b]0;title\x07\n', '\\x1b]0;title\\x07\n'],
  ['OSC 52 with ST', '\x1b]52;c;cm0=\x1b\\\n', '\\x1b]52;c;cm0=\\x1b\\\n'],
  ['OSC 8', '\x1b]8;;http://x\x07link\x1b]8;;\x07\n', '\\x1b]8;;http://x\\x07link\\x1b]8;;\\x07\n'],
  ['DCS', '\x1bP$q"p\x1b\\\n', '\\x1bP$q"p\\x1b\\\n'],
  ['APC', '\x1b_Gf=100\x1b\\\n', '\\x1b_Gf=100\\x1b\\\n'],
  ['C1 in UTF-8', '\xc2\x9b31m \xc2\x9d0;t\xc2\x9c\n', '\\u009b31m \\u009d0;t\\u009c\n'],
  ['C1 as a byte', '\x9b31m \x9d0;t\x9c\x90\n', '\\x9b31m \\x9d0;t\\x9c\\x90\n'],
  ['C1 as a byte among UTF-8', '\xe2\x80\xa6\x9b2K\xe2\x9b\n', '\xe2\x80\xa6\\x9b2K\xe2\\x9b\n'],
  ['C1 as an overlong form', '\xc0\x9b[2K \xe0\x80\x9b[2K\n', '\xc0\\x9b[2K \xe0\\x80\\x9b[2K\n'],
  ['lone ESC, ESC ESC, ESC c', '\x1b \x1b\x1b[31mx\x1b[m\x1bc\n', `\\x1b \\x1b\x1b[31mx\x1b[m\\x1bc\n`],
  ['ESC at the end of a line', 'a\x1b\n[31mb\n', 'a\\x1b\n[31mb\n'],
  ['an SGR that is broken by a newline', '\x1b[31\nm\n', '\\x1b[31\nm\n'],
  ['BEL, backspace, NUL, DEL, form feed', '\x07\x08\0\x7f\f\x0e\n', '\\x07\\x08\\x00\\x7f\\x0c\\x0e\n'],
  [
    'bidirectional controls and line separators',
    bytes('a\u202eb \u2066c\u2069 d\u2028e\u2029 f\u061cg\u200f שלום …\n'),
    bytes('a\\u202eb \\u2066c\\u2069 d\\u2028e\\u2029 f\\u061cg\\u200f שלום …\n')
  ],
  ['\\r\\n', 'a\r\nb\r\r\n', 'a\nb\n'],
  ['\\r in the middle', '10%\r20%\r\r100%\n', '10%\r> 20%\r> 100%\n'],
  ['Latin-1, broken and cut UTF-8', 'caf\xe9 \xff\xfe \xe2\x82\n', 'caf\xe9 \xff\xfe \xe2\\x82\n']
]

t.test('only renditions reach a terminal: every other control is shown', async t => {
  for (const [kind, text, shown] of cases) t.equal(new TerminalText('> ').push(text), shown, kind)
})

t.test('nothing that a terminal would obey is left, wherever the pieces are cut', async t => {
  // oxlint-disable-next-line no-control-regex -- what must not be there
  const forbidden = /\x1b(?!\[[\d;:]*m)|[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\xc2[\x80-\x9f]|\r(?!> )/
  for (const [kind, text, shown] of cases) {
    for (let cut = 0; cut <= text.length; cut++) {
      const terminal = new TerminalText('> ')
      const got = terminal.push(text.slice(0, cut)) + terminal.push(text.slice(cut)) + terminal.end()
      t.notMatch(got, forbidden, `${kind}, cut at ${cut}`)
      // a rendition that a cut has parted from the end of its line ends with the next
      t.equal(got.replaceAll(END, ''), shown.replaceAll(END, ''), `${kind}, cut at ${cut}`)
    }
    const terminal = new TerminalText('> ')
    const single = Array.from(text, byte => terminal.push(byte)).join('') + terminal.end()
    t.equal(single.replaceAll(END, ''), shown.replaceAll(END, ''), `${kind}, byte by byte`)
  }
})

t.test('what is unfinished at the end is shown, and a sequence without end is not kept', async t => {
  const terminal = new TerminalText('> ')
  t.equal(terminal.push('a\x1b['), 'a')
  t.equal(terminal.end(), '\\x1b[')
  t.equal(terminal.push(`\x1b[${'1;'.repeat(1000)}`), `\\x1b[${'1;'.repeat(1000)}`)
  t.equal(terminal.end(), '')
})

t.test('without a prefix a return is shown: nothing overwrites what stands before it', async t => {
  t.equal(terminalText('error: \rall is well\n'), 'error: \\x0dall is well\n')
})

const highs = (text: string): number => text.replaceAll(/[^\x80-\x9f]/g, '').length

/** As a terminal decodes it: a C1 in UTF-8, or a byte of C1 that belongs to no character. */
const hasC1 = (text: string): boolean => {
  const decoded = Buffer.from(text, 'latin1').toString()
  const encoded = Buffer.from(decoded.replaceAll('\ufffd', '')).toString('latin1')
  return /[\u0080-\u009f]/.test(decoded) || highs(encoded) !== highs(text)
}

t.test('random bytes never leave a control character in what is shown', async t => {
  let seed = 42
  const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below
  // oxlint-disable-next-line no-control-regex -- what must not be there
  const forbidden = /\x1b(?!\[[\d;:]*m)|[\0-\x08\x0b-\x1a\x1c-\x1f\x7f]/
  const favourites = '\x1b[]m31;:\x07\r\n\xc2\x9b\xe2\x80\xa6\\P_'
  for (let round = 0; round < 2000; round++) {
    const terminal = new TerminalText('')
    let got = ''
    for (let piece = 0; piece < 4; piece++)
      got += terminal.push(
        Array.from({length: random(12)}, () =>
          random(3) === 0 ? String.fromCharCode(random(256)) : (favourites[random(favourites.length)] ?? '')
        ).join('')
      )
    got += terminal.end()
    if (forbidden.test(got) || hasC1(got)) t.fail(JSON.stringify(got))
  }
})
