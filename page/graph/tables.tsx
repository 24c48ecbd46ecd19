import {count, duration} from '../parts/format.ts'
import {Name} from '../parts/name.tsx'
import {dependsText, failedText, isFaulty, labelOf, nameOf, sentenceOf} from './edge-text.ts'
import {edgeKey, recentOf, type Graph, type GraphEdge} from './graph.ts'

interface TableProps {
  readonly graph: Graph
  readonly selected: string
  readonly onSelect: (edge: GraphEdge) => void
}

/** Shows all edges as a table, the busiest first. */
export function EdgeTable({graph, selected, onSelect}: TableProps) {
  const edges = graph.edges.toSorted((a, b) => (b.figures?.calls ?? 0) - (a.figures?.calls ?? 0))
  const isCompared = edges.some(edge => dependsText(edge) !== '')
  const hasWaited = edges.some(({figures}) => (figures?.waited ?? 0) > 0)
  return (
    <div class="scroll box edges" role="region" aria-label="Calls between apps" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            {['From', 'To', ...(isCompared ? ['dependsOn'] : [])].map(head => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {['Per second', 'Total', 'Failed', 'p50', 'p95', ...(hasWaited ? ['Waited'] : [])].map(head => (
              <th key={head} scope="col" class="right">
                {head}
              </th>
            ))}
            <th scope="col">More</th>
          </tr>
        </thead>
        <tbody>
          {edges.map(edge => {
            const {figures} = edge
            const {perSecond, failed} = recentOf(edge)
            return (
              <tr key={edgeKey(edge)}>
                <td class="edge">
                  <Name name={nameOf(edge.from)} />
                </td>
                <td class="edge">
                  <Name name={nameOf(edge.to)} /> {isFaulty(edge) && '⚡'}
                </td>
                {isCompared && <td>{dependsText(edge)}</td>}
                <td class="right">{perSecond === 0 ? '–' : count(perSecond)}</td>
                <td class="right">{count(figures?.calls ?? 0)}</td>
                <td class={`right ${failed > 0 ? 'bad' : ''}`}>{failedText(edge)}</td>
                <td class="right">{figures === undefined ? '–' : duration(figures.p50Ms)}</td>
                <td class="right">
                  {figures === undefined || figures.recent.p95Ms === 0 ? '–' : duration(figures.recent.p95Ms)}
                </td>
                {hasWaited && (
                  <td class="right">{figures === undefined || figures.waited === 0 ? '–' : count(figures.waited)}</td>
                )}
                <td>
                  <button
                    type="button"
                    aria-pressed={selected === edgeKey(edge)}
                    aria-label={`Figures of ${nameOf(edge.from)} to ${nameOf(edge.to)}`}
                    onClick={() => onSelect(edge)}
                  >
                    Figures
                  </button>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** The number of rows and columns above which a matrix is cut off. */
const MAX_SIDE = 60

/** Shows the edges as a matrix: the app of a row calls that of a column. */
export function Matrix({graph, selected, onSelect}: TableProps) {
  const callers = [...new Set(graph.edges.map(({from}) => from))].slice(0, MAX_SIDE)
  const callees = [...new Set(graph.edges.map(({to}) => to))].slice(0, MAX_SIDE)
  const found = new Map(graph.edges.map(edge => [edgeKey(edge), edge]))
  return (
    <div class="scroll box matrix" role="region" aria-label="Matrix of calls" tabIndex={0}>
      <table>
        <caption>Rows call columns</caption>
        <thead>
          <tr>
            <td />
            {callees.map(callee => (
              <th key={callee} scope="col">
                <span>{nameOf(callee)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {callers.map(caller => (
            <tr key={caller}>
              <th scope="row">{nameOf(caller)}</th>
              {callees.map(callee => {
                const edge = found.get(edgeKey({from: caller, to: callee}))
                return (
                  <td key={callee}>
                    {edge !== undefined && (
                      <button
                        type="button"
                        class={recentOf(edge).failed > 0 ? 'bad' : ''}
                        aria-pressed={selected === edgeKey(edge)}
                        aria-label={sentenceOf(edge)}
                        onClick={() => onSelect(edge)}
                      >
                        {labelOf(edge)}
                      </button>
                    )}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
