/**
 * `npm run bench [-- FIGURE …] [--short] [--write]`: measures Pillion beside its peers in the same run. Rounds are interleaved; shown are
 * medians and their spread. The program runs in its default configuration.
 * With `--write` the results are kept in docs/performance.json, and docs/performance.md is written from all of them.
 */
import {parseArgs} from 'node:util'
import {SHORT, WHOLE, type Figure, type Measure} from './figure.ts'
import {FIGURES} from './figures.ts'
import {machine, versionsOf} from './report/machine.ts'
import {keepResult} from './report/results.ts'
import {writePage} from './report/write.ts'
import {drawn, HEAD, rowOf} from './table.ts'
import {isInstalled} from './tools.ts'

const USAGE = `npm run bench [-- FIGURE …] [--short] [--write]
  --short  a glance: short rounds
  --write  keep the results, and write docs/performance.md
Figures: ${FIGURES.map(({name}) => name).join(', ')}`

function parsed() {
  try {
    return parseArgs({
      options: {
        help: {type: 'boolean', default: false},
        short: {type: 'boolean', default: false},
        write: {type: 'boolean', default: false}
      },
      allowPositionals: true
    })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(2)
  }
}

const {values, positionals} = parsed()
const scale = values.short ? SHORT : WHOLE

/** Takes one figure. Returns its rows, or one cell with the reason that there are none. */
async function take(figure: Figure): Promise<readonly (readonly string[])[]> {
  const missing = figure.needs.filter(tool => !isInstalled(tool))
  if (missing.length > 0) return [[`${figure.name}: needs ${missing.join(' and ')}`]]
  try {
    const measures = await figure.measure(scale)
    if (values.write) keep(figure, measures)
    return measures.map(rowOf)
  } catch (error) {
    process.exitCode = 1
    return [[`${figure.name}: FAILED: ${error instanceof Error ? error.message : String(error)}`]]
  }
}

/** Writes the page after each figure, so that an interrupted run keeps its figures. */
function keep({name, needs}: Figure, measures: readonly Measure[]): void {
  const compared = measures.filter(({peer}) => peer.length > 0).map(({peerName}) => peerName)
  const results = keepResult(name, {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: versionsOf([...new Set([...needs, ...compared])]),
    isShort: values.short,
    measures
  })
  writePage(results)
}

async function bench(figures: readonly Figure[]): Promise<void> {
  const rows: (readonly string[])[] = [HEAD]
  for (const figure of figures) {
    const begin = performance.now()
    process.stderr.write(`${figure.name} … `)
    rows.push(...(await take(figure)))
    process.stderr.write(`${((performance.now() - begin) / 1000).toFixed()} s\n`)
  }
  console.log(drawn(rows))
  console.log(`\nMedians of ${scale.rounds} rounds; min–max of the ratio, or of ours where there is no peer.`)
}

const unknown = positionals.filter(name => !FIGURES.some(figure => figure.name === name))
if (values.help) console.log(USAGE)
else if (unknown.length > 0) {
  console.error(`no figure ${unknown.join(', ')}\n${USAGE}`)
  process.exitCode = 1
} else {
  await bench(FIGURES.filter(({name}) => positionals.length === 0 || positionals.includes(name)))
}
