import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Measure} from '../../bench/figure.ts'
import {FIGURES} from '../../bench/figures.ts'
import {page} from '../../bench/report/page.ts'
import {readResults} from '../../bench/report/results.ts'

t.test('the page of figures says what the results say; else: node bench/report/write.ts', async t => {
  const results = readResults()
  t.equal(readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8'), page(results))
  const names = FIGURES.map(({name}) => name)
  t.strictSame(
    Object.keys(results).filter(name => !names.includes(name)),
    [],
    'every result has its figure'
  )
})

const calls: Measure = {name: 'calls', unit: '/s', ours: [70, 90, 80], peer: [100, 100, 100], peerName: 'nginx'}

/** The page of one figure with these measures. */
const pageOf = (measures: readonly Measure[], isShort = false): string =>
  page({calls: {date: '2026-01-31', machine: '2 cores', versions: {Node: 'v26.10.0'}, isShort, measures}})

t.test('the summary judges each goal, and the table has the numbers', async t => {
  const text = pageOf([calls])
  t.match(text, '0 of 1 goals are met. Measured 2026-01-31 on 2 cores. Node v26.10.0.')
  t.match(text, '| calls | 0.80 × nginx | ≥ 0.90 × | **missed** |')
  t.match(text, '| calls | 80/s | nginx | 100/s | 0.80 × | 0.70–0.90 |')
  t.match(pageOf([{...calls, ours: [95, 96, 97]}]), '| calls | 0.96 × nginx | ≥ 0.90 × | ✓ |')
})

t.test('a peer that is not here has no number, and is not judged', async t => {
  const text = pageOf([{...calls, peer: []}])
  t.match(text, '| calls | 80/s | nginx | not here |  |  |')
  t.match(text, '0 of 0 goals are met')
  t.match(pageOf([{...calls, peer: [], why: 'lost lines'}]), '| nginx | lost lines |  |  |')
})

t.test('a peer that has nothing or less has no ratio', async t => {
  const lost: Measure = {name: 'lines: lost', unit: 'lines', ours: [0], peer: [-4], peerName: 'plain'}
  t.match(pageOf([lost]), '| lines: lost | 0 lines | plain | -4 lines |  | 0–0 |')
  t.match(pageOf([lost]), '| lines: lost | 0 lines | ≤ 0 lines | ✓ |')
})

t.test('short rounds are said to be provisional', async t => {
  t.match(pageOf([calls], true), '**Provisional:** some rounds were short.')
  t.notMatch(pageOf([calls]), /provisional/i)
})
