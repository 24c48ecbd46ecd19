import type * as Api from '../../src/model/api.generated.ts'
import {useMemo} from 'preact/hooks'
import {Chips} from '../parts/chips.tsx'
import {count, duration, moment} from '../parts/format.ts'
import {Grid, type Column} from '../parts/grid.tsx'
import {NameFilter} from '../parts/name-filter.tsx'
import {Nothing} from '../parts/nothing.tsx'
import {visible} from '../parts/safe-text.ts'
import {now} from '../state/clock.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {go, parameter, route, setParameters} from '../state/route.ts'
import {appList, runId} from '../state/run.ts'
import {InstancePanel} from '../workflows/instance-panel.tsx'
import {useAnswer, useLast} from '../workflows/instances.ts'
import {instanceHref, instanceKey, isOver, signOf, statusWord, toneOf, workflowsHref} from '../workflows/words.ts'

const LIMIT = 500

/** The choices of the status filter, and the statuses that each includes. */
const CHIPS: readonly (readonly [text: string, statuses: readonly Api.WorkflowStatus[]])[] = [
  ['open', ['RUNNING', 'PENDING', 'SUSPENDED', 'STALLED']],
  ['failed', ['FAILED']],
  ['completed', ['COMPLETED']],
  ['terminated', ['TERMINATED', 'CANCELED']]
]

const KEYS: readonly Key[] = [{keys: 'Escape', text: 'Close the workflow', run: () => close()}]

const close = (): void => go(workflowsHref())

const beganAt = ({created}: Api.Workflow): number => Date.parse(created)

const tookMs = (instance: Api.Workflow): number =>
  Math.max(0, (isOver(instance) ? Date.parse(instance.lastUpdate) : now.value) - beganAt(instance))

const COLUMNS: readonly Column<Api.Workflow>[] = [
  {
    head: 'Instance',
    name: 'instance',
    sortBy: ({id}) => id,
    cell: instance => <a href={instanceHref(instance)}>{visible(instance.id)}</a>
  },
  {head: 'Workflow', name: 'workflow', sortBy: ({name}) => name, cell: ({name}) => visible(name)},
  {head: 'App', name: 'app', sortBy: ({app}) => app, cell: ({app}) => visible(app)},
  {
    head: 'Status',
    name: 'status',
    sortBy: statusWord,
    cell: instance => {
      const [sign, tone] = signOf(instance)
      return (
        <span class={`status ${tone}`}>
          <span aria-hidden="true">{sign}</span> {statusWord(instance)}
          {isOver(instance) || instance.workers > 0 ? '' : ', no worker'}
        </span>
      )
    }
  },
  {head: 'Began', name: 'began', alignsRight: true, sortBy: beganAt, cell: ({created}) => moment(created)},
  {
    head: 'Took',
    name: 'took',
    alignsRight: true,
    sortBy: tookMs,
    cell: instance => `${isOver(instance) ? '' : 'so far '}${duration(tookMs(instance))}`
  },
  {
    head: 'Last message',
    name: 'says',
    isEmpty: ({customStatus, failure}) => failure + customStatus === '',
    cell: ({customStatus, failure}) => visible(failure || customStatus)
  }
]

/** Returns the columns, with one that shows when each instance ran, on an axis from the first start to the last end. */
function columnsOf(rows: readonly Api.Workflow[]): readonly Column<Api.Workflow>[] {
  const from = Math.min(...rows.map(beganAt))
  const until = Math.max(...rows.map(each => beganAt(each) + tookMs(each)))
  const share = (ms: number): number => (100 * ms) / Math.max(1, until - from)
  const line: Column<Api.Workflow> = {
    head: 'Over time',
    name: 'line',
    cell: instance => {
      const width = Math.max(2, share(tookMs(instance)))
      return (
        <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
          <rect
            class={signOf(instance)[1]}
            x={Math.min(100 - width, share(beganAt(instance) - from))}
            width={width}
            height="8"
            rx="1"
          />
        </svg>
      )
    }
  }
  return [...COLUMNS.slice(0, -1), line, ...COLUMNS.slice(-1)]
}

export default function Workflows() {
  const [app = '', id = ''] = route.value.rest
  const [name, status] = [parameter('name'), parameter('status')]
  useKeys(KEYS)
  const query = useMemo(() => {
    const words = new URLSearchParams({limit: LIMIT.toString(), ...(name !== '' && {name})})
    for (const each of CHIPS.find(([text]) => text === status)?.[1] ?? []) words.append('status', each)
    return words
  }, [name, status])
  const current = useAnswer('GET /workflows', query)
  const answer = useLast(current)
  const rows = typeof answer === 'object' ? answer.workflows : []
  return (
    <>
      <div class="tools">
        <h1>Workflows</h1>
        <NameFilter of="workflow" words={name} />
        <Chips
          chips={CHIPS.map(([text]) => {
            const isOn = status === text
            return {text, isOn, toggle: () => setParameters({status: isOn ? '' : text})}
          })}
        />
        <span class="soft far">
          {typeof answer === 'object' && answer.next !== null
            ? `the latest ${count(rows.length)}`
            : `${count(rows.length)} shown`}
        </span>
      </div>
      <div class="calls-view">
        {rows.length > 0 ? (
          <Grid
            name="workflows"
            label="Workflows"
            columns={columnsOf(rows)}
            rows={rows}
            keyOf={instanceKey}
            toneOf={toneOf}
            isAsking={current === undefined}
            selected={id === '' ? '' : instanceKey({app, id})}
            onOpen={instance => go(instanceHref(instance))}
          />
        ) : (
          <Nothing answer={current}>
            <Hint isFiltered={name !== '' || status !== ''} />
          </Nothing>
        )}
        {id !== '' && <InstancePanel key={`${runId.value} ${app}/${id}`} app={app} id={id} onClose={close} />}
      </div>
    </>
  )
}

function Hint({isFiltered}: {readonly isFiltered: boolean}) {
  if (isFiltered)
    return (
      <>
        <p>No workflow matches.</p>
        <button type="button" onClick={() => setParameters({name: '', status: ''})}>
          Show all
        </button>
      </>
    )
  const [app] = appList.value.filter(({httpPort}) => httpPort > 0)
  return (
    <>
      <p>No workflow was started yet. This starts one of {app?.id ?? 'an app'}, once its worker is connected:</p>
      <pre>{`pillion workflow run NAME --app-id ${app?.id ?? 'APP'} --input JSON`}</pre>
    </>
  )
}
