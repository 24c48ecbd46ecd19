import type * as Api from '../../src/model/api.generated.ts'
import {edgeKey, type Graph, type GraphEdge} from './graph.ts'

/** The number of nodes above which the picture groups them. */
export const MAX_UNGROUPED = 40
/** The share of all nodes above which a group is no help. */
const MAX_SHARE = 0.6

/** The members of each group of nodes that the picture shows as one, by the group's name. */
export type Groups = ReadonlyMap<string, readonly string[]>

const NO_GROUPS: Groups = new Map()

/** Groups nodes by the first word of their names: `orders-*`. Returns no groups if there are few nodes, or one group has most of them. */
export function groupsOf(nodes: readonly string[]): Groups {
  if (nodes.length <= MAX_UNGROUPED) return NO_GROUPS
  const found = new Map<string, string[]>()
  for (const node of nodes) {
    const [begin = ''] = /^[^-_./:]+[-_./:]/.exec(node) ?? []
    const name = `${begin === '' ? node : begin.slice(0, -1)}-*`
    found.set(name, [...(found.get(name) ?? []), node])
  }
  const groups = [...found].filter(([, members]) => members.length > 1)
  const isHelpful = groups.length > 0 && groups.every(([, {length}]) => length <= MAX_SHARE * nodes.length)
  return isHelpful ? new Map(groups) : NO_GROUPS
}

/** Returns the graph with each group as one node; calls within a group are left out. */
export function grouped({nodes, edges}: Graph, groups: Groups): Graph {
  const groupOf = new Map([...groups].flatMap(([name, members]) => members.map(member => [member, name] as const)))
  const placeOf = (node: string): string => groupOf.get(node) ?? node
  const sums = new Map<string, GraphEdge>()
  for (const edge of edges) {
    const [from, to] = [placeOf(edge.from), placeOf(edge.to)]
    if (from === to && from !== edge.from) continue
    const key = edgeKey({from, to})
    const before = sums.get(key)
    const figures = sumOf(before?.figures, edge.figures)
    const isOwn = from === edge.from && to === edge.to
    const isAwaited = edge.isAwaited === true && before?.isAwaited !== false
    sums.set(key, {from, to, figures, isAwaited, isDeclared: isOwn ? edge.isDeclared : undefined})
  }
  return {nodes: [...new Set(nodes.map(placeOf))], edges: [...sums.values()]}
}

/** Adds the counts of two edges. Percentiles cannot be added, so the higher one is taken. */
function sumOf(a: Api.Edge | undefined, b: Api.Edge | undefined): Api.Edge | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return {
    ...a,
    calls: a.calls + b.calls,
    failed: a.failed + b.failed,
    waited: a.waited + b.waited,
    p50Ms: Math.max(a.p50Ms, b.p50Ms),
    p95Ms: Math.max(a.p95Ms, b.p95Ms),
    p99Ms: Math.max(a.p99Ms, b.p99Ms),
    recent: {
      seconds: a.recent.seconds,
      calls: a.recent.calls + b.recent.calls,
      failed: a.recent.failed + b.recent.failed,
      p95Ms: Math.max(a.recent.p95Ms, b.recent.p95Ms)
    }
  }
}
