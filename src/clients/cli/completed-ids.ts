import type {FoundRun} from '../../control/client.ts'
import {loadTemplate} from '../../files/config/load.ts'
import type {App} from '../../model/api.generated.ts'
import {runPlace, runsMeant} from './pick-run.ts'
import {runsHere} from './run-here.ts'
import {surroundings} from './template-named.ts'
import {ownOf} from '../../model/own.ts'

const isStopped = ({state}: App): boolean => state === 'stopped'

const hasPort = ({appPort}: App): boolean => appPort > 0

/** Whether a command makes sense for an app. A command that is not listed makes sense for all apps. */
const MEANT: Readonly<Record<string, (app: App) => boolean>> = {
  start: ({state}) => ['stopped', 'exited', 'debugging', 'idle'].includes(state),
  stop: app => !isStopped(app),
  env: app => !isStopped(app),
  url: app => hasPort(app) && !isStopped(app),
  open: app => hasPort(app) && !isStopped(app) && !app.appProtocol.startsWith('grpc'),
  invoke: ({httpPort}) => httpPort > 0,
  publish: ({httpPort}) => httpPort > 0
}

/** Returns the ids that a shell may complete after a command: of workflows, jobs, actors or reminders, else of apps (of runs, or of the template). */
export async function completedIds(command: string, asJson: boolean): Promise<readonly string[]> {
  const runs = command === 'run' || command === 'up' ? [] : await runsHere(asJson)
  const meant = command === 'stop' ? runs : runsMeant(runs, runPlace(undefined))
  const instances = INSTANCES.find(([prefix]) => command.startsWith(prefix))?.[1]
  const ids =
    instances === undefined
      ? await idsOfApps(command, meant)
      : (await Promise.all(meant.map(async run => instances(run, command)))).flat()
  return [...new Set(ids)].filter(id => PLAIN.test(id))
}

async function idsOfApps(command: string, meant: readonly FoundRun[]): Promise<readonly string[]> {
  if (meant.length === 0 && OF_TEMPLATE.has(command)) return idsOfTemplate()
  return meant
    .flatMap(({listing}) => listing.apps)
    .filter(ownOf(MEANT, command) ?? Boolean)
    .map(({id}) => id)
}

/** Statuses of workflows that have not ended, of those that have, and those to which each verb applies. */
const OPEN = ['RUNNING', 'SUSPENDED', 'PENDING']
const OVER = ['COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED']
const OF_STATUS: Readonly<Record<string, readonly string[]>> = {
  'workflow suspend': ['RUNNING', 'PENDING'],
  'workflow resume': ['SUSPENDED'],
  'workflow terminate': OPEN,
  'workflow raise-event': OPEN,
  'workflow skip': OPEN,
  'workflow rerun': OVER,
  'workflow purge': OVER
}

type Instances = (run: FoundRun, command: string) => Promise<readonly string[]>

/** Returns the ids of the latest workflows that may follow a verb. For `raise-event` a slash follows each id: users type the event after it. */
const workflowsOf: Instances = async ({api}, command) => {
  const query = new URLSearchParams((ownOf(OF_STATUS, command) ?? []).map(status => ['status', status]))
  const ids = (await api.ask('GET /workflows', {query})).workflows.map(({id}) => id)
  return command === 'workflow raise-event' ? ids.filter(id => !id.includes('/')).map(id => `${id}/`) : ids
}

/** Returns the jobs that may follow a verb, as `shop/report`. */
const jobsOf: Instances = async ({api}, command) => {
  const isMeant = (state: string): boolean =>
    command === 'jobs pause' ? state !== 'paused' : command !== 'jobs resume' || state === 'paused'
  const {jobs} = await api.ask('GET /jobs', {query: {limit: 1000}})
  return jobs.filter(({state}) => isMeant(state)).map(({app, name}) => `${app}/${name}`)
}

/** Returns the reminders that may follow a verb, as `Cart/17/expire`; for `reminders list` the actors that have reminders. */
const remindersOf: Instances = async ({api}, command) =>
  (await api.ask('GET /reminders')).reminders.map(({type, id, name}) =>
    command === 'reminders list' ? `${type}/${id}` : `${type}/${id}/${name}`
  )

const typesOf: Instances = async ({api}) => (await api.ask('GET /actors')).types.map(({type}) => type)

/** Readers of ids that a command takes in place of app ids, by the beginning of the command. */
const INSTANCES: readonly (readonly [prefix: string, Instances])[] = [
  ['actors', typesOf],
  ['reminders ', remindersOf],
  ['jobs ', jobsOf],
  ['workflow ', workflowsOf]
]

/** Ids that no shell interprets: `compgen -W` of bash would run a `$(…)`, and a shell does not quote a completed word. */
const PLAIN = /^[\w@%+:,./-]+$/

/** Commands that take ids of apps even without a run: the ids are then those of the template. */
const OF_TEMPLATE: ReadonlySet<string> = new Set(['run', 'up', 'logs'])

async function idsOfTemplate(): Promise<readonly string[]> {
  try {
    const {plan} = await loadTemplate('.', surroundings(), {watch: false})
    return plan.apps.map(({id}) => id)
  } catch {
    return [] // there is no template, or it is invalid
  }
}
