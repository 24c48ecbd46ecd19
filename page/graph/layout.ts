import {graphlib, layout} from '@dagrejs/dagre'
import {isTopic} from './edge-text.ts'
import {edgeKey, type Graph} from './graph.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** The positions of everything, in CSS pixels; for nodes and labels, their centres. */
export interface Layout extends Size {
  readonly nodes: ReadonlyMap<string, Point & {readonly width: number}>
  readonly edges: ReadonlyMap<string, {readonly points: readonly Point[]; readonly label: Point}>
}

export const NODE_HEIGHT = 44
/** The size of a label: fits `12.6/s ✕ 31 % 65 ms ⚡`. */
export const LABEL = {width: 150, height: 20}
/** The minimum width of the rows of nodes without edges. */
const MIN_ROW = 900
const GAP = 24
/** The distance from the boxes of a layer at which a line bends, and the radius of its bends. */
export const BEND = 10
/** The maximum distance from the middle of a box's side at which a line ends. */
const MAX_APART = NODE_HEIGHT / 2 - 8
/** The maximum width of a character at the enlarged size that names have when zoomed out. */
const CHARACTER = 12.6
const MAX_NODE = 300

/** The methods of dagre's graphs that are used here; dagre's own types import a package that it bundles. */
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

const widthOf = (node: string): number =>
  Math.min(MAX_NODE, Math.max(160, node.length * CHARACTER + (isTopic(node) ? 44 : 24)))

/** The number of edges above which labels are shown only on hover or focus, except those of failing edges. */
const MAX_LABELS = 15

export const isCrowded = ({edges}: Graph): boolean => edges.length > MAX_LABELS

/** Returns the name of a node for dagre, which keeps nodes in an object, where `constructor` already exists. */
const drawn = (node: string): string => `.${node}`

const linkedBy = (edges: Graph['edges']): ReadonlySet<string> => new Set(edges.flatMap(({from, to}) => [from, to]))

/** Adds the nodes without edges to a layout, in rows below the layers. */
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

/** Places the nodes with edges in layers from left to right, and each label at a free place on its edge. Slow for large graphs. */
export function layersOf(graph: Graph): Layout {
  const {nodes: all, edges} = graph
  const linked = linkedBy(edges)
  const nodes = all.filter(node => linked.has(node))
  if (nodes.length === 0) return {width: 0, height: 0, nodes: new Map(), edges: new Map()}
  const drawing = new NewDrawing()
  const hasLabels = !isCrowded(graph)
  drawing.setGraph({rankdir: 'LR', nodesep: 16, ranksep: 48, edgesep: 12, marginx: 12, marginy: 12})
  for (const node of nodes) drawing.setNode(drawn(node), {width: widthOf(node), height: NODE_HEIGHT})
  for (const {from, to, isAwaited} of edges)
    drawing.setEdge(
      drawn(from),
      drawn(to),
      isAwaited === true || !hasLabels ? {width: 0, height: 0} : {...LABEL, labelpos: 'c'}
    )
  arrange(drawing)
  const {width = 0, height = 0} = drawing.graph()
  const layers = halvesOf(nodes.map(node => drawing.node(drawn(node))))
  return {
    width,
    height,
    nodes: new Map(nodes.map(node => [node, drawing.node(drawn(node))])),
    edges: new Map(
      edges.map(edge => {
        const ends = [drawn(edge.from), drawn(edge.to)] as const
        const {points: way, x, y} = drawing.edge(...ends)
        const [from, to] = [drawing.node(ends[0]), drawing.node(ends[1])]
        const points = edge.from === edge.to ? way : pastBoxes(way, {layers, from, to})
        const middle = points[Math.floor(points.length / 2)] ?? {x: 0, y: 0}
        return [edgeKey(edge), {points, label: Number.isFinite(x) ? {x, y} : middle}]
      })
    )
  }
}

/** Returns half the width of the widest box of each layer, by the x of the layer's centre. */
function halvesOf(places: readonly {readonly x: number; readonly width: number}[]): ReadonlyMap<number, number> {
  const halves = new Map<number, number>()
  for (const {x, width} of places) halves.set(x, Math.max(halves.get(x) ?? 0, width / 2))
  return halves
}

/** The layers, as `halvesOf` returns them, and the boxes at the two ends of a line. */
interface Ends {
  readonly layers: ReadonlyMap<number, number>
  readonly from: Box
  readonly to: Box
}

type Box = Point & {readonly width: number}

/**
 * Routes a line from the side of its box to the side of the other one: straight through each layer in between, with bends only before
 * and after it, because a bend within a layer would run under the boxes next to it.
 */
function pastBoxes(points: readonly Point[], {layers, from, to}: Ends): readonly Point[] {
  const way = to.x < from.x ? -1 : 1
  const inner = points.slice(1, -1)
  const through = inner.flatMap(point => {
    const half = layers.get(point.x)
    return half === undefined ? [point] : atBothSides(point, way * (half + BEND))
  })
  return [...sideOf(from, inner[0] ?? to, way), ...through, ...sideOf(to, inner.at(-1) ?? from, -way).toReversed()]

  function sideOf(box: Box, other: Point, side: number): readonly Point[] {
    // lines at one side of a box end at different heights, in the order of where they lead
    const y = box.y + Math.max(-MAX_APART, Math.min(MAX_APART, (other.y - box.y) / 8))
    const [, edge] = atBothSides({x: box.x, y}, (side * box.width) / 2)
    const [, outside] = atBothSides({x: box.x, y}, side * ((layers.get(box.x) ?? box.width / 2) + BEND))
    return [edge, outside]
  }
}

const atBothSides = ({x, y}: Point, by: number): readonly [Point, Point] => [
  {x: x - by, y},
  {x: x + by, y}
]
