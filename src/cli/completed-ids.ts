import {loadTemplate} from '../config/load.ts'
import type {App} from '../model/api.generated.ts'
import {runPlace, runsMeant} from './pick-run.ts'
import {runsHere} from './run-here.ts'
import {surroundings} from './surroundings.ts'

const isStopped = ({state}: App): boolean => state === 'stopped'

/** Commands that have a meaning for some apps only. */
const MEANT: Readonly<Record<string, (app: App) => boolean>> = {
  start: ({state}) => ['stopped', 'exited', 'debugging', 'idle'].includes(state),
  stop: app => !isStopped(app),
  env: app => !isStopped(app),
  invoke: app => !isStopped(app),
  publish: app => !isStopped(app)
}

/** The ids that a shell may complete behind a command: of the apps that run, or of the template in this folder. */
export async function completedIds(command: string, asJson: boolean): Promise<readonly string[]> {
  const runs = command === 'run' || command === 'up' ? [] : await runsHere(asJson)
  const meant = command === 'stop' ? runs : runsMeant(runs, runPlace(undefined))
  const apps = meant.flatMap(({listing}) => listing.apps)
  const ids =
    meant.length === 0 && OF_TEMPLATE.has(command)
      ? await idsOfTemplate()
      : apps.filter(MEANT[command] ?? Boolean).map(each => each.id)
  return [...new Set(ids)].filter(id => PLAIN.test(id))
}

/** What no shell gives a meaning: `compgen -W` of bash would run a `$(…)`, and a completed word stands unquoted on the line. */
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
