import {computed} from '@preact/signals'
import {useEffect} from 'preact/hooks'
import {STATES, troubleFirst, type StateWord} from '../../src/model/app-words.ts'
import {COLUMNS} from '../home/app-columns.tsx'
import {Happenings} from '../home/happenings.tsx'
import {followTraffic} from '../home/traffic-history.ts'
import {followUsage} from '../home/usage.ts'
import {actByKey} from '../parts/app-actions.tsx'
import {Grid} from '../parts/grid.tsx'
import {late} from '../parts/late.tsx'
import {LatestCalls} from '../parts/latest-calls.tsx'
import {isDown, wordOf} from '../state/app-status.ts'
import {followLastLines} from '../state/last-lines.ts'
import {go, hrefOf, parameter, route, setParameters} from '../state/route.ts'
import {appList, keyOf, runId} from '../state/run.ts'

export const App = late(async () => ({default: (await import('./rest.ts')).App}))

/** The text to search in names and states, in lower case. */
const words = computed(() => parameter('q').toLowerCase())
const state = computed(() => parameter('state'))

const shown = computed(() =>
  troubleFirst(appList.value, wordOf)
    .filter(app => `${keyOf(app)} ${wordOf(app)}`.toLowerCase().includes(words.value))
    .filter(app => state.value === '' || wordOf(app) === state.value)
)

/** The apps in each state. */
const byState = computed(() => Map.groupBy(appList.value, wordOf))

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
  const found = Object.entries(STATES).filter(([word]) => byState.value.has(word as StateWord))
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
          {byState.value.get(word as StateWord)?.length} {word}
        </button>
      ))}
    </>
  )
}
