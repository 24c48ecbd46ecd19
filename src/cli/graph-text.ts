import type {GraphView} from '../api/graph.ts'
import {duration} from './call-table.ts'
import {fittingTable} from './table.ts'

type Edge = GraphView['edges'][number]

/** A table of who calls whom, and where that differs from `dependsOn`. */
export function graphTable(graph: GraphView, width: number): string {
  const {edges} = graph
  if (edges.length === 0) return `There was no call yet.\n${differences(graph)}`
  const numbers = (head: string, of: (edge: Edge) => string): Parameters<typeof fittingTable>[0][number] => ({
    head,
    cells: edges.map(of),
    alignsRight: true
  })
  const table = fittingTable(
    [
      {head: 'FROM', cells: edges.map(({from}) => from), minWidth: 8},
      {head: 'TO', cells: edges.map(({to}) => nameOf(to)), minWidth: 8},
      numbers('CALLS', ({calls}) => calls.toString()),
      numbers('FAILED', ({failed}) => some(failed)),
      numbers('P50', ({p50Ms}) => duration(p50Ms)),
      numbers('P95', ({p95Ms}) => duration(p95Ms)),
      numbers('WAITED', ({waited}) => some(waited))
    ],
    width
  )
  return table + differences(graph)
}

const some = (count: number): string => (count === 0 ? '' : count.toString())

/** All calls beyond those that are counted one by one. */
const nameOf = (app: string): string => (app === '' ? '(others)' : app)

function differences({edges, uncalled}: GraphView): string {
  const lines = [
    ...grouped(edges.filter(({isDeclared}) => isDeclared === false)).map(([from, ids]) =>
      ids.length === 1
        ? `${from} calls ${list(ids)}, and does not name it under dependsOn`
        : `${from} calls ${list(ids)}, and ${ids.length === 2 ? 'names neither' : 'names none of them'} under dependsOn`
    ),
    ...grouped(uncalled).map(
      ([from, ids]) =>
        `${from} names ${list(ids)} under dependsOn, and has not called ${ids.length === 1 ? 'it' : 'them'}`
    )
  ]
  return lines.length === 0 ? '' : `\n${lines.map(line => `${line}\n`).join('')}`
}

/** The callees of each caller. */
function grouped(
  edges: readonly {readonly from: string; readonly to: string}[]
): readonly [string, readonly string[]][] {
  const byCaller = new Map<string, string[]>()
  for (const {from, to} of edges) byCaller.set(from, [...(byCaller.get(from) ?? []), to])
  return [...byCaller]
}

const list = (ids: readonly string[]): string =>
  ids.length < 2 ? ids.join('') : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1) ?? ''}`

/** A flowchart of Mermaid. Dotted: the caller does not name the callee under `dependsOn`. */
export function mermaidText(graph: GraphView): string {
  const nodes = nodesOf(graph)
  const nodeLines = [...nodes].map(([app, id]) => `  ${id}["${mermaidLabel(nameOf(app))}"]\n`)
  const edgeLines = graph.edges.map(edge => {
    const arrow = edge.isDeclared === false ? '-.->' : '-->'
    return `  ${nodes.get(edge.from) ?? ''} ${arrow}|"${labelOf(edge)}"| ${nodes.get(edge.to) ?? ''}\n`
  })
  return `flowchart LR\n${nodeLines.join('')}${edgeLines.join('')}`
}

/** A graph of Graphviz. Dashed: the caller does not name the callee under `dependsOn`. */
export function dotText(graph: GraphView): string {
  const nodes = nodesOf(graph)
  const nodeLines = [...nodes].map(([app, id]) => `  ${id} [label="${dotLabel(nameOf(app))}"];\n`)
  const edgeLines = graph.edges.map(edge => {
    const style = edge.isDeclared === false ? ', style=dashed' : ''
    const colour = edge.failed > 0 ? ', color=red' : ''
    return `  ${nodes.get(edge.from) ?? ''} -> ${nodes.get(edge.to) ?? ''} [label="${labelOf(edge)}"${style}${colour}];\n`
  })
  return `digraph calls {\n  rankdir=LR;\n  node [shape=box];\n${nodeLines.join('')}${edgeLines.join('')}}\n`
}

/** A name for each app and other callee that both formats take as it is. */
function nodesOf({apps, edges}: GraphView): ReadonlyMap<string, string> {
  const names = new Set([...apps, ...edges.flatMap(({from, to}) => [from, to])])
  return new Map([...names].map((name, at) => [name, `n${at.toString()}`]))
}

const labelOf = ({calls, failed, p95Ms}: Edge): string =>
  `${calls.toString()} ${calls === 1 ? 'call' : 'calls'}${failed === 0 ? '' : `, ${failed.toString()} failed`}, p95 ${duration(p95Ms)}`

/** Mermaid reads markup in labels: all but plain characters are its entity codes. */
const mermaidLabel = (text: string): string =>
  text.replace(/[^\p{L}\p{N} ._/:-]|[.-](?= )/gu, character => `#${(character.codePointAt(0) ?? 0).toString()};`)

/** Graphviz reads escapes and the entities of HTML in labels, and knows no control characters. */
const dotLabel = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replace(/["\\]/g, String.raw`\$&`)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD')
