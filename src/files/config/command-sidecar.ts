import type {AppPlan} from '../../model/plan.ts'
import {resolveApp, type Overrides} from './app.ts'
import type {Template} from './decode.ts'
import type {Source} from './diagnose.ts'
import type {AppValues} from './keys.ts'
import {locateApps, type Surroundings} from './locate.ts'
import {noSettings, untilMistake} from './merge.ts'
import {words} from '../../model/words.ts'

/** Keys of `common` that apply to a command: those about the sidecar and the environment, not about a process. */
const KEYS = words(
  'env logLevel enableApiLogging maxBodySize readBufferSize apiListenAddresses record'
) satisfies readonly (keyof AppValues)[]

interface CommandSidecar extends Surroundings, Pick<Overrides, 'variables'> {
  readonly id: string
  /** The folder of the command. */
  readonly cwd: string
  readonly folder: string
  readonly source: Source
}

/** Returns the plan of a sidecar for a command outside the template. Throws a `UserError` for a value of `common` that does not fit. */
export function commandSidecar(template: Template, {id, cwd, source, variables, ...around}: CommandSidecar): AppPlan {
  const {values} = template.common
  const app = {values: {appDirPath: cwd}, pairs: new Map(), spot: {start: 0, end: 0}}
  const [location] = locateApps({...template, apps: [app]}, {source, ...around}, untilMistake)
  if (location === undefined) throw new Error('no location')
  const chosen = Object.fromEntries(KEYS.flatMap(key => (values[key] === undefined ? [] : [[key, values[key]]])))
  const settings = noSettings(id, cwd, chosen)
  const resources = {...location.resources, areOptional: true}
  return resolveApp(settings, {home: around.home, resources, s2i: undefined, ...(variables && {variables})})
}
