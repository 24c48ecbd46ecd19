import {relative} from 'node:path'
import {templateText} from '#import'
import {sweepTrials} from '../../../control/trial-folder.ts'
import type {CommandContext} from '../command-handler.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {areAllReady, trialJson, trialText, withNotes} from './report.ts'
import {tryTemplate, type TrialRequest} from './trial.ts'

interface CheckRequest extends TrialRequest {
  /** Writes the template again, with what stands in the way. */
  readonly rewrite: (text: string) => void
  /** Where the report goes: as JSON to stdout, or as text. */
  readonly output: 'json' | NodeJS.WriteStream
}

const EXIT_INTERRUPTED = 130

/** `import --check`: starts what was written, and reports app by app what became ready. Exits with 0 if all apps did. */
export async function checkImported(
  call: CommandContext,
  {rewrite, output, ...options}: CheckRequest
): Promise<number> {
  const {imported, file, text, timeoutMs} = options
  await sweepTrials(process.env)
  say(process.stderr, 'pending', `--check: starting the apps, for up to ${timeoutMs / 1000} s …`, call.asJson)
  const trial = await tryTemplate(call, options)
  if (trial.isInterrupted) {
    rewrite(text)
    say(process.stderr, 'warning', '--check was interrupted: the template has no notes of it', call.asJson)
    return EXIT_INTERRUPTED
  }
  rewrite(templateText(withNotes(imported, trial), file))
  if (output === 'json') print(process.stdout, trialJson(relative(process.cwd(), file), trial))
  else print(output, trialText(trial))
  return areAllReady(trial.apps) ? 0 : 1
}
