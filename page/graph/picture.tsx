import {useMemo} from 'preact/hooks'
import {duration} from '../parts/format.ts'
import {shortened, visible} from '../parts/safe-text.ts'
import {isDown, statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {appList, calleeOf} from '../state/run.ts'
import {edgeKey, recentOf, type Graph, type GraphEdge} from './graph.ts'
import {isTopic, labelOf, nameOf, sentenceOf, widthOf} from './edge-text.ts'
import type {Groups} from './groups.ts'
import {useBox, useViewport} from './viewport.ts'
import {
  BEND,
  isCrowded,
  LABEL,
  layoutFor,
  MAX_NAME,
  NODE_HEIGHT,
  READABLE,
  SHORT_LABEL,
  type Layout,
  type Point
} from './layout.ts'

export interface PictureProps {
  readonly graph: Graph
  /** The key of the edge whose figures are shown. */
  readonly selected: string
  readonly onSelect: (edge: GraphEdge) => void
  readonly groups: Groups
  readonly onOpenGroup: (name: string) => void
}

/** The p95 of the calls to an app, in ms, above which its box has another colour. */
const SLOW_MS = 500

/** The number of characters of a name that have room in its box when they are not enlarged. */
const MAX_NEAR = 30

/** The step in px at which another size of the box may change the places of nodes. */
const STEP = 100

/** Shows nodes in layers; edges are buttons. */
export default function Picture({graph, selected, onSelect, groups, onOpenGroup}: PictureProps) {
  const {nodes, edges} = graph
  // figures change each second, positions only when nodes or edges come or go
  const known = [nodes.join('\0'), edges.map(edgeKey).join('\0\0')]
  const {box, size} = useBox()
  const steps = [size.width, size.height].map(length => Math.round(length / STEP))
  const layout = useMemo(() => layoutFor(graph, size), [...known, ...steps])
  const {view, zoom, fit, show, onKeyDown, onPointerDown} = useViewport(layout, {box, size})
  const {x, y, scale} = view
  const isDistant = scale < READABLE
  const most = isDistant ? MAX_NAME : MAX_NEAR
  return (
    <div class="picture box">
      <div class="zoom">
        <button type="button" aria-label="Zoom in" title="Key: +" onClick={() => zoom(1.3)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" title="Key: -" onClick={() => zoom(1 / 1.3)}>
          −
        </button>
        <button type="button" title="Key: 0" onClick={fit}>
          Fit
        </button>
      </div>
      <div
        ref={box}
        class={`canvas ${isDistant ? 'distant' : ''}`}
        tabIndex={0}
        role="region"
        aria-label="Picture of the graph"
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
      >
        <svg
          role="group"
          aria-label="Graph of calls"
          width={size.width}
          height={size.height}
          viewBox={`${x} ${y} ${size.width / scale} ${size.height / scale}`}
        >
          <defs>
            <marker
              id="arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="10"
              markerHeight="10"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0 0L8 4L0 8z" class="head" />
            </marker>
          </defs>
          {edges.map(edge => (
            <Edge
              key={edgeKey(edge)}
              edge={edge}
              place={layout.edges.get(edgeKey(edge))}
              isSelected={selected === edgeKey(edge)}
              isShort={isDistant || isCrowded(graph)}
              onSelect={onSelect}
              onSeen={show}
            />
          ))}
          {nodes.map(node => {
            const place = layout.nodes.get(node)
            const members = groups.get(node)
            if (place === undefined) return null
            return members === undefined ? (
              <Node key={node} node={node} place={place} most={most} graph={graph} onSeen={show} />
            ) : (
              <Group
                key={node}
                name={node}
                members={members}
                place={place}
                most={most}
                onOpen={onOpenGroup}
                onSeen={show}
              />
            )
          })}
        </svg>
      </div>
    </div>
  )
}

interface EdgeProps {
  readonly edge: GraphEdge
  readonly place: (Layout['edges'] extends ReadonlyMap<string, infer Found> ? Found : never) | undefined
  readonly isSelected: boolean
  /** Whether the label has no room for more than the rate and the share of failures. */
  readonly isShort: boolean
  readonly onSelect: (edge: GraphEdge) => void
  /** Called with the place of the edge's label when the edge gets the focus. */
  readonly onSeen: (place: Point) => void
}

/** Returns a keydown handler that calls `press` on Enter or Space, as a button does. */
const pressing =
  (press: () => void) =>
  (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    press()
  }

function Edge({edge, place, isSelected, isShort, onSelect, onSeen}: EdgeProps) {
  if (place === undefined) return null
  const {points, label} = place
  const text = labelOf(edge, isShort)
  const {width, height} = isShort ? SHORT_LABEL : LABEL
  if (text === '')
    return (
      <g class="edge silent" role="img" aria-label={sentenceOf(edge)}>
        <path d={lineThrough(points)} marker-end="url(#arrow)" />
      </g>
    )
  const isBad = recentOf(edge).failed > 0
  const tone = [isBad ? 'failing' : '', edge.isDeclared === false ? 'undeclared' : '', edge.figures ? '' : 'silent']
  return (
    <g
      class={`edge ${tone.join(' ')} ${isSelected ? 'selected' : ''}`}
      role="button"
      tabindex={0} // only the lower-case attribute works on SVG elements
      aria-pressed={isSelected}
      aria-label={sentenceOf(edge)}
      onClick={() => onSelect(edge)}
      onFocus={() => onSeen(label)}
      onKeyDown={pressing(() => onSelect(edge))}
    >
      <path d={lineThrough(points)} stroke-width={widthOf(edge)} marker-end="url(#arrow)" />
      <path class="hit" d={lineThrough(points)} />
      <rect x={label.x - width / 2} y={label.y - height / 2} width={width} height={height} rx="10" />
      <text x={label.x} y={label.y} dominant-baseline="central">
        {text}
      </text>
    </g>
  )
}

const at = ({x, y}: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`

/** Returns the path of a line with rounded corners. */
function lineThrough(points: readonly Point[]): string {
  const [first, ...others] = points
  if (first === undefined) return ''
  const curves = others.slice(0, -1).map((point, index) => {
    const [before, next] = [points[index] ?? point, others[index + 1] ?? point]
    return `L${at(near(point, before))}Q${at(point)} ${at(near(point, next))}`
  })
  return `M${at(first)}${curves.join('')}L${at(others.at(-1) ?? first)}`
}

/** Returns where the curve of a corner begins on the way to another point: at most halfway, as the other end may have a curve, too. */
function near(corner: Point, {x, y}: Point): Point {
  const length = Math.hypot(x - corner.x, y - corner.y)
  const part = length === 0 ? 0 : Math.min(0.5, BEND / length)
  return {x: corner.x + part * (x - corner.x), y: corner.y + part * (y - corner.y)}
}

interface NodeProps {
  readonly node: string
  readonly place: Place
  readonly most: number
  readonly graph: Graph
  readonly onSeen: (place: Point) => void
}

type Place = Point & {readonly width: number}

interface BoxProps {
  readonly place: Place
  /** The number of characters of the name that are shown. */
  readonly most: number
  readonly name: string
  readonly text: string
  /** Whether the box is a topic rather than an app. */
  readonly isRound?: boolean
}

/** Shows a box with two lines of text. */
function Box({place, most, name, text, isRound = false}: BoxProps) {
  const [x, y] = [place.x - place.width / 2, place.y - NODE_HEIGHT / 2]
  const inset = isRound ? 20 : 10
  return (
    <>
      <title>{name}</title>
      <rect x={x} y={y} width={place.width} height={NODE_HEIGHT} rx={isRound ? NODE_HEIGHT / 2 : 8} />
      <svg x={x + inset} y={y} width={place.width - 2 * inset} height={NODE_HEIGHT}>
        <text class="name" y="18">
          {shortened(name, most)}
        </text>
      </svg>
      <text class="status" x={x + inset} y={y + 35}>
        {text}
      </text>
    </>
  )
}

function Node({node, place, most, graph, onSeen}: NodeProps) {
  const app = appList.value.find(each => calleeOf(each) === node)
  const status = app && statusOf(app, now.value)
  const p95 = Math.max(0, ...graph.edges.filter(({to}) => to === node).map(({figures}) => figures?.recent.p95Ms ?? 0))
  const other = isTopic(node) ? 'topic' : 'not an app of this run'
  const words = [status === undefined ? other : `${status.sign} ${status.word}`]
  if (p95 > 0) words.push(`p95 ${duration(p95)}`)
  const name = nameOf(node)
  const inside = <Box place={place} most={most} name={name} text={words.join(' · ')} isRound={isTopic(node)} />
  return app === undefined ? (
    <g class={`node other ${isTopic(node) ? 'topic' : ''}`}>{inside}</g>
  ) : (
    <a
      class={`node ${status?.tone ?? ''} ${p95 > SLOW_MS ? 'slow' : ''}`}
      href={hrefOf('apps', [node])}
      // it begins with the text that is seen, as voice control needs (WCAG 2.5.3)
      aria-label={`${shortened(name, most)}, ${words.join(', ')}`}
      onFocus={() => onSeen(place)}
    >
      {inside}
    </a>
  )
}

interface GroupProps {
  readonly name: string
  readonly members: readonly string[]
  readonly place: Place
  readonly most: number
  readonly onOpen: (name: string) => void
  readonly onSeen: (place: Point) => void
}

/** Shows a group of nodes as one box; it is marked as bad if any of its apps is down. */
function Group({name, members, place, most, onOpen, onSeen}: GroupProps) {
  const all = appList.value.filter(app => members.includes(calleeOf(app)))
  const down = all.filter(isDown).length
  const text = members.every(isTopic)
    ? `${members.length} topics`
    : [`${members.length} apps`, down > 0 ? `✕ ${down} down` : '● none down'].join(' · ')
  return (
    <g
      class={`node group ${down > 0 ? 'bad' : ''}`}
      role="button"
      tabindex={0}
      aria-label={`Open the group ${shortened(name, most)}, ${text}`}
      onClick={() => onOpen(name)}
      onFocus={() => onSeen(place)}
      onKeyDown={pressing(() => onOpen(name))}
    >
      <Box place={place} most={most} name={visible(name)} text={text} />
    </g>
  )
}
