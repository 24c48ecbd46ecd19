import {computed} from '@preact/signals'
import {Grid, type Column} from '../parts/grid.tsx'
import {count, duration, percent} from '../parts/format.ts'
import {LatestCalls} from '../parts/latest-calls.tsx'
import {Status} from '../parts/status.tsx'
import {rankOf, wordOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {go, hrefOf, route, setParameters} from '../state/route.ts'
import {appList, edges, keyOf, type AppView} from '../state/run.ts'

/** Calls to each app in the last seconds. */
const incoming = computed(() => {
  const found = new Map<string, {perSecond: number; calls: number; failed: number; p95Ms: number}>()
  for (const {to, recent, p95Ms} of edges.value) {
    const sum = found.get(to) ?? {perSecond: 0, calls: 0, failed: 0, p95Ms: 0}
    sum.perSecond += recent.calls / recent.seconds
    sum.calls += recent.calls
    sum.failed += recent.failed
    sum.p95Ms = Math.max(sum.p95Ms, p95Ms)
    found.set(to, sum)
  }
  return found
})

const shown = computed(() => {
  const words = (route.value.parameters.get('q') ?? '').toLowerCase()
  return appList.value
    .filter(app => `${keyOf(app)} ${wordOf(app)}`.toLowerCase().includes(words))
    .toSorted((a, b) => rankOf(a) - rankOf(b))
})

const COLUMNS: readonly Column<AppView>[] = [
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
    cell: ({id}) => {
      const {perSecond = 0} = incoming.value.get(id) ?? {}
      return perSecond === 0 ? '–' : `${count(perSecond)}/s`
    }
  },
  {
    head: 'Failed',
    name: 'failed',
    alignsRight: true,
    cell: ({id}) => {
      const {calls = 0, failed = 0} = incoming.value.get(id) ?? {}
      return failed === 0 ? '–' : <b class="bad">{percent(failed, calls)}</b>
    }
  },
  {
    head: 'p95',
    name: 'p95',
    alignsRight: true,
    cell: ({id}) => {
      const {p95Ms = 0} = incoming.value.get(id) ?? {}
      return p95Ms === 0 ? '–' : duration(p95Ms)
    }
  },
  {head: 'Lives', name: 'lives', alignsRight: true, cell: ({restarts}) => restarts + 1},
  {
    head: 'Up',
    name: 'up',
    alignsRight: true,
    cell: ({startedAt}) => (startedAt === null ? '–' : duration(Math.max(0, now.value - Date.parse(startedAt))))
  }
]

/** With more apps, the table has the whole page. */
const MAX_WITH_LATEST = 12

export default function Apps() {
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
      </div>
      <Grid
        name="apps"
        label="Apps"
        columns={COLUMNS}
        rows={shown.value}
        keyOf={keyOf}
        toneOf={app => (['crashed', 'backoff'].includes(wordOf(app)) ? 'bad' : '')}
        onOpen={app => go(hrefOf('apps', [keyOf(app)]))}
      />
      {appList.value.length <= MAX_WITH_LATEST && <LatestCalls />}
    </>
  )
}
