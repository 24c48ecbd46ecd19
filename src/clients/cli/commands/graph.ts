import {mermaidText, ASLEEP, calleeName} from '../../../observe/api/graph-drawings.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {print} from '../print.ts'
import {uncarriedLines} from '../../../model/uncarried.ts'
import {runHere} from '../run-here.ts'
import {outputColumns} from '../width.ts'
import type * as Api from '../../../model/api.generated.ts'
import {durationText} from '../../../model/duration.ts'
import {fittingTable} from '../table.ts'

/** `graph [-o mermaid|json]`: the calls between apps of a run, the differences from `dependsOn`, and the sleeping apps. */
export const graph: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`graph takes no arguments, and got ${words[0] ?? ''}`)
  const output = flags.text('output')
  const run = await runHere(flags, asJson)
  const shown = await run.api.ask('GET /graph')
  if (output === 'json') print(process.stdout, `${JSON.stringify(shown)}\n`)
  else
    print(process.stdout, output === 'mermaid' ? mermaidText(shown, percentile) : graphTable(shown, outputColumns(40)))
  if (shown.edges.length === 0 && output !== 'json') print(process.stdout, uncarriedLines(run.listing.apps))
  return 0
}

type Edge = Api.Graph['edges'][number]

/** Returns a table of the calls between apps, the differences from `dependsOn`, and the sleeping apps. */
export function graphTable(shown: Api.Graph, width: number): string {
  const {edges, asleep} = shown
  const rest = differences(shown) + (asleep.length === 0 ? '' : `\n${ASLEEP}: ${asleep.join(', ')}\n`)
  if (edges.length === 0) return `No calls yet.\n${rest}`
  const numbers = (head: string, of: (edge: Edge) => string): Parameters<typeof fittingTable>[0][number] => ({
    head,
    cells: edges.map(of),
    alignsRight: true
  })
  const table = fittingTable(
    [
      {head: 'FROM', cells: edges.map(({from}) => from), minWidth: 8},
      {head: 'TO', cells: edges.map(({to}) => calleeName(to)), minWidth: 8},
      numbers('CALLS', ({calls}) => calls.toString()),
      numbers('FAILED', ({failed}) => some(failed)),
      numbers('P50', ({p50Ms}) => percentile(p50Ms)),
      numbers('P95', ({p95Ms}) => percentile(p95Ms)),
      numbers('WAITED', ({waited}) => some(waited))
    ],
    width
  )
  return table + rest
}

/** Returns a percentile as text, from 10 s on in whole seconds, since the run measures it only to within 25 %. */
const percentile = (ms: number): string => (ms < 10_000 ? durationText(ms) : `${Math.round(ms / 1000)} s`)

const some = (count: number): string => (count === 0 ? '' : count.toString())

/** Returns a line for each caller whose calls differ from its `dependsOn`. */
function differences({edges, uncalled}: Api.Graph): string {
  const undeclared = edges.filter(({isDeclared}) => isDeclared === false)
  const lines = [
    ...grouped(undeclared).map(([from, ids]) => `${from} calls ${list(ids)}: not in its dependsOn`),
    ...grouped(uncalled).map(
      ([from, ids]) =>
        `${from} names ${list(ids)} under dependsOn, and has not called ${ids.length === 1 ? 'it' : 'them'}`
    )
  ]
  return lines.length === 0 ? '' : `\n${lines.map(line => `${line}\n`).join('')}`
}

function grouped(
  edges: readonly {readonly from: string; readonly to: string}[]
): readonly [string, readonly string[]][] {
  const byCaller = new Map<string, string[]>()
  for (const {from, to} of edges) byCaller.set(from, [...(byCaller.get(from) ?? []), to])
  return [...byCaller]
}

const list = (ids: readonly string[]): string =>
  ids.length < 2 ? ids.join('') : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1) ?? ''}`
