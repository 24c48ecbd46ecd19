import t from 'tap'
import {appPrefix, prefixed, withoutColours} from '../../../src/model/text-lines.ts'
import {asBytes} from '../../../src/model/bytes.ts'

t.test('every line of a batch gets the prefix, and nothing else changes', async t => {
  const cases: [text: string, expected: string][] = [
    ['', ''],
    ['one\n', '> one\n'],
    ['one\ntwo\n', '> one\n> two\n'],
    ['\n', '> \n'],
    ['\n\nx\n\n', '> \n> \n> x\n> \n'],
    ['a piece', '> a piece'],
    ['one\na piece', '> one\n> a piece'],
    ['\rprogress\rbar\n', '> \rprogress\rbar\n'],
    ['\xff\x00\x80\n', '> \xff\x00\x80\n']
  ]
  for (const [text, expected] of cases) t.equal(prefixed(text, '> '), expected, JSON.stringify(text))
  t.equal(prefixed('one\ntwo\n', ''), 'one\ntwo\n', 'no prefix')
})

t.test('what a replacement pattern would read as a pattern is only text', async t => {
  for (const prefix of ['$& ', '$$ ', "$' ", '$1 ', '$` '])
    t.equal(prefixed('one\n$&\nthree\n', prefix), `${prefix}one\n${prefix}$&\n${prefix}three\n`, prefix)
})

t.test("the prefix is Dapr's, byte by byte", async t => {
  t.equal(appPrefix('checkout'), '== APP - checkout == ')
  t.equal(Buffer.from(appPrefix('köln'), 'latin1').toString('utf8'), '== APP - köln == ')
  t.equal(Buffer.from(asBytes('… é 😀'), 'latin1').toString('utf8'), '… é 😀')
})

t.test('colours go, other escapes stay', async t => {
  const cases: [text: string, expected: string][] = [
    ['plain\n', 'plain\n'],
    ['\x1b[31mred\x1b[0m\n', 'red\n'],
    ['\x1b[1;38;5;208mbold\x1b[m\n', 'bold\n'],
    ['\x1b[2K\x1b[1Aup\x1b[0m\n', '\x1b[2K\x1b[1Aup\n'],
    ['\x1b]8;;http://x\x07link\n', '\x1b]8;;http://x\x07link\n'],
    ['\x1b[31\n', '\x1b[31\n']
  ]
  for (const [text, expected] of cases) t.equal(withoutColours(text), expected, JSON.stringify(text))
})

t.test('a colour that is cut between two pieces of an overlong line stays, whole ones go', async t => {
  const text = 'a\x1b[31mred\x1b[0mb'
  for (let cut = 0; cut <= text.length; cut++) {
    const shown = withoutColours(text.slice(0, cut)) + withoutColours(text.slice(cut))
    const isCut = (cut > 1 && cut < 6) || (cut > 9 && cut < 13)
    t.equal(shown === 'aredb', !isCut, `cut at ${cut}`)
  }
})
