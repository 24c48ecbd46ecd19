import {useMemo} from 'preact/hooks'
import {duration} from '../parts/format.ts'
import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {appList} from '../state/run.ts'
import {edgeKey, recentOf, type Graph, type GraphEdge} from './graph.ts'
import {labelOf, nameOf, sentenceOf} from './edge-text.ts'
import {layoutOf, NODE_HEIGHT, type Layout, type Point} from './layout.ts'

export interface PictureProps {
  readonly graph: Graph
  /** The key of the edge whose figures are shown. */
  readonly selected: string
  readonly onSelect: (edge: GraphEdge) => void
}

/** Apps in layers from left to right; edges are buttons. */
export default function Picture({graph, selected, onSelect}: PictureProps) {
  const {nodes, edges} = graph
  // figures change each second, places only with what there is
  const layout = useMemo(() => layoutOf(graph), [nodes.join('\0'), edges.map(edgeKey).join('\0\0')])
  return (
    <div class="picture box" tabIndex={0} role="region" aria-label="Picture of the graph">
      <svg
        id="graph-picture"
        role="group"
        aria-label="Graph of calls"
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8z" class="head" />
          </marker>
        </defs>
        {edges.map(edge => (
          <Edge
            key={edgeKey(edge)}
            edge={edge}
            place={layout.edges.get(edgeKey(edge))}
            isSelected={selected === edgeKey(edge)}
            onSelect={onSelect}
          />
        ))}
        {nodes.map(node => (
          <Node key={node} node={node} place={layout.nodes.get(node)} graph={graph} />
        ))}
      </svg>
    </div>
  )
}

interface EdgeProps {
  readonly edge: GraphEdge
  readonly place: (Layout['edges'] extends ReadonlyMap<string, infer Place> ? Place : never) | undefined
  readonly isSelected: boolean
  readonly onSelect: (edge: GraphEdge) => void
}

function Edge({edge, place, isSelected, onSelect}: EdgeProps) {
  if (place === undefined) return null
  const {points, label} = place
  const text = labelOf(edge)
  const isBad = recentOf(edge).failed > 0
  const tone = [isBad ? 'failing' : '', edge.isDeclared === false ? 'undeclared' : '', edge.figures ? '' : 'silent']
  return (
    <g
      class={`edge ${tone.join(' ')} ${isSelected ? 'selected' : ''}`}
      role="button"
      tabindex={0} // SVG knows it in small letters alone
      aria-pressed={isSelected}
      aria-label={sentenceOf(edge)}
      onClick={() => onSelect(edge)}
      onKeyDown={event => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        onSelect(edge)
      }}
    >
      <path d={lineThrough(points)} marker-end="url(#arrow)" />
      <rect x={label.x - 59} y={label.y - 10} width="118" height="20" rx="10" />
      <text x={label.x} y={label.y + 4}>
        {text}
      </text>
    </g>
  )
}

const at = ({x, y}: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`
const between = (a: Point, b: Point): Point => ({x: (a.x + b.x) / 2, y: (a.y + b.y) / 2})

/** A line with rounded corners. */
function lineThrough(points: readonly Point[]): string {
  const [first, ...others] = points
  if (first === undefined) return ''
  const curves = others.slice(0, -1).map((point, index) => {
    const next = others[index + 1] ?? point
    return `Q${at(point)} ${at(between(point, next))}`
  })
  return `M${at(first)}${curves.join('')}L${at(others.at(-1) ?? first)}`
}

interface NodeProps {
  readonly node: string
  readonly place: (Point & {readonly width: number}) | undefined
  readonly graph: Graph
}

function Node({node, place, graph}: NodeProps) {
  if (place === undefined) return null
  const app = appList.value.find(({id}) => id === node)
  const status = app && statusOf(app, now.value)
  const p95 = Math.max(0, ...graph.edges.filter(({to}) => to === node).map(({figures}) => figures?.p95Ms ?? 0))
  const words = [status === undefined ? 'not an app of this run' : `${status.shape} ${status.word}`]
  if (p95 > 0) words.push(`p95 ${duration(p95)}`)
  const [x, y] = [place.x - place.width / 2, place.y - NODE_HEIGHT / 2]
  const name = nameOf(node)
  const inside = (
    <>
      <title>{name}</title>
      <rect x={x} y={y} width={place.width} height={NODE_HEIGHT} rx="6" />
      <svg x={x + 10} y={y} width={place.width - 20} height={NODE_HEIGHT}>
        <text class="name" y="18">
          {name}
        </text>
      </svg>
      <text class="status" x={x + 10} y={y + 35}>
        {words.join(' · ')}
      </text>
    </>
  )
  return app === undefined ? (
    <g class="node other">{inside}</g>
  ) : (
    <a class={`node ${status?.tone ?? ''}`} href={hrefOf('apps', [node])} aria-label={`${name}, ${words.join(', ')}`}>
      {inside}
    </a>
  )
}
