import {labelOf, sentenceOf, widthOf} from './edge-text.ts'
import {recentOf, type GraphEdge} from './graph.ts'
import {BEND, LABEL, SHORT_LABEL, type Layout, type Point} from './layout.ts'

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

/** Shows a line with its label; one with figures is a button. */
export function Edge({edge, place, isSelected, isShort, onSelect, onSeen}: EdgeProps) {
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
      {...asButton(() => onSelect(edge))}
      aria-pressed={isSelected}
      aria-label={sentenceOf(edge)}
      onFocus={() => onSeen(label)}
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

/** Returns the properties by which an SVG element is pressed as a button is: by a click, Enter or Space. */
export const asButton = (press: () => void) => ({
  role: 'button' as const,
  tabindex: 0, // only the lower-case attribute works on SVG elements
  onClick: press,
  onKeyDown: (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    press()
  }
})
