import type * as Api from '../../src/model/api.generated.ts'

/** An edge from a caller to what it calls, or may call by `dependsOn`. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  /** The counts of the calls. Undefined if there were none, and the edge comes from `dependsOn`. */
  readonly figures: Api.Edge | undefined
  /** Whether the caller names the callee under `dependsOn`. Undefined if this is not known, as when one of them is no app of the run. */
  readonly isDeclared: boolean | undefined
  /** Whether no app calls the callee, such as a database, and the edge is only a `dependsOn`. */
  readonly isAwaited?: boolean
}

export interface Graph {
  readonly nodes: readonly string[]
  readonly edges: readonly GraphEdge[]
}

/** Returns the key of an edge; names contain no NUL. */
export const edgeKey = ({from, to}: Pick<GraphEdge, 'from' | 'to'>): string => `${from}\0${to}`

/** Returns a graph with the latest figures; `live`: those of the busiest edges. */
export function graphOf({apps, edges, uncalled, awaited}: Api.Graph, live: readonly Api.Edge[]): Graph {
  const latest = new Map(live.map(edge => [edgeKey(edge), edge]))
  const called = edges.map(edge => ({
    from: edge.from,
    to: edge.to,
    figures: latest.get(edgeKey(edge)) ?? edge,
    isDeclared: edge.isDeclared
  }))
  const known = new Set(called.map(edgeKey))
  const news = live
    .filter(edge => !known.has(edgeKey(edge)))
    .map(edge => ({from: edge.from, to: edge.to, figures: edge, isDeclared: undefined}))
  const silent = uncalled.map(({from, to}) => ({from, to, figures: undefined, isDeclared: true}))
  const waits = awaited.map(({from, to}) => ({from, to, figures: undefined, isDeclared: true, isAwaited: true}))
  const all = [...called, ...news, ...[...silent, ...waits].filter(edge => !known.has(edgeKey(edge)))]
  return {nodes: [...new Set([...apps, ...all.flatMap(({from, to}) => [from, to])])], edges: all}
}

/** Returns the nodes that are at most `within` calls away from an app, in either direction, and the edges between them. */
export function around({nodes, edges}: Graph, focus: string, within: number): Graph {
  let near = new Set([focus])
  for (let step = 0; step < within; step++)
    near = new Set([...near, ...edges.flatMap(({from, to}) => (near.has(from) ? [to] : near.has(to) ? [from] : []))])
  return {
    nodes: nodes.filter(node => near.has(node)),
    edges: edges.filter(({from, to}) => near.has(from) && near.has(to))
  }
}

/** Returns calls per second, and the percentage of failed calls, in the last minute. */
export function recentOf({figures}: GraphEdge): {readonly perSecond: number; readonly failed: number} {
  if (figures === undefined) return {perSecond: 0, failed: 0}
  const {calls, failed, seconds} = figures.recent
  return {perSecond: calls / seconds, failed: calls === 0 ? 0 : (100 * failed) / calls}
}
