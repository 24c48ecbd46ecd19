import type * as Api from '../../src/model/api.generated.ts'
import {dependsText, isTopic, nameOf} from '../graph/edge-text.ts'
import {EXPORTS} from '../graph/export-graph.ts'
import {around, edgeKey, graphOf, recentOf, type Graph as GraphModel, type GraphEdge} from '../graph/graph.ts'
import {grouped, groupsOf, MAX_UNGROUPED} from '../graph/groups.ts'
import {EdgeTable, Matrix} from '../graph/tables.tsx'
import {QuickFaults} from '../faults/quick-faults.tsx'
import {count, duration} from '../parts/format.ts'
import {firstCall} from '../parts/first-call.ts'
import {late} from '../parts/late.tsx'
import {api} from '../state/api.ts'
import {useAsked} from '../state/asked.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {hrefOf, parameter, setParameters} from '../state/route.ts'
import {apps, edges} from '../state/run.ts'

/** The picture; its code and that of the layout are loaded when it is shown first. */
const Picture = late(async () => import('../graph/picture.tsx'))

/** The choices for how many calls away from the focused app others may be. */
const STEPS = ['1', '2', '3'] as const

const FORMS = ['picture', 'matrix', 'list'] as const

const within = (): string => STEPS.find(each => each === parameter('within')) ?? '1'

/** Loads the graph, again when apps or edges come or go; their figures arrive as events. */
const useGraph = () =>
  useAsked(
    async signal => api.ask('GET /graph', {signal}),
    [[...apps.value.keys(), ...edges.value.map(edgeKey)].toSorted().join('\n')]
  )

const KEYS: readonly Key[] = [{keys: 'Escape', text: 'Close the figures', run: () => setParameters({edge: ''})}]

export default function Graph() {
  useKeys(KEYS)
  const view = useGraph()
  if (typeof view !== 'object')
    return (
      <div class={`empty ${view === undefined ? '' : 'box'}`}>
        <h1 class="unseen">Graph</h1>
        <p>{view === undefined ? 'Asking the run …' : view}</p>
      </div>
    )
  const whole = graphOf(view, edges.value)
  const focus = parameter('focus')
  const graph = focus === '' ? whole : around(whole, focus, Number(within()))
  const opened = parameter('open').split(',')
  const all = groupsOf(graph.nodes)
  const groups = new Map([...all].filter(([name]) => !opened.includes(name)))
  // a picture of many nodes without groups is unreadable
  const isLarge = graph.nodes.length > MAX_UNGROUPED && all.size === 0
  const form = FORMS.find(each => each === parameter('as')) ?? (isLarge ? 'matrix' : 'picture')
  const selected = parameter('edge')
  const drawn = form === 'picture' ? grouped(graph, groups) : graph
  const edge = [...drawn.edges, ...graph.edges].find(each => selected === `${each.from} ${each.to}`)
  const command = firstCall()
  const props = {
    graph: drawn,
    selected: edge === undefined ? '' : edgeKey(edge),
    onSelect: ({from, to}: GraphEdge) => setParameters({edge: selected === `${from} ${to}` ? '' : `${from} ${to}`}),
    groups,
    onOpenGroup: (name: string) => setParameters({open: [...opened, name].filter(each => each !== '').join(',')})
  }
  return (
    <>
      <Tools view={view} whole={whole} form={form} />
      {form === 'picture' && [...all.keys()].some(name => opened.includes(name)) && (
        <p class="tools">
          Open groups:
          {[...all.keys()]
            .filter(name => opened.includes(name))
            .map(name => (
              <button
                key={name}
                type="button"
                aria-label={`Close the group ${name}`}
                onClick={() => setParameters({open: opened.filter(each => each !== name).join(',')})}
              >
                {name} ✕
              </button>
            ))}
        </p>
      )}
      {whole.edges.every(({figures}) => figures === undefined) && (
        <div class="empty">
          <p>No app has called another one yet. {command === '' ? 'Use the app.' : 'Use the app, or make a call:'}</p>
          {command !== '' && <pre>{command}</pre>}
        </div>
      )}
      {form === 'picture' && <Picture {...props} />}
      {form === 'matrix' && <Matrix {...props} graph={graph} />}
      {edge !== undefined && <Figures edge={edge} isGroup={all.has(edge.from) || all.has(edge.to)} />}
      {graph.edges.length > 0 && <EdgeTable {...props} graph={graph} />}
    </>
  )
}

interface ToolsProps {
  readonly view: Api.Graph
  readonly whole: GraphModel
  readonly form: string
}

function Tools({view, whole, form}: ToolsProps) {
  return (
    <div class="tools">
      <h1>Graph</h1>
      <select
        aria-label="Focus on an app"
        value={parameter('focus')}
        onChange={event => setParameters({focus: event.currentTarget.value})}
      >
        <option value="">all apps</option>
        {whole.nodes.map(node => (
          <option key={node} value={node}>
            {nameOf(node)}
          </option>
        ))}
      </select>
      {parameter('focus') !== '' && (
        <select
          aria-label="Maximum number of calls"
          value={within()}
          onChange={event => setParameters({within: event.currentTarget.value})}
        >
          {STEPS.map(steps => (
            <option key={steps} value={steps}>
              within {steps}
            </option>
          ))}
        </select>
      )}
      {FORMS.map(each => (
        <button key={each} type="button" aria-pressed={form === each} onClick={() => setParameters({as: each})}>
          {each}
        </button>
      ))}
      <select
        class="far"
        aria-label="Export"
        value=""
        onChange={event => {
          EXPORTS[event.currentTarget.value]?.(view)
          event.currentTarget.value = ''
        }}
      >
        <option value="">Export …</option>
        {Object.keys(EXPORTS).map(format => (
          <option key={format} value={format}>
            {format}
          </option>
        ))}
      </select>
    </div>
  )
}

function Figures({edge, isGroup}: {readonly edge: GraphEdge; readonly isGroup: boolean}) {
  const {from, to, figures} = edge
  const {perSecond, failed} = recentOf(edge)
  const all = figures?.failed ?? 0
  const title = `${nameOf(from)} → ${nameOf(to)}`
  const q = [from && `from:${from}`, to && `to:${to}`].filter(word => word !== '').join(' ')
  return (
    <section class="box figures-of" aria-label={title}>
      <h2>{title}</h2>
      <p>
        {count(perSecond)}/s, {count(figures?.calls ?? 0)} in total,{' '}
        <span class={failed > 0 ? 'bad' : ''}>
          {failed > 0 || all === 0 ? `${failed.toFixed(1)} % failed` : `${count(all)} failed`}
        </span>
        {figures !== undefined && `, p50 ${duration(figures.p50Ms)}, p95 ${duration(figures.p95Ms)}`}
      </p>
      {dependsText(edge) !== '' && <p class="soft">{dependsText(edge)}</p>}
      {!isGroup && (
        <a class="button" href={hrefOf('calls', [], {q})}>
          Its calls
        </a>
      )}
      {!isGroup && !isTopic(to) && to !== '' && <QuickFaults from={from} to={to} />}
      <button type="button" aria-label="Close the figures" onClick={() => setParameters({edge: ''})}>
        ✕
      </button>
    </section>
  )
}
