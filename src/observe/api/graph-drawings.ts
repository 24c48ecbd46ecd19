import type * as Api from '../../model/api.generated.ts'
import {STATES} from '../../model/app-words.ts'

type Edge = Api.Graph['edges'][number]
/** Formats a time in ms for display. */
type Duration = (ms: number) => string

/** Mark of a sleeping app: the sign and the word that all lists use. */
export const ASLEEP = `${STATES.asleep[0]} asleep`

/** Returns the name of a callee. An empty name means all further callees. */
export const calleeName = (app: string): string => (app === '' ? '(others)' : app)

/** Draws a flowchart for Mermaid. A dotted edge means that the caller's `dependsOn` lacks the callee. Sleeping apps are marked. */
export function mermaidText(graph: Api.Graph, duration: Duration): string {
  const nodes = nodesOf(graph)
  const mark = (app: string): string => (graph.asleep.includes(app) ? ` ${ASLEEP}` : '')
  const nodeLines = [...nodes].map(([app, id]) => `  ${id}["${mermaidLabel(calleeName(app) + mark(app))}"]\n`)
  const edgeLines = graph.edges.map(edge => {
    const arrow = edge.isDeclared === false ? '-.->' : '-->'
    return `  ${nodes.get(edge.from) ?? ''} ${arrow}|"${labelOf(edge, duration)}"| ${nodes.get(edge.to) ?? ''}\n`
  })
  return `flowchart LR\n${nodeLines.join('')}${edgeLines.join('')}`
}

/** Returns an id for each node, which Mermaid accepts. */
function nodesOf({apps, edges}: Api.Graph): ReadonlyMap<string, string> {
  const names = new Set([...apps, ...edges.flatMap(({from, to}) => [from, to])])
  return new Map([...names].map((name, at) => [name, `n${at}`]))
}

const labelOf = ({calls, failed, p95Ms}: Edge, duration: Duration): string =>
  `${calls} ${calls === 1 ? 'call' : 'calls'}${failed === 0 ? '' : `, ${failed} failed`}, p95 ${duration(p95Ms)}`

/** Writes entity codes in place of characters that Mermaid may read as markup. */
const mermaidLabel = (text: string): string =>
  text.replace(/[^\p{L}\p{N} ._/:-]|[.-](?= )/gu, character => `#${character.codePointAt(0) ?? 0};`)
