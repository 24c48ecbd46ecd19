import {examineTemplate} from '../../../files/config/every-mistake.ts'
import {keptLog, type KeptLog} from '../../../observe/logging/old-logs.ts'
import {headedPart} from '../../../observe/logging/run-log-reader.ts'
import {isVersion} from '../../../observe/api/apps.ts'
import {UserError} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {instanceName, isNamedSo, type Plan} from '../../../model/plan.ts'
import type {LogsWanted} from '../log-lines.ts'
import {hintOf, say} from '../say.ts'
import {surroundings} from '../template-named.ts'

/** The content of log files, app by app: unchanged, or with time, stream and app before each line (`RunControl.runLogs`). */
interface FinishedLogs {
  readonly plain: AsyncIterable<string>
  readonly headed: AsyncIterable<string>
  /** Names of all apps, in the order of the template. */
  readonly names: readonly string[]
}

/** Returns the log files of the last run of a template. Throws a UserError if there are none; `others`: text about runs elsewhere. */
export async function finishedLogs(
  {ids, tail, since, asJson, grep, version}: LogsWanted,
  template: string | undefined,
  others: string
): Promise<FinishedLogs> {
  const [id] = ids
  const nowhere = id === undefined ? 'nothing is running' : `no run has an app "${id}"`
  if (template === undefined)
    throw new UserError(`${nowhere}; single runs leave no log files, and this folder has no template`)
  // the names of log files need no valid template
  const {errors, loaded} = await examineTemplate(template, surroundings(), {watch: false})
  if (loaded === undefined) throw errors[0] ?? new Error('no template was read')
  const {plan} = loaded
  const wanted = ids.length === 0 ? [...new Set(plan.apps.map(app => app.id))] : ids
  const found: {readonly name: string; readonly log: KeptLog}[] = []
  for (const each of wanted) {
    const before = found.length
    for (const name of namesOf(plan, each, ids.length === 0 ? '' : version)) {
      const log = await keptLog(plan, {id: name, tail: grep === undefined ? tail : -1, since})
      if (log !== undefined) found.push({name, log})
    }
    // if the template has a mistake, the log folder of an app may be unknown: the mistake explains the missing logs
    const mistake = plan.apps.some(app => app.id === each) ? errors[0] : undefined
    if (found.length === before && ids.length > 0) throw mistake ?? whyNone(each, plan, others, version)
  }
  const none = `${nowhere}, and ${plan.shownAs} has no log files yet`
  if (found.length === 0) throw errors[0] ?? new UserError(none, {explanation: others, code: 'no-run'})
  if (found.some(({log}) => log.hasOlder)) {
    const words = 'the run has ended, and log files contain no times, so older lines are shown as well'
    say(process.stderr, 'warning', words, asJson)
  }
  return {
    plain: all(found.map(({log}) => log.texts)),
    headed: all(found.map(({name, log}) => headedPart(name, log.texts))),
    names: plan.apps.map(({id: name, instance}) => instanceName(name, instance))
  }
}

/** Returns the names that the logs use for the apps with an id or name. `wanted`: their version; '': all versions. */
function namesOf({apps}: Plan, text: string, wanted: string): readonly string[] {
  const named = apps.map(({id, version, instance}) => {
    const isOneOfMany = apps.some(each => each.id === id && each.version !== version)
    return {id, version, name: instanceName(isOneOfMany ? `${id}_${version}` : id, instance)}
  })
  const meant = named.filter(each => isNamedSo(each, text) && isVersion({id: text, version: wanted}, each.version))
  return [...new Set(meant.map(({name}) => name))]
}

function whyNone(id: string, {apps, shownAs}: Plan, others: string, version: string): UserError {
  const ids = [...new Set(apps.map(app => app.id))]
  const what = version === '' ? 'the app' : `its version ${version}`
  const none = `no run has an app "${id}", and ${what} has no log file yet`
  if (ids.includes(id)) return new UserError(none, {explanation: others, code: 'no-run'})
  const near = nearMiss(id, ids)
  const meant = near === '' ? '' : `: did you mean ${near}?`
  const explanation = others === '' ? `Its apps: ${ids.join(', ')}` : hintOf(`Its apps: ${ids.join(', ')}`, others)
  return new UserError(`neither a run nor ${shownAs} has an app "${id}"${meant}`, {explanation, code: 'no-such-app'})
}

async function* all(texts: readonly AsyncIterable<string>[]): AsyncGenerator<string> {
  for (const each of texts) yield* each
}
