import {loadTemplate} from '../../files/config/load.ts'
import type {App} from '../../model/api.generated.ts'
import {runPlace, runsMeant} from './pick-run.ts'
import {runsHere} from './run-here.ts'
import {surroundings} from './surroundings.ts'
import {ownOf} from '../../model/own.ts'

const isStopped = ({state}: App): boolean => state === 'stopped'

const hasPort = ({appPort}: App): boolean => appPort > 0

/** Commands that have a meaning for some apps only. */
const MEANT: Readonly<Record<string, (app: App) => boolean>> = {
  start: ({state}) => ['stopped', 'exited', 'debugging', 'idle'].includes(state),
  stop: app => !isStopped(app),
  env: app => !isStopped(app),
  url: app => hasPort(app) && !isStopped(app),
  open: app => hasPort(app) && !isStopped(app) && !app.appProtocol.startsWith('grpc'),
  invoke: app => !isStopped(app),
  publish: app => !isStopped(app)
}

/** The ids that a shell may complete behind a command: of the apps that run, or of the template in this folder; of workflows behind their verbs. */
export async function completedIds(command: string, asJson: boolean): Promise<readonly string[]> {
  if (command === 'actors') return completedActors(asJson)
  if (command.startsWith('reminders ')) return completedReminders(command, asJson)
  if (command.startsWith('jobs ')) return completedJobs(command, asJson)
  if (command.startsWith('workflow ')) return completedWorkflows(command, asJson)
  const runs = command === 'run' || command === 'up' ? [] : await runsHere(asJson)
  const meant = command === 'stop' ? runs : runsMeant(runs, runPlace(undefined))
  const apps = meant.flatMap(({listing}) => listing.apps)
  const ids =
    meant.length === 0 && OF_TEMPLATE.has(command)
      ? await idsOfTemplate()
      : apps.filter(ownOf(MEANT, command) ?? Boolean).map(each => each.id)
  return [...new Set(ids)].filter(id => PLAIN.test(id))
}

/** Statuses of workflows that have not ended; each verb completes only those that it applies to. */
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

/** The ids of the latest workflows that may follow a verb; for an event with a slash behind. */
async function completedWorkflows(command: string, asJson: boolean): Promise<readonly string[]> {
  const query = new URLSearchParams((ownOf(OF_STATUS, command) ?? []).map(status => ['status', status]))
  const runs = runsMeant(await runsHere(asJson), runPlace(undefined))
  const lists = await Promise.all(runs.map(async ({api}) => api.ask('GET /workflows', {query})))
  const ids = lists.flatMap(({workflows}) => workflows.map(({id}) => id)).filter(id => PLAIN.test(id))
  return command === 'workflow raise-event' ? ids.filter(id => !id.includes('/')).map(id => `${id}/`) : ids
}

/** The jobs that may follow a verb, as `shop/report`. */
async function completedJobs(command: string, asJson: boolean): Promise<readonly string[]> {
  const runs = runsMeant(await runsHere(asJson), runPlace(undefined))
  const lists = await Promise.all(runs.map(async ({api}) => api.ask('GET /jobs', {query: {limit: 1000}})))
  const isMeant = (state: string): boolean =>
    command === 'jobs pause' ? state !== 'paused' : command !== 'jobs resume' || state === 'paused'
  return lists
    .flatMap(({jobs}) => jobs.filter(({state}) => isMeant(state)).map(({app, name}) => `${app}/${name}`))
    .filter(name => PLAIN.test(name))
}

/** The types of actors. */
async function completedActors(asJson: boolean): Promise<readonly string[]> {
  const runs = runsMeant(await runsHere(asJson), runPlace(undefined))
  const lists = await Promise.all(runs.map(async ({api}) => api.ask('GET /actors')))
  return lists.flatMap(({types}) => types.map(({type}) => type)).filter(type => PLAIN.test(type))
}

/** The reminders that may follow a verb, as `Cart/17/expire`; for a list the actors that have some. */
async function completedReminders(command: string, asJson: boolean): Promise<readonly string[]> {
  const runs = runsMeant(await runsHere(asJson), runPlace(undefined))
  const lists = await Promise.all(runs.map(async ({api}) => api.ask('GET /reminders')))
  const names = lists.flatMap(({reminders}) =>
    reminders.map(({type, id, name}) => (command === 'reminders list' ? `${type}/${id}` : `${type}/${id}/${name}`))
  )
  return [...new Set(names)].filter(name => PLAIN.test(name))
}

/** Words without a meaning for any shell: `compgen -W` of bash would run a `$(…)`, and a completed word is not quoted on the line. */
const PLAIN = /^[\w@%+:,./-]+$/

/** Commands that take ids of apps that do not run. */
const OF_TEMPLATE: ReadonlySet<string> = new Set(['run', 'up', 'logs'])

async function idsOfTemplate(): Promise<readonly string[]> {
  try {
    const {plan} = await loadTemplate('.', surroundings(), {watch: false})
    return plan.apps.map(({id}) => id)
  } catch {
    return [] // there is no template, or it is invalid
  }
}
