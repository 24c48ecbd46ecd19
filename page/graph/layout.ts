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
/** Apart from others, apps are in rows of at least this width. */
const MIN_ROW = 900
const GAP = 24
/** Maximum width of a character, where names are enlarged since nothing else can be read. */
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

/** Number of edges above which labels are shown only under the pointer, except those of failures. */
const MAX_LABELS = 15

export const isCrowded = ({edges}: Graph): boolean => edges.length > MAX_LABELS

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
export function layersOf(graph: Graph): Layout {
  const {nodes: all, edges} = graph
  const linked = linkedBy(edges)
  const nodes = all.filter(node => linked.has(node))
  if (nodes.length === 0) return {width: 0, height: 0, nodes: new Map(), edges: new Map()}
  const drawing = new NewDrawing()
  const hasLabels = !isCrowded(graph)
  drawing.setGraph({rankdir: 'LR', nodesep: 16, ranksep: hasLabels ? 24 : 48, edgesep: 12, marginx: 12, marginy: 12})
  for (const node of nodes) drawing.setNode(node, {width: widthOf(node), height: NODE_HEIGHT})
  for (const {from, to, isAwaited} of edges)
    drawing.setEdge(from, to, isAwaited === true || !hasLabels ? {width: 0, height: 0} : {...LABEL, labelpos: 'c'})
  arrange(drawing)
  const {width = 0, height = 0} = drawing.graph()
  const layers = halvesOf(nodes.map(node => drawing.node(node)))
  return {
    width,
    height,
    nodes: new Map(nodes.map(node => [node, drawing.node(node)])),
    edges: new Map(
      edges.map(edge => {
        const {points: drawn, x, y} = drawing.edge(edge.from, edge.to)
        const points = pastBoxes(drawn, layers)
        const middle = points[Math.floor(points.length / 2)] ?? {x: 0, y: 0}
        return [edgeKey(edge), {points, label: Number.isFinite(x) ? {x, y} : middle}]
      })
    )
  }
}

/** Half the width of the widest box of each layer, by the layer's middle. */
function halvesOf(places: readonly {readonly x: number; readonly width: number}[]): ReadonlyMap<number, number> {
  const halves = new Map<number, number>()
  for (const {x, width} of places) halves.set(x, Math.max(halves.get(x) ?? 0, width / 2))
  return halves
}

/** Goes straight through a layer between its boxes, and bends before and behind them: a bend in its middle would touch the box next to it. */
const pastBoxes = (points: readonly Point[], layers: ReadonlyMap<number, number>): readonly Point[] =>
  points.flatMap((point, at) => {
    const half = layers.get(point.x)
    const [before, next] = [points[at - 1], points[at + 1]]
    if (half === undefined || before === undefined || next === undefined) return [point]
    const step = next.x < before.x ? -half : half
    return [
      {x: point.x - step, y: point.y},
      {x: point.x + step, y: point.y}
    ]
  })
