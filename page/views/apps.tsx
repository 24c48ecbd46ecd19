import type * as Api from '../../src/model/api.generated.ts'
import {computed} from '@preact/signals'
import {useEffect} from 'preact/hooks'
import {AppMap} from '../parts/app-map.tsx'
import {RestartAll} from '../parts/app-actions.tsx'
import {count, duration, percent, rate} from '../parts/format.ts'
import {Grid, type Column} from '../parts/grid.tsx'
import {LatestCalls} from '../parts/latest-calls.tsx'
import {withoutColours} from '../parts/safe-text.ts'
import {Status} from '../parts/status.tsx'
import {rankOf, WORDS, wordOf, type Word} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {followLastLines, lastLines} from '../state/last-lines.ts'
import {go, hrefOf, route, setParameters} from '../state/route.ts'
import {appList, keyOf, runId, waiting} from '../state/run.ts'
import {incoming, NO_TRAFFIC} from '../state/traffic.ts'
import App from './app.tsx'

/** With more apps, the table has the whole page. */
const MAX_WITH_LATEST = 12
/** From so many apps on there is a map. */
const MIN_WITH_MAP = 40

/** What the filter says: words in names and states. */
const words = computed(() => (route.value.parameters.get('q') ?? '').toLowerCase())
const state = computed(() => route.value.parameters.get('state') ?? '')

const shown = computed(() =>
  appList.value
    .filter(app => `${keyOf(app)} ${wordOf(app)}`.toLowerCase().includes(words.value))
    .filter(app => state.value === '' || wordOf(app) === state.value)
    .toSorted((a, b) => rankOf(a) - rankOf(b))
)

/** How many apps are in which state. */
const counts = computed(() => {
  const found = new Map<Word, number>()
  for (const app of appList.value) found.set(wordOf(app), (found.get(wordOf(app)) ?? 0) + 1)
  return found
})

const trafficOf = ({id}: Api.App) => incoming.value.get(id) ?? NO_TRAFFIC

/** As the log has it: with its number, if it is not the first instance. */
const nameOf = ({id, instance}: Api.App): string => (instance === 1 ? id : `${id}.${instance}`)

const COLUMNS: readonly Column<Api.App>[] = [
  {head: 'State', name: 'state', cell: app => <Status app={app} />},
  {
    head: 'App',
    name: 'app',
    cell: app => (
      <a href={hrefOf('apps', [keyOf(app)])} tabIndex={-1}>
        {keyOf(app)}
      </a>
    )
  },
  {
    head: 'Calls in',
    name: 'in',
    alignsRight: true,
    cell: app => {
      const {perSecond} = trafficOf(app)
      return perSecond === 0 ? '–' : `${rate(perSecond)}/s`
    }
  },
  {
    head: 'Failed',
    name: 'failed',
    alignsRight: true,
    cell: app => {
      const {calls, failed} = trafficOf(app)
      return failed === 0 ? '–' : <b class="bad">{percent(failed, calls)}</b>
    }
  },
  {
    head: 'p95',
    name: 'p95',
    alignsRight: true,
    cell: app => {
      const {p95Ms} = trafficOf(app)
      return p95Ms === 0 ? '–' : duration(p95Ms)
    }
  },
  {
    head: 'Waiting',
    name: 'waits',
    alignsRight: true,
    cell: ({id}) => {
      const calls = waiting.value[id] ?? 0
      return calls === 0 ? '–' : <b class="busy">{count(calls)}</b>
    }
  },
  {
    head: 'Lives',
    name: 'lives',
    alignsRight: true,
    cell: ({restarts, pid, exitCode}) => (pid === 0 && exitCode === null ? '–' : restarts + 1)
  },
  {
    head: 'Up',
    name: 'up',
    alignsRight: true,
    cell: ({startedAt}) => (startedAt === null ? '–' : duration(Math.max(0, now.value - Date.parse(startedAt))))
  },
  {
    head: 'Last line',
    name: 'line',
    cell: app => {
      const {line = '', stream = null} = lastLines.value.get(nameOf(app)) ?? {}
      return <code class={stream === 'stderr' ? 'bad' : ''}>{withoutColours(line).slice(0, 200)}</code>
    }
  }
]

/** `#/apps` lists them, `#/apps/shop` shows one. */
export default function Apps() {
  useEffect(followLastLines, [])
  const [id] = route.value.rest
  return id === undefined ? <AppTable /> : <App key={`${runId.value} ${id}`} name={id} />
}

function AppTable() {
  const all = appList.value
  return (
    <>
      <div class="tools">
        <h1>Apps</h1>
        <input
          type="search"
          aria-label="Filter apps"
          placeholder="name or state"
          value={route.value.parameters.get('q') ?? ''}
          onInput={event => setParameters({q: event.currentTarget.value})}
        />
        <Chips />
        <RestartAll apps={shown.value} />
      </div>
      {all.length >= MIN_WITH_MAP && <AppMap apps={all} />}
      {shown.value.length > 0 && (
        <Grid
          name="apps"
          label="Apps"
          columns={COLUMNS}
          rows={shown.value}
          keyOf={keyOf}
          toneOf={app => (['crashed', 'backoff'].includes(wordOf(app)) ? 'bad' : '')}
          onOpen={app => go(hrefOf('apps', [keyOf(app)]))}
        />
      )}
      {all.length === 0 && <p class="empty">This run has no app.</p>}
      {all.length > 0 && shown.value.length === 0 && (
        <p class="empty">
          No app matches. <a href={hrefOf('apps')}>Show all</a>
        </p>
      )}
      {all.length <= MAX_WITH_LATEST && <LatestCalls key={runId.value} />}
    </>
  )
}

/** The states that there are: each counts its apps, and filters them. */
function Chips() {
  const found = Object.entries(WORDS).filter(([word]) => counts.value.has(word as Word))
  return (
    <>
      {found.map(([word, [shape, tone]]) => (
        <button
          key={word}
          type="button"
          class="chip"
          aria-pressed={state.value === word}
          onClick={() => setParameters({state: state.value === word ? '' : word})}
        >
          <span class={`status ${tone}`} aria-hidden="true">
            {shape}
          </span>{' '}
          {counts.value.get(word as Word)} {word}
        </button>
      ))}
    </>
  )
}
