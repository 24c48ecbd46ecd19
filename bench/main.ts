/**
 * `npm run bench [-- figure …] [--short] [--write]`: our figures beside those of a peer in the same run. Rounds are interleaved, what
 * is shown are medians and their spread; the program runs in its default configuration, and what skips the contract fails.
 * With `--write` the results are kept in docs/performance.json, and docs/performance.md is written from all that are there.
 */
import {parseArgs} from 'node:util'
import {PAGE, SHORT, WHOLE, type Figure, type Measure} from './figure.ts'
import {actors} from './figures/actors.ts'
import {apps} from './figures/apps.ts'
import {badInput} from './figures/bad-input.ts'
import {blocks} from './figures/blocks.ts'
import {calls} from './figures/calls.ts'
import {copies} from './figures/copies.ts'
import {conversation} from './figures/conversation.ts'
import {crypto} from './figures/crypto.ts'
import {flood} from './figures/flood.ts'
import {grpc} from './figures/grpc.ts'
import {grpcBlocks} from './figures/grpc-blocks.ts'
import {hostile} from './figures/hostile.ts'
import {jobs} from './figures/jobs.ts'
import {lazy} from './figures/lazy.ts'
import {latency} from './figures/latency.ts'
import {manager} from './figures/manager.ts'
import {floodMemory} from './figures/flood-memory.ts'
import {memory} from './figures/memory.ts'
import {overlap} from './figures/overlap.ts'
import {paced} from './figures/paced.ts'
import {page} from './figures/page.ts'
import {policies} from './figures/policies.ts'
import {port} from './figures/port.ts'
import {pumpBuffered} from './figures/pump-buffered.ts'
import {pumpLines} from './figures/pump-lines.ts'
import {save} from './figures/save.ts'
import {spans} from './figures/spans.ts'
import {start} from './figures/start.ts'
import {startup} from './figures/startup.ts'
import {stop} from './figures/stop.ts'
import {ten} from './figures/ten.ts'
import {threads} from './figures/threads.ts'
import {wait} from './figures/wait.ts'
import {watched} from './figures/watched.ts'
import {workflows} from './figures/workflows.ts'
import {DAPR_SOURCE} from './goals.ts'
import {machine, versionsOf} from './report/machine.ts'
import {keepResult} from './report/results.ts'
import {writePages} from './report/write.ts'
import {drawn, HEAD, rowOf} from './table.ts'
import {isInstalled} from './tools.ts'

const FIGURES = [
  startup,
  start,
  ten,
  apps,
  lazy,
  copies,
  calls,
  latency,
  port,
  paced,
  threads,
  policies,
  grpc,
  blocks,
  grpcBlocks,
  manager,
  pumpLines,
  pumpBuffered,
  flood,
  save,
  overlap,
  stop,
  page,
  memory,
  floodMemory,
  spans,
  badInput,
  hostile,
  wait,
  watched,
  workflows,
  actors,
  conversation,
  crypto,
  jobs
]

/** They take long, and stand on the page once they are named. */
const LONG: readonly Figure[] = [
  copies,
  lazy,
  threads,
  policies,
  blocks,
  grpc,
  grpcBlocks,
  page,
  wait,
  manager,
  startup,
  overlap,
  flood,
  hostile,
  spans,
  watched,
  workflows,
  actors,
  conversation,
  crypto,
  jobs
]

const USAGE = `npm run bench [-- FIGURE …] [--short] [--write]
  --short  a glance: one short round of each
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
const scale = values.short ? SHORT : values.write ? PAGE : WHOLE

/** The rows of one figure, or one cell that says why there are none. */
async function take(figure: Figure): Promise<readonly (readonly string[])[]> {
  const missing = figure.needs.filter(tool => !isInstalled(tool))
  if (missing.length > 0) return [[`${figure.name}: needs ${missing.join(' and ')}`]]
  try {
    const measures = await figure.measure(scale)
    if (values.write) write(figure, measures)
    return measures.map(rowOf)
  } catch (error) {
    process.exitCode = 1
    return [[`${figure.name}: FAILED: ${error instanceof Error ? error.message : String(error)}`]]
  }
}

/** After each figure: what is interrupted keeps what it has. */
function write({name, needs}: Figure, measures: readonly Measure[]): void {
  const compared = measures.filter(({peer}) => peer.length > 0).map(({peerName}) => peerName)
  const results = keepResult(name, {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: versionsOf([...new Set([...needs, ...compared])]),
    isShort: values.short,
    measures
  })
  writePages(results)
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
  console.log(
    `\nMedians of ${scale.rounds} rounds; min–max of the ratio, of the difference where the goal is one, of ours where there is no peer.`
  )
  console.log(`Dapr: ${DAPR_SOURCE}.`)
}

/** Without names: all, and of the page those that do not take long. */
const isMeant = (figure: Figure): boolean =>
  positionals.length > 0 ? positionals.includes(figure.name) : !(values.write && LONG.includes(figure))

const unknown = positionals.filter(name => !FIGURES.some(figure => figure.name === name))
if (values.help) console.log(USAGE)
else if (unknown.length > 0) {
  console.error(`no figure ${unknown.join(', ')}\n${USAGE}`)
  process.exitCode = 1
} else {
  await bench(FIGURES.filter(isMeant))
}
