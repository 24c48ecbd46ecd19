import {UserError, type PlacedMistake} from '../model/errors.ts'
import {explainPlace} from '../config/diagnose.ts'
import {loadTemplate, type Loaded} from '../config/load.ts'
import type {Plan} from '../model/plan.ts'
import {faultText} from '../resources/fault.ts'
import {ResourceStore} from '../resources/resource-store.ts'
import type {CommandHandler} from './command-handler.ts'
import {print, statusLine} from './print.ts'
import {surroundings} from './surroundings.ts'

/** `validate [-f PATH] [-o json]`: reports every mistake, and keys that `run` ignores silently; exit code 1 if the template cannot run. */
export const validate: CommandHandler = async ({flags, asJson}) => {
  const output = flags.text('output') ?? ''
  if (!['', 'text', 'json'].includes(output)) throw new UserError('An invalid output format was specified.')
  const load = (): Loaded => loadTemplate(flags.text('run-file') ?? '.', surroundings(), {watch: false})
  if (output === 'json') return printJson(load)
  const {plan, findings} = load()
  const inResources = (await resourceFindings(plan)).map(finding => ({...finding, explanation: pictureOf(finding)}))
  for (const {message, explanation} of [...findings, ...inResources]) {
    print(process.stderr, `${statusLine('warning', message, asJson)}${explanation.trimEnd()}\n`)
  }
  const count = `${plan.apps.length.toString()} ${plan.apps.length === 1 ? 'app' : 'apps'}`
  print(process.stdout, statusLine('success', `${plan.shownAs} can run: ${count}`, asJson))
  return 0
}

const pictureOf = ({place, expected, hint}: PlacedMistake): string =>
  explainPlace(place, /^\S*/.exec(place.source.slice(place.column - 1))?.[0].length ?? 1, [expected, hint])

/** Mistakes in the resources of all apps, and parts that have no effect; each once. */
async function resourceFindings({apps}: Plan): Promise<readonly PlacedMistake[]> {
  const store = new ResourceStore({env: process.env, cwd: process.cwd(), reporter: {warn: () => undefined}})
  const found = new Map<string, PlacedMistake>()
  for (const app of apps) {
    const {snapshot} = await store.open(app)
    const useless = snapshot.withoutEffect.map(({what, why, place}) => ({
      message: `${what} has no effect: ${why}`,
      place,
      expected: '',
      hint: ''
    }))
    for (const finding of [...snapshot.faults, ...useless]) found.set(faultText(finding), finding)
  }
  return [...found.values()]
}

/** Prints one JSON object. `errors` prevent the template from running, `findings` do not. */
async function printJson(load: () => Loaded): Promise<number> {
  const report = await reportOf(load)
  print(process.stdout, `${JSON.stringify(report, null, 2)}\n`)
  return report.errors.length === 0 ? 0 : 1
}

async function reportOf(load: () => Loaded) {
  try {
    const {plan, findings} = load()
    const all = [...findings, ...(await resourceFindings(plan))]
    return {template: plan.shownAs, apps: plan.apps.length, errors: [], findings: all.map(flat)}
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
