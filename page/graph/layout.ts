import {graphlib, layout} from '@dagrejs/dagre'
import {edgeKey, type Graph} from './graph.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Where everything is, in CSS pixels; nodes and labels by their centres. */
export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: ReadonlyMap<string, Point & {readonly width: number}>
  readonly edges: ReadonlyMap<string, {readonly points: readonly Point[]; readonly label: Point}>
}

export const NODE_HEIGHT = 44
/** Room for `12.6/s ✕ 31 % ⚡`. */
const LABEL = {width: 118, height: 20}
/** Of a character at most. */
const CHARACTER = 8.2
const MAX_NODE = 260

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

/** Layers from left to right; labels have a place of their own on their edge. */
export function layoutOf({nodes, edges}: Graph): Layout {
  const drawing = new NewDrawing()
  drawing.setGraph({rankdir: 'LR', nodesep: 26, ranksep: 30, edgesep: 14, marginx: 12, marginy: 12})
  for (const node of nodes)
    drawing.setNode(node, {width: Math.min(MAX_NODE, Math.max(160, node.length * CHARACTER + 24)), height: NODE_HEIGHT})
  for (const {from, to} of edges) drawing.setEdge(from, to, {...LABEL, labelpos: 'c'})
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
