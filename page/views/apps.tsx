import type * as Api from '../../src/model/api.generated.ts'
import {computed} from '@preact/signals'
import {useEffect} from 'preact/hooks'
import {memoryText, isUp, STATES, troubleFirst, type StateWord} from '../../src/model/app-words.ts'
import {instanceName} from '../../src/model/plan.ts'
import {Address} from '../home/address.tsx'
import {Happenings} from '../home/happenings.tsx'
import {followTraffic, histories, HISTORY_MINUTES, NO_HISTORY} from '../home/traffic-history.ts'
import {followUsage, usage} from '../home/usage.ts'
import {actByKey, RowActions} from '../parts/app-actions.tsx'
import {count, duration, rate} from '../parts/format.ts'
import {Grid, type Column} from '../parts/grid.tsx'
import {late} from '../parts/late.tsx'
import {LatestCalls} from '../parts/latest-calls.tsx'
import {Name} from '../parts/name.tsx'
import {visible, withoutColours} from '../parts/safe-text.ts'
import {Sparkline} from '../parts/sparkline.tsx'
import {Status} from '../parts/status.tsx'
import {isDown, rankOf, statusOf, wordOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {followLastLines, lastLines} from '../state/last-lines.ts'
import {go, hrefOf, parameter, route, setParameters} from '../state/route.ts'
import {appList, calleeOf, keyOf, runId, troubles, waiting} from '../state/run.ts'
import {incoming, NO_TRAFFIC} from '../state/traffic.ts'

export const App = late(async () => ({default: (await import('./rest.ts')).App}))

/** The text to search in names and states, in lower case. */
const words = computed(() => parameter('q').toLowerCase())
const state = computed(() => parameter('state'))

const shown = computed(() =>
  troubleFirst(appList.value, wordOf)
    .filter(app => `${keyOf(app)} ${wordOf(app)}`.toLowerCase().includes(words.value))
    .filter(app => state.value === '' || wordOf(app) === state.value)
)

/** The number of apps in each state. */
const counts = computed(() => {
  const found = new Map<StateWord, number>()
  for (const app of appList.value) found.set(wordOf(app), (found.get(wordOf(app)) ?? 0) + 1)
  return found
})

const trafficOf = (app: Api.App) => incoming.value.get(calleeOf(app)) ?? NO_TRAFFIC

const sum = (all: readonly number[]): string => count(all.reduce((a, b) => a + b, 0))

/** Shows the calls of the last minutes as a line, with the failed ones as a second line of another colour. */
function Minutes({callee}: {readonly callee: string}) {
  const {calls, failed} = histories.value.get(callee) ?? NO_HISTORY
  if (calls.every(each => each === 0)) return null
  const label = `${sum(calls)} calls, ${sum(failed)} failed, in the last ${HISTORY_MINUTES} minutes`
  return <Sparkline values={calls} below={failed} label={label} />
}

/** The column of CPU is shown once an app uses this share of a core. */
const BUSY_PERCENT = 10

const upMs = ({startedAt}: Api.App): number => (startedAt === null ? 0 : Math.max(0, now.value - Date.parse(startedAt)))

const COLUMNS: readonly Column<Api.App>[] = [
  {
    head: 'App',
    name: 'app',
    sortBy: keyOf,
    fits: keyOf,
    cell: app => (
      <a href={hrefOf('apps', [keyOf(app)])} tabIndex={-1}>
        <Name name={keyOf(app)} />
      </a>
    )
  },
  {
    head: 'State',
    name: 'state',
    sortBy: rankOf,
    fits: app => `● ${statusOf(app, now.value).cell}`,
    cell: app => <Status app={app} />
  },
  {head: 'Open', name: 'open', isEmpty: ({appPort}) => appPort === 0, cell: app => <Address app={app} />},
  {
    head: 'Calls/s',
    name: 'in',
    isEmpty: app =>
      trafficOf(app).perSecond === 0 &&
      (histories.value.get(calleeOf(app)) ?? NO_HISTORY).calls.every(each => each === 0),
    alignsRight: true,
    title: `Calls to it, a second, in the last minute; a line of the last ${HISTORY_MINUTES} minutes`,
    sortBy: app => trafficOf(app).perSecond,
    cell: app => {
      const {perSecond} = trafficOf(app)
      return (
        <>
          <Minutes callee={calleeOf(app)} /> <span>{perSecond === 0 ? '–' : rate(perSecond)}</span>
        </>
      )
    }
  },
  {
    head: 'Failed',
    name: 'failed',
    isEmpty: app => trafficOf(app).failed === 0,
    alignsRight: true,
    title: 'Of the calls to it in the last minute',
    sortBy: app => trafficOf(app).failed,
    cell: app => {
      const {calls, failed} = trafficOf(app)
      return failed === 0 ? (
        '–'
      ) : (
        <b class="bad">
          {count(failed)}
          <i> of {count(calls)}</i>
        </b>
      )
    }
  },
  {
    head: 'p95',
    name: 'p95',
    isEmpty: app => trafficOf(app).p95Ms === 0,
    alignsRight: true,
    title: '95 of 100 calls to it took no longer, in the last minute',
    sortBy: app => trafficOf(app).p95Ms,
    cell: app => {
      const {p95Ms} = trafficOf(app)
      return p95Ms === 0 ? '–' : duration(p95Ms)
    }
  },
  {
    head: 'Waiting',
    name: 'waits',
    isEmpty: ({id}) => (waiting.value.get(id) ?? 0) === 0,
    alignsRight: true,
    title: 'Calls that wait for it now',
    sortBy: ({id}) => waiting.value.get(id) ?? 0,
    cell: ({id}) => {
      const calls = waiting.value.get(id) ?? 0
      return calls === 0 ? '–' : <b class="busy">{count(calls)}</b>
    }
  },
  {
    head: 'Restarts',
    name: 'lives',
    isEmpty: ({restarts}) => restarts === 0,
    alignsRight: true,
    sortBy: ({restarts}) => restarts,
    cell: ({restarts}) => (restarts === 0 ? '–' : restarts)
  },
  {
    head: 'Memory',
    name: 'memory',
    isEmpty: ({pid}) => !usage.value.has(pid),
    alignsRight: true,
    title: 'Resident memory of its processes',
    sortBy: ({pid}) => usage.value.get(pid)?.memoryBytes ?? 0,
    cell: ({pid}) => {
      const used = usage.value.get(pid)
      return pid === 0 || used === undefined ? '–' : memoryText(used.memoryBytes)
    }
  },
  {
    head: 'CPU',
    name: 'cpu',
    isEmpty: ({pid}) => (usage.value.get(pid)?.cpu ?? 0) < BUSY_PERCENT,
    alignsRight: true,
    title: 'In percent of one core, now',
    sortBy: ({pid}) => usage.value.get(pid)?.cpu ?? 0,
    cell: ({pid}) => {
      const cpu = pid === 0 ? undefined : usage.value.get(pid)?.cpu
      return cpu === undefined ? '–' : `${cpu < 10 ? cpu.toFixed(1) : Math.round(cpu)} %`
    }
  },
  {
    head: 'Up',
    name: 'up',
    alignsRight: true,
    sortBy: upMs,
    cell: app => (app.startedAt === null ? '–' : duration(upMs(app)))
  },
  {
    head: 'Last error, or line',
    name: 'line',
    title: 'Of an app that is down: why',
    cell: app => {
      const {id, version, instance, isMain} = app
      const [plain, own] = [instanceName(id, instance), instanceName(`${id}_${version}`, instance)]
      // all versions of an app have one name, and their lines another one
      const trouble = troubles.value.find(
        each =>
          each.name === plain &&
          !each.isOver &&
          (each.kind === 'calls' ? isMain : !isUp(app) && each.version === version)
      )
      const error = trouble?.error ?? ''
      if (error !== '') return <code class="level error">{visible(error)}</code>
      const {line = '', level = ''} =
        lastLines.value.get(own) ?? (isMain ? lastLines.value.get(plain) : undefined) ?? {}
      return <code class={`level ${level}`}>{withoutColours(line).slice(0, 200)}</code>
    }
  },
  {head: 'Actions', name: 'does', cell: app => <RowActions app={app} />}
]

/** Shows the table of apps (`#/apps`) or one app (`#/apps/shop`). */
export default function Apps() {
  useEffect(followLastLines, [])
  useEffect(followTraffic, [])
  useEffect(followUsage, [])
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
          value={parameter('q')}
          onInput={event => setParameters({q: event.currentTarget.value})}
        />
        <Chips />
      </div>
      {shown.value.length > 0 && (
        <Grid
          name="apps"
          label="Apps"
          columns={COLUMNS}
          rows={shown.value}
          keyOf={keyOf}
          keepsPlaces
          toneOf={app => (isDown(app) ? 'bad' : '')}
          onOpen={app => go(hrefOf('apps', [keyOf(app)]))}
          onKey={actByKey}
        />
      )}
      {all.length === 0 && <p class="empty">This run has no app.</p>}
      {all.length > 0 && shown.value.length === 0 && (
        <p class="empty">
          No app matches. <a href={hrefOf('apps')}>Show all</a>
        </p>
      )}
      <div class="just-now">
        <LatestCalls key={runId.value} />
        <Happenings />
      </div>
    </>
  )
}

/** Shows a button for each state that occurs, which counts its apps and filters them; nothing if all apps have one state. */
function Chips() {
  const found = Object.entries(STATES).filter(([word]) => counts.value.has(word as StateWord))
  if (found.length < 2 && state.value === '') return null
  return (
    <>
      {found.map(([word, [sign, tone]]) => (
        <button
          key={word}
          type="button"
          class="chip"
          aria-pressed={state.value === word}
          onClick={() => setParameters({state: state.value === word ? '' : word})}
        >
          <span class={`status ${tone}`} aria-hidden="true">
            {sign}
          </span>{' '}
          {counts.value.get(word as StateWord)} {word}
        </button>
      ))}
    </>
  )
}
