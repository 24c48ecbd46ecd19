import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Measure} from '../../bench/figure.ts'
import {pages} from '../../bench/report/page.ts'
import {readResults, type Results} from '../../bench/report/results.ts'
import {PANELS, SECTIONS} from '../../bench/report/sections.ts'

t.test('the page of figures says what the results say; else: node bench/report/write.ts', t => {
  const written = Object.entries(pages(readResults()))
  t.equal(written.length, 2)
  for (const [name, text] of written)
    t.equal(readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8'), text, name)
  t.end()
})

t.test('every result is shown, and the picture has all its panels', t => {
  const results = readResults()
  const shown = SECTIONS.flatMap(({figures}) => figures.map(([name]) => name))
  t.same(
    Object.keys(results).filter(name => !shown.includes(name)),
    []
  )
  for (const {figure, measure} of PANELS)
    t.ok(
      results[figure]?.measures.some(({name, ours}) => name === measure && ours.length > 0),
      measure
    )
  t.end()
})

const calls: Measure = {
  name: 'calls',
  unit: '/s',
  ours: [70, 90, 80],
  peer: [100, 100, 100],
  peerName: 'nginx, headers'
}

/** The page of one figure with these measures. */
const pageOf = (measures: readonly Measure[], isShort = false): string => {
  const taken = {date: '2026-01-31', machine: '2 cores', versions: {Node: 'v26.10.0'}, isShort, measures}
  const results: Results = {calls: taken}
  return pages(results)['performance.md'] ?? ''
}

t.test('a goal that is missed is named at the top, and in its row', t => {
  const text = pageOf([calls])
  t.match(text, '## Goals that are missed\n\n- **calls**: 0.80 × nginx, headers, the goal is ≥ 0.95 ×')
  t.match(text, '| calls | 80/s | nginx, headers | 100/s | 0.80 × | 0.70–0.90 | ≥ 0.95 × **missed** |')
  t.match(pageOf([{...calls, ours: [95, 96, 97]}]), /missed\n\nNone\.[^]*≥ 0\.95 × ✓ \|/)
  t.end()
})

t.test('a peer that is not here has no number, and is not judged', t => {
  const text = pageOf([{...calls, peer: []}])
  t.match(text, '| calls | 80/s | nginx, headers | not here |  |  |  |')
  t.match(text, 'missed\n\nNone.')
  t.end()
})

t.test('nobody is so many times better than a peer that has nothing or less', t => {
  const lost: Measure = {name: 'pump, buffered: lost', unit: 'lines', ours: [0], peer: [0], peerName: 'plain'}
  t.match(pageOf([lost]), '| pump, buffered: lost | 0 lines | plain | 0 lines |  | 0–0 | ≤ 0 lines ✓ |')
  t.match(pageOf([{...lost, peer: [-4]}]), '| plain | -4 lines |  | 0–0 |')
  t.end()
})

t.test('a peer that was here and did not do the work says why it has no number', t => {
  t.match(pageOf([{...calls, peer: [], why: 'lost lines'}]), '| nginx, headers | lost lines |  |  |  |')
  t.end()
})

t.test('short rounds are said to be provisional; names and numbers reach the picture', t => {
  t.match(pageOf([calls], true), /\*\*Provisional:[^]*\| 3 \(short: provisional\) \|/)
  t.notMatch(pageOf([calls]), /provisional/i)
  const taken = {date: '', machine: '', versions: {}, isShort: false, measures: [{...calls, peerName: 'a<b'}]}
  t.match(pages({calls: taken})['performance.svg'], />a&lt;b<[^]*>100\/s</)
  t.end()
})
