import {useMemo} from 'preact/hooks'
import {Edge} from './edge.tsx'
import {edgeKey, type Graph, type GraphEdge} from './graph.ts'
import type {Groups} from './groups.ts'
import {isCrowded, layoutFor, MAX_NAME, READABLE} from './layout.ts'
import {Group, Node} from './node.tsx'
import {useBox, useViewport} from './viewport.ts'

export interface PictureProps {
  readonly graph: Graph
  /** The key of the edge whose figures are shown. */
  readonly selected: string
  readonly onSelect: (edge: GraphEdge) => void
  readonly groups: Groups
  readonly onOpenGroup: (name: string) => void
}

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
