import type * as Api from '../../src/model/api.generated.ts'
import {memoryText, isUp} from '../../src/model/app-words.ts'
import {instanceName} from '../../src/model/plan.ts'
import {RowActions} from '../parts/app-actions.tsx'
import {count, duration, rate} from '../parts/format.ts'
import type {Column} from '../parts/grid.tsx'
import {Name} from '../parts/name.tsx'
import {visible, withoutColours} from '../parts/safe-text.ts'
import {Sparkline} from '../parts/sparkline.tsx'
import {Status} from '../parts/status.tsx'
import {rankOf, statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {lastLines} from '../state/last-lines.ts'
import {hrefOf} from '../state/route.ts'
import {calleeOf, keyOf, troubles, waiting} from '../state/run.ts'
import {incoming, NO_TRAFFIC} from '../state/traffic.ts'
import {Address} from './address.tsx'
import {histories, HISTORY_MINUTES, NO_HISTORY} from './traffic-history.ts'
import {usage} from './usage.ts'

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

/** The columns of the table of apps; a column without a value is left out. */
export const COLUMNS: readonly Column<Api.App>[] = [
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
      // troubles of calls name the app; troubles of lines name its version, too
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
