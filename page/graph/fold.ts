import {edgeKey, type GraphEdge} from './graph.ts'
import {LABEL, NODE_HEIGHT, type Layout, type Point, type Size} from './layout.ts'

/** Around a picture, and between its rows where no edge runs. */
const MARGIN = 12
/** Of an edge from one row to the next one, with its label. */
const LANE = LABEL.height + 8
/** More edges from one row to the next one are a tangle. */
const MAX_LANES = 3
/** Rows are harder to follow than one line: they have to be worth it. */
const MIN_GAIN = 1.25

/** A piece of a picture between two x: what stands in it, and the edges that lead from it to the next one. */
interface Row {
  readonly left: number
  readonly right: number
  readonly next: readonly GraphEdge[]
}

/** How much of its size a picture has in a box; at most 1. */
const scaleIn = ({width, height}: Size, box: Size): number => Math.min(1, box.width / width, box.height / height)

/** A picture that is long and low, as one of a chain of calls is, in rows one below the other, if that makes it larger in this box. */
export function folded(whole: Layout, edges: readonly GraphEdge[], box: Size): Layout {
  const ranks = [...new Set([...whole.nodes.values()].map(({x}) => x))].toSorted((a, b) => a - b)
  const cuts = ranks.slice(1).flatMap((x, index) => cutAt(whole, edges, ranks[index] ?? x, x) ?? [])
  let best = whole
  let least = scaleIn(whole, box) * MIN_GAIN
  for (let rows = 2; rows <= cuts.length + 1 && least < 1; rows++) {
    const tried = inRows(whole, edges, rowsOf(whole, cuts, whole.width / rows))
    const scale = scaleIn(tried, box)
    if (scale > least) [best, least] = [tried, scale]
  }
  return best
}

/** Where a picture may be cut between two ranks: few edges cross, each from one to the other; undefined: not here. */
function cutAt({nodes}: Layout, edges: readonly GraphEdge[], before: number, after: number): Row | undefined {
  const xOf = (name: string): number => nodes.get(name)?.x ?? 0
  const next = edges.filter(({from, to}) => xOf(from) <= before !== xOf(to) <= before)
  const isPlain = next.every(({from, to}) => xOf(from) === before && xOf(to) === after)
  const halves = (x: number): readonly number[] =>
    [...nodes.values()].filter(node => node.x === x).map(({width}) => width / 2)
  return isPlain && next.length <= MAX_LANES
    ? {left: after - Math.max(...halves(after)), right: before + Math.max(...halves(before)), next}
    : undefined
}

/** Rows that are about so wide. A cut tells where a row ends, and where the next one begins. */
function rowsOf(whole: Layout, cuts: readonly Row[], width: number): readonly Row[] {
  const rows: Row[] = []
  let left = MARGIN
  for (const [index, cut] of cuts.entries()) {
    const end = cuts[index + 1]?.right ?? whole.width - MARGIN
    if (end - left <= width) continue
    rows.push({...cut, left})
    left = cut.left
  }
  return [...rows, {left, right: whole.width - MARGIN, next: []}]
}

function inRows(whole: Layout, edges: readonly GraphEdge[], rows: readonly Row[]): Layout {
  const nodes = new Map<string, Point & {readonly width: number}>()
  const lines = new Map<string, {readonly points: readonly Point[]; readonly label: Point}>()
  const width = Math.max(...rows.map(({left, right}) => right - left)) + 4 * MARGIN
  const bottoms: number[] = []
  let top = MARGIN
  for (const [index, {left, right, next}] of rows.entries()) {
    const own = [...whole.nodes].filter(([, {x}]) => x >= left && x <= right)
    const inside = edges.filter(({from, to}) => [from, to].every(end => own.some(([name]) => name === end)))
    const places = inside.flatMap(edge => {
      const line = whole.edges.get(edgeKey(edge))
      return line === undefined ? [] : [[edgeKey(edge), line] as const]
    })
    const highest = Math.min(
      ...own.map(([, {y}]) => y - NODE_HEIGHT / 2),
      ...places.flatMap(([, {points, label}]) => [label.y - LABEL.height / 2, ...points.map(({y}) => y)])
    )
    const move = <T extends Point>(point: T): T => ({
      ...point,
      x: point.x - left + 2 * MARGIN,
      y: point.y - highest + top
    })
    for (const [name, place] of own) nodes.set(name, move(place))
    for (const [key, {points, label}] of places) lines.set(key, {points: points.map(move), label: move(label)})
    const ends = [
      ...own.map(([name]) => (nodes.get(name)?.y ?? 0) + NODE_HEIGHT / 2),
      ...places.flatMap(([key]) => (lines.get(key)?.points ?? []).map(({y}) => y))
    ]
    bottoms.push(Math.max(...ends))
    top = (bottoms[index] ?? 0) + (index === rows.length - 1 ? MARGIN : MARGIN + (next.length + 0.5) * LANE)
  }
  for (const [index, {next}] of rows.entries())
    for (const [lane, edge] of next.entries())
      lines.set(edgeKey(edge), between(nodes, edge, (bottoms[index] ?? 0) + MARGIN + (lane + 0.25) * LANE))
  return {width, height: top, nodes, edges: lines}
}

/** From the end of a row back to the beginning of the next one, at this y, with its label in the middle. */
function between(
  nodes: Layout['nodes'],
  {from, to}: GraphEdge,
  y: number
): {readonly points: readonly Point[]; readonly label: Point} {
  const [a = {x: 0, y: 0, width: 0}, b = a] = [nodes.get(from), nodes.get(to)]
  const [right, left] = [a.x + a.width / 2, b.x - b.width / 2]
  const [outside, inside] = [right + MARGIN, left - MARGIN]
  const points = [
    {x: right, y: a.y},
    {x: outside, y: a.y},
    {x: outside, y},
    {x: outside - MARGIN, y},
    {x: inside + MARGIN, y},
    {x: inside, y},
    {x: inside, y: b.y},
    {x: left, y: b.y}
  ]
  return {points, label: {x: (right + left) / 2, y}}
}
