import t from 'tap'
import type {GraphEdge} from '../../../page/graph/graph.ts'
import {folded} from '../../../page/graph/fold.ts'
import {layersOf, NODE_HEIGHT, type Layout} from '../../../page/graph/layout.ts'

const WIDE = {width: 1400, height: 350}
const PHONE = {width: 344, height: 480}

const edgeOf = (from: number, to: number): GraphEdge => ({
  from: `app-${from}`,
  to: `app-${to}`,
  figures: undefined,
  isDeclared: true
})

const chain = (count: number): readonly GraphEdge[] => Array.from({length: count - 1}, (_, n) => edgeOf(n, n + 1))

const layersWith = (edges: readonly GraphEdge[]): Layout =>
  layersOf({nodes: [...new Set(edges.flatMap(({from, to}) => [from, to]))], edges})

/** How many rows there are: places that begin further left than the one before. */
const rowsIn = ({nodes}: Layout): number => {
  const xs = [...nodes.values()].map(({x}) => x)
  return 1 + xs.filter((x, index) => x < (xs[index - 1] ?? 0)).length
}

const scaleOf = ({width, height}: Layout, box: typeof WIDE): number =>
  Math.min(1, box.width / width, box.height / height)

t.test('a long chain stands in rows, larger than in one line, in a wide box and on a phone', t => {
  const edges = chain(12)
  const line = layersWith(edges)
  for (const box of [WIDE, PHONE]) {
    const rows = folded(line, edges, box)
    t.ok(rowsIn(rows) > 1)
    t.ok(scaleOf(rows, box) > 1.25 * scaleOf(line, box), `${scaleOf(line, box)} → ${scaleOf(rows, box)}`)
    t.equal(rows.nodes.size, 12)
    t.equal(rows.edges.size, 11)
    const places = [...rows.nodes.values()]
    for (const {x, y, width} of places) {
      t.ok(x - width / 2 >= 0 && x + width / 2 <= rows.width, 'within its width')
      t.ok(y - NODE_HEIGHT / 2 >= 0 && y + NODE_HEIGHT / 2 <= rows.height, 'within its height')
      const over = places.filter(
        other =>
          Math.abs(other.x - x) < (other.width + width) / 2 && Math.abs(other.y - y) < NODE_HEIGHT && other.x !== x
      )
      t.same(over, [], 'over no other')
    }
    for (const {points, label} of rows.edges.values())
      for (const {x, y} of [label, ...points])
        t.ok(x >= 0 && x <= rows.width && y >= 0 && y <= rows.height, 'an edge within the picture')
  }
  t.end()
})

t.test('what fits, what is no larger in rows, and a tangle stay as they are', t => {
  const short = layersWith(chain(3))
  t.equal(folded(short, chain(3), WIDE), short, 'it fits')
  const back = [...chain(12), edgeOf(11, 0)]
  const cycle = layersWith(back)
  t.equal(folded(cycle, back, WIDE), cycle, 'an edge leads over all of it')
  const tall = Array.from({length: 30}, (_, n) => edgeOf(0, n + 1))
  const fan = layersWith(tall)
  t.equal(folded(fan, tall, WIDE), fan, 'it is high already')
  t.equal(folded(short, chain(3), {width: 0, height: 0}), short, 'a box that is not drawn yet')
  const none = layersWith([])
  t.equal(folded(none, [], WIDE), none, 'nothing')
  t.end()
})

t.test('a tree with a long tail is cut where one edge leads on', t => {
  const edges = [...chain(10), edgeOf(0, 20), edgeOf(0, 21), edgeOf(20, 22)]
  const rows = folded(layersWith(edges), edges, WIDE)
  t.ok(rowsIn(rows) > 1)
  t.equal(rows.nodes.size, 13)
  t.equal(rows.edges.size, 12)
  t.end()
})
