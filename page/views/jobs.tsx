import type * as Api from '../../src/model/api.generated.ts'
import {useMemo} from 'preact/hooks'
import {announce} from '../parts/announce.tsx'
import {confirm} from '../parts/confirm.tsx'
import {count, moment} from '../parts/format.ts'
import {Grid, type Column} from '../parts/grid.tsx'
import {NameFilter} from '../parts/name-filter.tsx'
import {Nothing} from '../parts/nothing.tsx'
import {visible} from '../parts/safe-text.ts'
import {mayChange} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {go, hrefHere, parameter, route} from '../state/route.ts'
import {appList} from '../state/run.ts'
import {change, useAnswer} from '../workflows/instances.ts'

const LIMIT = 1000

const KEYS: readonly Key[] = [{keys: 'Escape', text: 'Close the job', run: () => close()}]

const close = (): void => go(hrefHere())

const hrefTo = ({app, name}: Api.Job): string => hrefHere(app, name)

/** Returns whether the app failed to handle a job when it last came. */
const hasFailed = ({attempts, answer}: Api.Job): boolean =>
  attempts > 0 || (answer !== '' && !/^(?:2\d\d|ok|success)/i.test(answer))

const stateWord = ({state, attempts, next}: Api.Job): string =>
  `${next === null ? 'never comes' : state}${attempts === 0 ? '' : `, failed ${attempts} ×`}`

/** Returns how far the clock of jobs is ahead of the machine's, in ms, to the second: `pillion skip` sets it forward. */
const useAhead = (answer: {readonly now: string} | string | undefined): number =>
  useMemo(
    () => (typeof answer === 'object' ? 1000 * Math.round((Date.parse(answer.now) - Date.now()) / 1000) : 0),
    [answer]
  )

/** Returns a job with its times on this machine's clock. All of them move together, so that the last run stays before the next. */
const nearer = <T extends Api.Job>(job: T, ahead: number): T => {
  const by = (time: string): string => new Date(Date.parse(time) - ahead).toISOString()
  const {begin, expires, last, next} = job
  return {...job, begin: by(begin), expires: expires && by(expires), last: last && by(last), next: next && by(next)}
}

const COLUMNS: readonly Column<Api.Job>[] = [
  {head: 'Job', name: 'job', sortBy: ({name}) => name, cell: job => <a href={hrefTo(job)}>{visible(job.name)}</a>},
  {head: 'App', name: 'app', sortBy: ({app}) => app, cell: ({app}) => visible(app)},
  {head: 'Plan', name: 'plan', cell: ({schedule, dueTime}) => visible(schedule ?? dueTime ?? '')},
  {
    head: 'State',
    name: 'state',
    sortBy: job => (hasFailed(job) ? 0 : 1),
    cell: job =>
      hasFailed(job) ? (
        <b class="bad">
          <span aria-hidden="true">✕</span> {job.attempts > 0 ? stateWord(job) : 'failed'}
        </b>
      ) : (
        stateWord(job)
      )
  },
  {head: 'Came', name: 'came', alignsRight: true, sortBy: job => job.count, cell: job => count(job.count)},
  {
    head: 'Next',
    name: 'next',
    alignsRight: true,
    sortBy: ({next}) => next ?? '',
    cell: ({next}) => (next === null ? '' : moment(next))
  },
  {head: 'Answer', name: 'answer', cell: job => <span class={hasFailed(job) ? 'bad' : ''}>{visible(job.answer)}</span>}
]

export default function Jobs() {
  const [app = '', name = ''] = route.value.rest
  const words = parameter('name')
  useKeys(KEYS)
  const answer = useAnswer('GET /jobs', new URLSearchParams({limit: LIMIT.toString()}))
  const ahead = useAhead(answer)
  const all = typeof answer === 'object' ? answer.jobs : []
  const hasMore = typeof answer === 'object' && answer.next !== null
  const rows = useMemo(
    () => all.filter(each => each.name.includes(words)).map(each => nearer(each, ahead)),
    [all, words, ahead]
  )
  return (
    <>
      <div class="tools">
        <h1>Jobs</h1>
        <NameFilter of="job" words={words} />
        <span class="soft far">{hasMore ? `the first ${count(rows.length)}` : `${count(rows.length)} shown`}</span>
      </div>
      <div class="calls-view">
        {rows.length > 0 ? (
          <Grid
            name="jobs"
            label="Jobs"
            columns={COLUMNS}
            rows={rows}
            keyOf={each => `${each.app}/${each.name}`}
            toneOf={job => (hasFailed(job) ? 'bad' : '')}
            selected={name === '' ? '' : `${app}/${name}`}
            onOpen={job => go(hrefTo(job))}
          />
        ) : (
          <Nothing answer={answer}>
            <Hint isFiltered={words !== ''} among={hasMore ? all.length : 0} />
          </Nothing>
        )}
        {name !== '' && <JobPanel key={`${app}/${name}`} app={app} name={name} />}
      </div>
    </>
  )
}

function JobPanel({app, name}: {readonly app: string; readonly name: string}) {
  const job = useAnswer('GET /job', new URLSearchParams({app, name}))
  const ahead = useAhead(job)
  return (
    <section class="panel box" aria-labelledby="job">
      <div class="tools">
        <h2 id="job">{visible(name)}</h2>
        <button type="button" title="Key: Escape" onClick={close}>
          Close
        </button>
      </div>
      {typeof job === 'string' && <p class="bad">{job}</p>}
      {typeof job === 'object' && <JobFacts job={nearer(job, ahead)} />}
    </section>
  )
}

function JobFacts({job}: {readonly job: Api.JobDetail}) {
  const facts: readonly (readonly [string, string | number | null])[] = [
    ['App', job.app],
    ['Schedule', job.schedule],
    ['Due time', job.dueTime],
    ['Repeats', job.repeats],
    ['Ends', job.expires],
    ['Failure policy', job.failurePolicy],
    ['Scheduled', job.begin],
    ['State', stateWord(job)],
    ['Came', job.count],
    ['Last', job.last],
    ['Next', job.next],
    ['Answer', job.answer || null]
  ]
  return (
    <>
      {mayChange && <JobActions job={job} />}
      <dl class="facts">
        {facts.map(([head, text]) =>
          text === null ? null : (
            <div key={head}>
              <dt>{head}</dt>
              <dd>{visible(String(text))}</dd>
            </div>
          )
        )}
      </dl>
      {job.data !== null && <pre>{visible(job.data)}</pre>}
    </>
  )
}

function JobActions({job: {app, name, state}}: {readonly job: Api.JobDetail}) {
  const tell = async (what: 'run' | 'pause' | 'resume' | 'delete'): Promise<void> => {
    const changed = await change('POST /job/{change}', {at: {change: what}, body: {app, name}})
    if (changed === undefined) return
    if (what === 'delete') close()
    announce(changed.outcome === null ? `${what}: ${name}` : `${name}: ${changed.outcome}, ${changed.job.answer}`)
  }
  const isPaused = state === 'paused'
  return (
    <div class="tools">
      <button
        type="button"
        class="once"
        title="It comes to its app now, which counts nothing"
        onClick={() => void tell('run')}
      >
        Run now
      </button>
      <button type="button" onClick={() => void tell(isPaused ? 'resume' : 'pause')}>
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <button
        type="button"
        onClick={() => confirm({text: `Delete the job ${name}?`, yes: 'Delete', run: () => void tell('delete')})}
      >
        Delete …
      </button>
    </div>
  )
}

/** `among`: the number of jobs that were looked at, if there are more; else 0. */
function Hint({isFiltered, among}: {readonly isFiltered: boolean; readonly among: number}) {
  if (isFiltered) return <p>No job matches{among > 0 && ` among the first ${count(among)}`}.</p>
  const [app] = appList.value.filter(({httpPort}) => httpPort > 0)
  return (
    <>
      <p>No job is scheduled. This schedules one of {app?.id ?? 'an app'}:</p>
      <pre>{`curl ${app?.sidecarHost ?? 'localhost'}:${app?.httpPort ?? 3500}/v1.0/jobs/report -d '{"schedule": "@every 10s"}'`}</pre>
    </>
  )
}
