import {duration} from '../parts/format.ts'
import {shortened, visible} from '../parts/safe-text.ts'
import {isDown, statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {appList, calleeOf} from '../state/run.ts'
import {asButton} from './edge.tsx'
import {isTopic, nameOf} from './edge-text.ts'
import type {Graph} from './graph.ts'
import {NODE_HEIGHT, type Point} from './layout.ts'

/** The p95 of the calls to an app, in ms, above which its box has another colour. */
const SLOW_MS = 500

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

export function Node({node, place, most, graph, onSeen}: NodeProps) {
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
export function Group({name, members, place, most, onOpen, onSeen}: GroupProps) {
  const all = appList.value.filter(app => members.includes(calleeOf(app)))
  const down = all.filter(isDown).length
  const text = members.every(isTopic)
    ? `${members.length} topics`
    : [`${members.length} apps`, down > 0 ? `✕ ${down} down` : '● none down'].join(' · ')
  return (
    <g
      class={`node group ${down > 0 ? 'bad' : ''}`}
      {...asButton(() => onOpen(name))}
      aria-label={`Open the group ${shortened(name, most)}, ${text}`}
      onFocus={() => onSeen(place)}
    >
      <Box place={place} most={most} name={visible(name)} text={text} />
    </g>
  )
}
