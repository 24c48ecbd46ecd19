import {UserError, type PlacedMistake} from '../model/errors.ts'
import {loadTemplate, type Loaded} from '../config/load.ts'
import type {CommandHandler} from './command-handler.ts'
import {print, statusLine} from './print.ts'
import {surroundings} from './surroundings.ts'

/** `validate [-f PATH] [-o json]`: names every mistake, and what `run` would pass over in silence; 1 when the template cannot run. */
export const validate: CommandHandler = async ({flags, asJson}) => {
  const output = flags.text('output') ?? ''
  if (!['', 'text', 'json'].includes(output)) throw new UserError('An invalid output format was specified.')
  const load = (): Loaded => loadTemplate(flags.text('run-file') ?? '.', surroundings(), {watch: false})
  if (output === 'json') return Promise.resolve(printJson(load))
  const {plan, findings} = load()
  for (const {message, explanation} of findings) {
    print(process.stderr, `${statusLine('warning', message, asJson)}${explanation.trimEnd()}\n`)
  }
  const count = `${plan.apps.length.toString()} ${plan.apps.length === 1 ? 'app' : 'apps'}`
  print(process.stdout, statusLine('success', `${plan.shownAs} can run: ${count}`, asJson))
  return Promise.resolve(0)
}

/** One object, whatever stands in the template; `errors` keep it from running, `findings` do not. */
function printJson(load: () => Loaded): number {
  const told = tell(load)
  print(process.stdout, `${JSON.stringify(told, null, 2)}\n`)
  return told.errors.length === 0 ? 0 : 1
}

function tell(load: () => Loaded) {
  try {
    const {plan, findings} = load()
    return {template: plan.shownAs, apps: plan.apps.length, errors: [], findings: findings.map(flat)}
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const {message, mistakes} = error
    return {errors: mistakes.length > 0 ? mistakes.map(flat) : [{message}], findings: []}
  }
}

const flat = ({message, place: {file, line, column}, expected, hint}: PlacedMistake) => ({
  file,
  line,
  column,
  message,
  expected,
  hint
})
