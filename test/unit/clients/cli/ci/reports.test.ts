import t from 'tap'
import {junitXml} from '../../../../../src/clients/cli/ci/reports.ts'
import {plainText} from '../../../../../src/clients/cli/ci/outcome.ts'
import {app, failed, outcome} from './outcomes.ts'

const unescape = (text: string): string =>
  text.replace(/&(#\d+|[a-z]+);/g, (_, name: string) =>
    name.startsWith('#')
      ? String.fromCodePoint(Number(name.slice(1)))
      : ({amp: '&', lt: '<', gt: '>', quot: '"'}[name] ?? '?')
  )

/** The texts between the tags, and a complaint about what is not well-formed. Knows what a report has, and no more. */
function read(xml: string): {readonly texts: readonly string[]; readonly fault: string} {
  const open: string[] = []
  const texts: string[] = []
  const token = /<\?xml [^?]*\?>|<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<]+)/gy
  let at = 0
  for (const match of xml.matchAll(token)) {
    if (match.index !== at) break
    at += match[0].length
    const [, end, name = '', attributes = '', single, text] = match
    if (text !== undefined) texts.push(unescape(text))
    for (const [, value = ''] of attributes.matchAll(/="([^"]*)"/g)) texts.push(unescape(value))
    if (/&(?!(?:#\d+|amp|lt|gt|quot);)/.test(attributes + (text ?? ''))) return {texts, fault: 'a bare &'}
    if (end === '/' && open.pop() !== name) return {texts, fault: `</${name}>`}
    if (end === '' && single === '') open.push(name)
  }
  return {texts, fault: at < xml.length ? xml.slice(at, at + 40) : open.join()}
}

t.test('a case for each step and each app; failures have the reason, the place and the last lines', async t => {
  const xml = junitXml(outcome({apps: [app(), failed(['line 1', 'line 2'])]}))
  t.equal(read(xml).fault, '')
  t.match(xml, '<testsuites name="pillion" tests="3" failures="1" errors="0" skipped="0" time="1.234">')
  t.match(xml, '<testcase classname="pillion.run" name="the apps are ready" time="1.234"/>')
  t.match(xml, '<testcase classname="pillion.apps" name="stock" time="0.000"/>')
  t.match(xml, '<failure message="no database">no database\ndapr.yaml:7\nIts last lines:\nline 1\nline 2\n')
})

t.test('whatever an app writes, the report is XML', async t => {
  const lines = [
    ']]> </failure> <!-- & &amp; "quoted" \'single\'',
    '\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1b(B\x00\x08\x0b\x7f\x9b',
    'half \ud800 and \udc00, whole 😀, none \ufffe\uffff',
    'tab\there, return\rthere'
  ]
  const xml = junitXml(outcome({apps: [failed(lines, 'why "<&>"\nin two lines')], template: 'a "b" <c>.yaml'}))
  const {fault, texts} = read(xml)
  t.equal(fault, '')
  // oxlint-disable-next-line no-control-regex -- what XML does not allow
  t.notMatch(xml, /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800\ufffe\uffff]/)
  t.ok(texts.includes('a "b" <c>.yaml'))
  t.ok(texts.includes('why "<&>"\nin two lines'), 'an attribute keeps its line ends')
  t.match(texts.join(''), lines[0])
  t.match(texts.join(''), 'red link')
  t.match(texts.join(''), 'whole 😀')
  t.equal(Buffer.from(xml).toString(), xml, 'it is UTF-8')
})

t.test('plain text has no sequences of terminals', async t => {
  t.equal(plainText('a\x1b[1;31mb\x1b[0mc\x1b[2Kd\x1b]52;c;eA==\x07e\r\nf\rg'), 'abcde\nf\ng')
  t.equal(plainText('\x1bPq…\x1b\\x\x1b['), 'x')
})
