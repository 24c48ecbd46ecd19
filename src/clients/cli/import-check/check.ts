import {relative} from 'node:path'
import {withSeenPorts, templateText, type Imported} from '#import'
import {sweepTrials} from '../../../control/trial-folder.ts'
import type {CommandContext} from '../command-handler.ts'
import {seconds} from '../ci/outcome.ts'
import {print, signedLine} from '../print.ts'
import {say} from '../say.ts'
import {tryTemplate, type Trial, type TrialRequest, type TriedApp} from './trial.ts'

interface CheckRequest extends TrialRequest {
  /** Writes this text over the template, which then has the obstacles as notes. */
  readonly rewrite: (text: string) => void
  /** Destination of the report: as JSON to stdout, or as text. */
  readonly output: 'json' | NodeJS.WriteStream
}

const EXIT_INTERRUPTED = 130

/** `import --check`: starts the written template, and reports for each app whether it became ready. Exits with 0 if all apps did. */
export async function checkImported(
  call: CommandContext,
  {rewrite, output, ...options}: CheckRequest
): Promise<number> {
  const {imported, file, timeoutMs} = options
  await sweepTrials(process.env)
  say(process.stderr, 'pending', `--check: starting the apps, for up to ${timeoutMs / 1000} s …`, call.asJson)
  const trial = await tryTemplate(call, options)
  if (trial.isInterrupted) {
    rewrite(templateText(imported, file))
    say(process.stderr, 'warning', '--check was interrupted: the template has no notes of it', call.asJson)
    return EXIT_INTERRUPTED
  }
  rewrite(templateText(withNotes(imported, trial), file))
  if (output === 'json') print(process.stdout, trialJson(relative(process.cwd(), file), trial))
  else print(output, trialText(trial))
  return areAllReady(trial.apps) ? 0 : 1
}

/** Returns a line for each app, and how many became ready. */
function trialText({apps, tookMs}: Trial): string {
  const ready = apps.filter(({isReady}) => isReady).length
  const count =
    ready === apps.length ? (ready === 1 ? 'the app' : `all ${ready} apps`) : `${ready} of ${apps.length} apps`
  return [
    ...apps.map(lineOf),
    signedLine('info', `--check: ${count} became ready within ${seconds(tookMs)}`, false)
  ].join('')
}

const lineOf = ({id, state, obstacle}: TriedApp): string =>
  obstacle === null
    ? signedLine('success', `${id}: ${state}`, false)
    : signedLine('failure', `${id}: ${obstacle.text}`, false)

/** Returns the result as `-o json` prints it (`x-output` of `schema/api.yaml`). */
const trialJson = (template: string, {apps, tookMs}: Trial): string =>
  `${JSON.stringify({template, isReady: areAllReady(apps), tookMs: Math.round(tookMs), apps})}\n`

const areAllReady = (apps: readonly TriedApp[]): boolean => apps.every(({isReady}) => isReady)

/** Returns the template with the ports at which apps listened, and a note at each app that has an obstacle. */
const withNotes = (imported: Imported, {apps, listens}: Trial): Imported => ({
  ...imported,
  apps: imported.apps.map(app => {
    const found = apps.find(({id}) => id === app.id)
    const seen = found?.isReady === true ? withSeenPorts(app, listens.get(app.id) ?? []) : app
    return found?.obstacle ? {...seen, notes: [...seen.notes, `--check: ${found.obstacle.text}`]} : seen
  })
})
