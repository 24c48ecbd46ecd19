import t from 'tap'
import {appError, explain, placeOf, templateError, type Source} from '../../../../src/files/config/diagnose.ts'

const sourceOf = (text: string): Source => ({shownAs: 'dapr.yaml', text})

/** Points at the part of a text that stands between two bars; the bars are no part of it. */
const pointed = (marked: string, expected = ''): string => {
  const [before = '', wrong = '', after = ''] = marked.split('|')
  const spot = {start: before.length, end: before.length + wrong.length}
  return explain(sourceOf(before + wrong + after), {spot, expected})
}

t.test('a place is counted from 1 and holds its line', async t => {
  const source = sourceOf('one\r\n  two\nthree')
  t.strictSame(placeOf(source, 0), {file: 'dapr.yaml', line: 1, column: 1, source: 'one'})
  t.strictSame(placeOf(source, 7), {file: 'dapr.yaml', line: 2, column: 3, source: '  two'})
  t.strictSame(placeOf(source, 16), {file: 'dapr.yaml', line: 3, column: 6, source: 'three'})
  t.strictSame(placeOf(sourceOf(''), 0), {file: 'dapr.yaml', line: 1, column: 1, source: ''})
  t.strictSame(placeOf(sourceOf('\n# no more'), 0), {file: 'dapr.yaml', line: 1, column: 1, source: ''})
})

t.test('carets stand under what is wrong', async t => {
  t.equal(pointed('a: |b c|\nd: e'), 'dapr.yaml:1:4\na: b c\n   ^^^')
  t.equal(pointed('a:\n  - |b|'), 'dapr.yaml:2:5\n  - b\n    ^')
  t.equal(pointed('a: ||', 'expected more'), 'dapr.yaml:1:4\na: \n   ^\nexpected more')
})

t.test('of something that goes on over lines the first line is marked', async t => {
  t.equal(pointed('a:\n  |b: 1\n  c: 2|'), 'dapr.yaml:2:3\n  b: 1\n  ^^^^')
})

t.test('an empty line is not drawn', async t => {
  t.equal(pointed('||'), 'dapr.yaml:1:1')
})

t.test('tabs stay tabs, so that the carets stand right in any terminal', async t => {
  t.equal(pointed('\ta\t|b|'), 'dapr.yaml:1:4\n\ta\tb\n\t \t^')
})

t.test('wide characters take two columns, combining ones none', async t => {
  t.equal(pointed('注文: |x|'), 'dapr.yaml:1:5\n注文: x\n      ^')
  t.equal(pointed('a: |注文|'), 'dapr.yaml:1:4\na: 注文\n   ^^^^')
  t.equal(pointed('e\u0301: |x|'), 'dapr.yaml:1:5\ne\u0301: x\n   ^')
})

t.test('a long line is cut to what surrounds the carets', async t => {
  const [, line = '', carets = ''] = pointed(`${'a'.repeat(100)}|bad|${'c'.repeat(100)}`).split('\n')
  t.match(line, /^…a{40}badc+…$/)
  t.equal(line.length, 82)
  t.equal(carets, `${' '.repeat(41)}^^^`)
})

t.test('a long line is cut at its end only, when what is wrong stands at its start', async t => {
  const [, line = '', carets = ''] = pointed(`x: |bad|${'c'.repeat(100)}`).split('\n')
  t.match(line, /^x: badc+…$/)
  t.equal(line.length, 81)
  t.equal(carets, '   ^^^')
})

t.test('of a line of a million characters only what surrounds the carets is looked at', async t => {
  const long = 'a'.repeat(2 ** 20)
  for (let time = 0; time < 20; time++) pointed(`${long}|bad|${long}`)
  const [, line = '', carets = ''] = pointed(`${long}|bad|${long}`).split('\n')
  t.match(line, /^…a{40}bada+…$/)
  t.equal(carets, `${' '.repeat(41)}^^^`)
})

t.test('places of a text with many lines', async t => {
  const source = sourceOf('a: 1\r\n'.repeat(150_000))
  for (let at = 0; at < 150_000; at += 3) placeOf(source, at * 6)
  t.match(placeOf(source, 0), {line: 1, column: 1, source: 'a: 1'})
  t.match(placeOf(source, 6 * 149_999 + 3), {line: 150_000, column: 4, source: 'a: 1'})
  t.match(placeOf(source, 6 * 150_000), {line: 150_001, column: 1, source: ''})
  t.match(placeOf(sourceOf('\n\nb'), 1), {line: 2, column: 1, source: ''})
})

t.test('the carets of something long end with the line that is shown', async t => {
  const [, line = '', carets = ''] = pointed(`x: |${'b'.repeat(200)}|`).split('\n')
  t.equal(line, `x: ${'b'.repeat(77)}…`)
  t.equal(carets, `   ${'^'.repeat(77)}`)
})

t.test('a mistake of the template goes to stdout, one of an app at its turn to stderr', async t => {
  const source = sourceOf('a: b')
  const mistake = {message: 'no', spot: {start: 3, end: 4}, expected: 'expected c', hint: 'write c'}
  const first = templateError(source, mistake, {...mistake, expected: '', hint: ''})
  t.match(first, {message: 'Error getting apps from config file: no', stream: 'stdout', exitCode: 1})
  t.equal(first.explanation, 'dapr.yaml:1:4\na: b\n   ^\nexpected c\nwrite c\nno\ndapr.yaml:1:4\na: b\n   ^')
  const message = 'Error validating run config for app "a \\"b\\"" present in dapr.yaml: no'
  t.match(appError(source, 'a "b"', mistake), {message, stream: 'stderr', exitCode: 1})
})
