import t from 'tap'
import {
  Counter,
  Family,
  Histogram,
  MAX_SERIES,
  type Relabel
} from '../../../../../src/observe/telemetry/metrics/family.ts'

const counters = (relabel: Relabel = (_metric, _label, value) => value): Family<Counter> =>
  new Family({
    name: 'c',
    help: 'a \\ and\na line',
    type: 'counter',
    labels: ['path', 'app_id'],
    create: () => new Counter(),
    relabel
  })

const text = (family: {write: (lines: string[]) => void}): string => {
  const lines: string[] = []
  family.write(lines)
  return lines.join('\n')
}

t.test('the text of counters', async t => {
  const family = counters()
  t.equal(text(family), '', 'nothing without a series')
  family.series('/b', 'x').value++
  family.series('/a "q" \\ \n', 'x').value += 1.5
  family.series('/b', 'x').value++
  t.equal(
    text(family),
    String.raw`# HELP c a \\ and\na line
# TYPE c counter
c{app_id="x",path="/a \"q\" \\ \n"} 1.5
c{app_id="x",path="/b"} 2`
  )
})

t.test('the text of histograms', async t => {
  const family = new Family({
    name: 'h',
    help: 'help',
    type: 'histogram',
    labels: [],
    create: () => new Histogram([1, 2.5, 10]),
    relabel: (_metric, _label, value) => value
  })
  for (const value of [0, 1, 1.5, 2.5, 11, 1e9]) family.series().observe(value)
  t.equal(
    text(family),
    `# HELP h help
# TYPE h histogram
h_bucket{le="1"} 2
h_bucket{le="2.5"} 4
h_bucket{le="10"} 4
h_bucket{le="+Inf"} 6
h_sum 1000000016
h_count 6`
  )
})

t.test('there is an end of series', async t => {
  const family = counters()
  for (let n = 0; n < MAX_SERIES + 500; n++) family.series(`/${n}`, 'x').value++
  t.equal(family.size, MAX_SERIES + 1)
  t.equal(family.series('', '').value, 500, 'all others are counted by one')
  t.equal(family.series('/7', 'x').value, 1)
})

t.test('labels that rules make equal are one series', async t => {
  const family = counters((metric, label, value) => (label === 'path' ? `${metric}!` : value))
  family.series('/1', 'x').value++
  family.series('/2', 'x').value++
  t.equal(family.size, 1)
  t.match(text(family), 'c{app_id="x",path="c!"} 2')
})
