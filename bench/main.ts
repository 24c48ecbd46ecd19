/**
 * `npm run bench [-- figure …] [--short]`: our figures beside those of a peer in the same run. Rounds are interleaved, what is
 * shown are medians and their spread; the program runs in its default configuration, and what skips the contract fails.
 */
import {parseArgs} from 'node:util'
import {SHORT, WHOLE, type Figure} from './figure.ts'
import {blocks} from './figures/blocks.ts'
import {calls} from './figures/calls.ts'
import {flood} from './figures/flood.ts'
import {grpc} from './figures/grpc.ts'
import {grpcBlocks} from './figures/grpc-blocks.ts'
import {latency} from './figures/latency.ts'
import {manager} from './figures/manager.ts'
import {floodMemory} from './figures/flood-memory.ts'
import {memory} from './figures/memory.ts'
import {overlap} from './figures/overlap.ts'
import {page} from './figures/page.ts'
import {policies} from './figures/policies.ts'
import {pumpBuffered} from './figures/pump-buffered.ts'
import {pumpLines} from './figures/pump-lines.ts'
import {save} from './figures/save.ts'
import {start} from './figures/start.ts'
import {startup} from './figures/startup.ts'
import {stop} from './figures/stop.ts'
import {wait} from './figures/wait.ts'
import {DAPR_SOURCE} from './goals.ts'
import {drawn, HEAD, rowOf} from './table.ts'
import {isInstalled} from './tools.ts'

const FIGURES = [
  startup,
  start,
  calls,
  policies,
  latency,
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
  wait
]

const {values, positionals} = parseArgs({options: {short: {type: 'boolean', default: false}}, allowPositionals: true})
const scale = values.short ? SHORT : WHOLE

/** The rows of one figure, or one cell that says why there are none. */
async function take(figure: Figure): Promise<readonly (readonly string[])[]> {
  const missing = figure.needs.filter(tool => !isInstalled(tool))
  if (missing.length > 0) return [[`${figure.name}: needs ${missing.join(' and ')}`]]
  try {
    return (await figure.measure(scale)).map(rowOf)
  } catch (error) {
    process.exitCode = 1
    return [[`${figure.name}: FAILED: ${error instanceof Error ? error.message : String(error)}`]]
  }
}

async function bench(figures: readonly Figure[]): Promise<void> {
  const rows: (readonly string[])[] = [HEAD]
  for (const figure of figures) {
    console.error(`${figure.name} …`)
    rows.push(...(await take(figure)))
  }
  console.log(drawn(rows))
  console.log(
    `\nMedians of ${scale.rounds.toString()} rounds; min–max of the ratio, of the difference where the goal is one, of ours where there is no peer.`
  )
  console.log(`Dapr: ${DAPR_SOURCE}.`)
}

const unknown = positionals.filter(name => !FIGURES.some(figure => figure.name === name))
if (unknown.length > 0) {
  console.error(`no figure ${unknown.join(', ')}; there are ${FIGURES.map(({name}) => name).join(', ')}`)
  process.exitCode = 1
} else {
  await bench(FIGURES.filter(({name}) => positionals.length === 0 || positionals.includes(name)))
}
