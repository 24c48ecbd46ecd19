import {resolve} from 'node:path'
import {UserError} from '../model/errors.ts'
import type {Plan, ResourcesPlan} from '../model/plan.ts'
import {resolveApp} from './app.ts'
import type {AppValues} from './keys.ts'
import {defaultResources, type Surroundings} from './locate.ts'
import {noSettings, type Complaint, type Settings} from './merge.ts'
import {statFault} from './paths.ts'

/** What the command line says of an app, under the names that a template has for it. */
export type SingleSettings = AppValues

/**
 * The plan of a single app: what its flags say, by the names that the template has for them, in the folder where it was
 * typed. Throws a `UserError` with the bare text that Dapr prints for a wrong value.
 */
export function singlePlan(id: string, values: SingleSettings, around: Surroundings & {readonly cwd: string}): Plan {
  const settings: Settings = {
    ...noSettings(id, around.cwd),
    values,
    isOwn: key => key in values,
    refuse,
    refuseAtStart: refuse,
    refuseToStart: refuse
  }
  const app = resolveApp(settings, {
    home: around.home,
    resources: resourcesOf(values, around),
    s2i: undefined,
    watch: false
  })
  return {name: '', file: '', shownAs: '', managerPort: 'none', apps: [app]}
}

function refuse({message}: Complaint): never {
  throw new UserError(message)
}

/** Paths of flags start where they were typed, and must lead somewhere (`ValidateComponents` in Dapr's CLI). */
function resourcesOf(values: AppValues, {cwd, ...surroundings}: Surroundings & {readonly cwd: string}): ResourcesPlan {
  const usual = defaultResources(cwd, surroundings)
  const typed = values.resourcesPaths ?? []
  for (const path of typed) {
    const fault = statFault(resolve(cwd, path), path)
    if (fault !== '') throw new UserError(`error validating resources path ${JSON.stringify(typed)} : ${fault}`)
  }
  return {
    folders: typed.length > 0 ? typed.map(path => resolve(cwd, path)) : usual.folders,
    configFile: values.configFilePath ? resolve(cwd, values.configFilePath) : usual.configFile,
    defaultFolder: usual.defaultFolder
  }
}
