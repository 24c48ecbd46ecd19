import {loadTemplate} from '../../config/load.ts'
import {keptLog, type KeptLog} from '../../logging/finished-log.ts'
import {headedPart} from '../../logging/run-log-reader.ts'
import {UserError} from '../../model/errors.ts'
import {instanceName, type Plan} from '../../model/plan.ts'
import type {LogsWanted} from '../log-lines.ts'
import {say} from '../say.ts'
import {surroundings} from '../surroundings.ts'

/** The content of log files, app by app: as it is, or each line with its head (`Handlers.runLogs`). */
export interface FinishedLogs {
  readonly plain: AsyncIterable<string>
  readonly headed: AsyncIterable<string>
  /** Names of all apps, in the order of the template. */
  readonly names: readonly string[]
}

/** The log files of the last run of a template. Throws a UserError if there are none. */
export async function finishedLogs({ids, tail, since, runFile, asJson, grep}: LogsWanted): Promise<FinishedLogs> {
  const [id] = ids
  const nowhere = id === undefined ? 'nothing is running' : `no run has an app "${id}"`
  const plan = await planOf(runFile, nowhere)
  const wanted = ids.length === 0 ? [...new Set(plan.apps.map(app => app.id))] : ids
  const found: {readonly id: string; readonly log: KeptLog}[] = []
  for (const each of wanted) {
    const log = await keptLog(plan, {id: each, tail: grep === undefined ? tail : -1, since})
    if (log !== undefined) found.push({id: each, log})
    else if (ids.length > 0) throw new UserError(whyNone(each, plan))
  }
  if (found.length === 0) throw new UserError(`${nowhere}, and ${plan.shownAs} has no log files yet`)
  if (found.some(({log}) => log.hasOlder)) {
    const words = 'the run has ended, and log files contain no times, so older lines are shown as well'
    say(process.stderr, 'warning', words, asJson)
  }
  return {
    plain: all(found.map(({log}) => log.texts)),
    headed: all(found.map(each => headedPart(each.id, each.log.texts))),
    names: plan.apps.map(({id: name, instance}) => instanceName(name, instance))
  }
}

async function planOf(runFile: string | undefined, nowhere: string): Promise<Plan> {
  try {
    return (await loadTemplate(runFile ?? '.', surroundings(), {watch: false})).plan
  } catch (error) {
    if (runFile !== undefined || !(error instanceof UserError)) throw error
    throw new UserError(`${nowhere}; single runs leave no log files, and this folder has no template`, {cause: error})
  }
}

const whyNone = (id: string, plan: Plan): string =>
  plan.apps.some(app => app.id === id)
    ? `no run has an app "${id}", and the app has no log file yet`
    : `neither a run nor ${plan.shownAs} has an app "${id}"; single runs leave no log files`

async function* all(texts: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  for (const each of texts) yield* each
}
