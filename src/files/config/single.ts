import {statSync} from 'node:fs'
import {resolve} from 'node:path'
import {UserError} from '../../model/errors.ts'
import type {Plan, ResourcesPlan} from '../../model/plan.ts'
import {resolveApp, type Overrides} from './app.ts'
import type {AppValues} from './keys.ts'
import {defaultResources, type Surroundings} from './locate.ts'
import {noSettings} from './merge.ts'
import {absolutePath, statFault} from './paths.ts'

/** The folder of the command, and its further settings. */
interface SingleContext extends Surroundings, Pick<Overrides, 'variables'> {
  readonly cwd: string
}

/**
 * Returns the plan of a single app from its flags, by the names of the template's keys. Relative paths start at the current folder. Throws a `UserError` with Dapr's bare
 * text for an invalid value.
 */
export function singlePlan(id: string, values: AppValues, around: SingleContext): Plan {
  const settings = noSettings(id, around.cwd, values)
  const {home, variables} = around
  const resources = resourcesOf(values, around)
  const app = resolveApp(settings, {home, resources, s2i: undefined, ...(variables && {variables})})
  return {name: '', file: '', shownAs: '', managerPort: 'none', apps: [app]}
}

/** Returns the resources that the flags name. Their paths must exist (`ValidateComponents` in Dapr's CLI). */
function resourcesOf(values: AppValues, {cwd, ...surroundings}: SingleContext): ResourcesPlan {
  const usual = defaultResources(cwd, surroundings, absolutePath(values.runtimePath ?? '', cwd, surroundings.home))
  const typed = values.resourcesPaths ?? []
  for (const path of typed) {
    const absolute = resolve(cwd, path)
    const fault = statFault(absolute, path) || (statSync(absolute).isDirectory() ? '' : `${path} is not a directory`)
    if (fault !== '') throw new UserError(`error validating resources path ${JSON.stringify(typed)} : ${fault}`)
  }
  const config = values.configFilePath ?? ''
  const fault = config === '' ? '' : statFault(resolve(cwd, config), config)
  // in daprd's words: Dapr's CLI leaves this error to the sidecar
  if (fault !== '') throw new UserError(`error loading configuration: ${fault}`)
  return {
    folders: typed.length > 0 ? typed.map(path => resolve(cwd, path)) : usual.folders,
    configFile: config === '' ? usual.configFile : resolve(cwd, config),
    defaultFolder: usual.defaultFolder
  }
}
