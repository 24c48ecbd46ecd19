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
/** The size of a label in a crowded picture: fits `12.6/s ✕ 31 %`, also enlarged. */
export const SHORT_LABEL = {width: 146, height: 26}
/** The minimum width of the rows of nodes without edges. */
const MIN_ROW = 900
const GAP = 24
/** The distance from the boxes of a layer at which a line bends, and the radius of its bends. */
export const BEND = 10
/** The maximum distance from the middle of a box's side at which a line ends. */
const MAX_APART = NODE_HEIGHT / 2 - 8
/** The maximum width of a character at the enlarged size that names have when zoomed out. */
const CHARACTER = 14
/** The number of characters of a name that are shown enlarged. */
export const MAX_NAME = 20

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
  Math.max(160, Math.min(MAX_NAME, node.length) * CHARACTER + (isTopic(node) ? 44 : 24))

/** The number of edges above which labels are short. */
const MAX_LABELS = 15

export const isCrowded = ({edges}: Graph): boolean => edges.length > MAX_LABELS

/** Returns the name of a node for dagre, which keeps nodes in an object, where `constructor` already exists. */
const drawn = (node: string): string => `.${node}`

const linkedBy = (edges: Graph['edges']): ReadonlySet<string> => new Set(edges.flatMap(({from, to}) => [from, to]))

/** Adds the nodes without edges to a layout, in rows below the layers. */
function withOthers(whole: Layout, {nodes, edges}: Graph): Layout {
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

/** The scale below which labels of edges and states of nodes are too small to read. */
export const READABLE = 0.75

/** A way to place the layers: from top to bottom rather than from left to right, and the number of layers over which callees without calls of their own are spread. */
interface Way {
  readonly isTall: boolean
  readonly spread: number
}

const WAYS: readonly Way[] = [
  {isTall: false, spread: 1},
  {isTall: true, spread: 1},
  {isTall: false, spread: 2},
  {isTall: false, spread: 3}
]

/** Returns the scale at which all of a picture is seen in its box: at most 1. */
export const scaleOf = (picture: Size, box: Size): number =>
  Math.min(1, box.width / picture.width || 1, box.height / picture.height || 1)

/** Places the nodes in the first way that is readable in a box of this size, else in the most readable way. */
export function layoutFor(graph: Graph, box: Size): Layout {
  let best = withOthers(layersOf(graph), graph)
  for (const way of WAYS.slice(1)) {
    if (scaleOf(best, box) >= READABLE) break
    const next = withOthers(layersOf(graph, way), graph)
    if (scaleOf(next, box) > scaleOf(best, box)) best = next
  }
  return best
}

/** Places the nodes with edges in layers, and each label at a free place on its edge. Slow for large graphs. */
function layersOf(graph: Graph, {isTall, spread}: Way = {isTall: false, spread: 1}): Layout {
  const {nodes: all, edges} = graph
  const linked = linkedBy(edges)
  const nodes = all.filter(node => linked.has(node))
  if (nodes.length === 0) return {width: 0, height: 0, nodes: new Map(), edges: new Map()}
  const drawing = new NewDrawing()
  const label = isCrowded(graph) ? SHORT_LABEL : LABEL
  const callers = new Set(edges.map(({from}) => from))
  drawing.setGraph({rankdir: isTall ? 'TB' : 'LR', nodesep: 10, ranksep: 40, edgesep: 6, marginx: 12, marginy: 12})
  for (const node of nodes) drawing.setNode(drawn(node), {width: widthOf(node), height: NODE_HEIGHT})
  for (const [index, {from, to, isAwaited}] of edges.entries())
    drawing.setEdge(drawn(from), drawn(to), {
      ...(isAwaited === true ? {width: 0, height: 0} : {...label, labelpos: 'c'}),
      minlen: callers.has(to) ? 1 : 1 + (index % spread)
    })
  arrange(drawing)
  const {width = 0, height = 0} = drawing.graph()
  // lines are routed from left to right: a tall picture is turned for that, and its lines are turned back
  const turned = <T extends Point>(point: T): T => (isTall ? {...point, x: point.y, y: point.x} : point)
  const placeOf = (name: string): Box => {
    const place = turned(drawing.node(name))
    return isTall ? {...place, width: NODE_HEIGHT} : place
  }
  const layers = halvesOf(nodes.map(node => placeOf(drawn(node))))
  return {
    width,
    height,
    nodes: new Map(nodes.map(node => [node, drawing.node(drawn(node))])),
    edges: new Map(
      edges.map(edge => {
        const ends = [drawn(edge.from), drawn(edge.to)] as const
        const {points: way, x, y} = drawing.edge(...ends)
        const [from, to] = [placeOf(ends[0]), placeOf(ends[1])]
        const points = edge.from === edge.to ? way : pastBoxes(way.map(turned), {layers, from, to}).map(turned)
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
