import {graphlib, layout} from '@dagrejs/dagre'
import {edgeKey, type Graph} from './graph.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** Where everything is, in CSS pixels; nodes and labels by their centres. */
export interface Layout extends Size {
  readonly nodes: ReadonlyMap<string, Point & {readonly width: number}>
  readonly edges: ReadonlyMap<string, {readonly points: readonly Point[]; readonly label: Point}>
}

export const NODE_HEIGHT = 44
/** Room for `12.6/s ✕ 31 % 65 ms ⚡`. */
export const LABEL = {width: 150, height: 20}
/** Apart from others, apps stand in rows of at least this width. */
const MIN_ROW = 900
const GAP = 24
/** Of a character at most, where names are enlarged since nothing else can be read. */
const CHARACTER = 12.6
const MAX_NODE = 300

/** What is used of dagre's graphs: its types name a package that it has inside. */
interface Drawing {
  setGraph(options: Readonly<Record<string, unknown>>): void
  graph(): {readonly width?: number; readonly height?: number}
  setNode(name: string, size: {readonly width: number; readonly height: number}): void
  node(name: string): Point & {readonly width: number}
  setEdge(from: string, to: string, label: Readonly<Record<string, unknown>>): void
  edge(from: string, to: string): Point & {readonly points: readonly Point[]}
}

const {Graph: NewDrawing} = graphlib as unknown as {readonly Graph: new () => Drawing}
const arrange = layout as unknown as (drawing: Drawing) => void

const widthOf = (node: string): number => Math.min(MAX_NODE, Math.max(160, node.length * CHARACTER + 24))

const linkedBy = (edges: Graph['edges']): ReadonlySet<string> => new Set(edges.flatMap(({from, to}) => [from, to]))

/** The layers of a graph, and in rows below what no edge belongs to. */
export function withOthers(whole: Layout, {nodes, edges}: Graph): Layout {
  const linked = linkedBy(edges)
  const row = Math.max(MIN_ROW, whole.width)
  const places = new Map(whole.nodes)
  let [x, y, width] = [GAP / 2, whole.height + (linked.size === 0 ? GAP / 2 : 0), whole.width]
  for (const node of nodes.filter(each => !linked.has(each))) {
    const own = widthOf(node)
    if (x + own > row && x > GAP) [x, y] = [GAP / 2, y + NODE_HEIGHT + GAP]
    places.set(node, {x: x + own / 2, y: y + NODE_HEIGHT / 2, width: own})
    x += own + GAP
    width = Math.max(width, x)
  }
  const height = places.size === whole.nodes.size ? whole.height : y + NODE_HEIGHT + GAP / 2
  return {...whole, nodes: places, width, height}
}

/** What has edges, in layers from left to right; labels have a place of their own on their edge. It takes time. */
export function layersOf({nodes: all, edges}: Graph): Layout {
  const linked = linkedBy(edges)
  const nodes = all.filter(node => linked.has(node))
  if (nodes.length === 0) return {width: 0, height: 0, nodes: new Map(), edges: new Map()}
  const drawing = new NewDrawing()
  drawing.setGraph({rankdir: 'LR', nodesep: 16, ranksep: 24, edgesep: 12, marginx: 12, marginy: 12})
  for (const node of nodes) drawing.setNode(node, {width: widthOf(node), height: NODE_HEIGHT})
  for (const {from, to, isAwaited} of edges)
    drawing.setEdge(from, to, isAwaited === true ? {width: 0, height: 0} : {...LABEL, labelpos: 'c'})
  arrange(drawing)
  const {width = 0, height = 0} = drawing.graph()
  return {
    width,
    height,
    nodes: new Map(nodes.map(node => [node, drawing.node(node)])),
    edges: new Map(
      edges.map(edge => {
        const {points, x, y} = drawing.edge(edge.from, edge.to)
        return [edgeKey(edge), {points, label: {x, y}}]
      })
    )
  }
}
