import type {AppPlan} from '../../model/plan.ts'
import {resolveApp} from './app.ts'
import {readS2i} from './environment.ts'
import {defaultResources, type Surroundings} from './locate.ts'
import {noSettings} from './merge.ts'

/** A deployed service, in the terms of a template's entry. */
interface DeployedService {
  readonly name: string
  readonly version: string
  readonly folder: string
  readonly fixedPort: number
  readonly env: Readonly<Record<string, string>>
}

/** Returns the plan of a deployed service. Throws a `UserError` if its folder names no program. */
export function deployedPlan({name, version, folder, fixedPort, env}: DeployedService, around: Surroundings): AppPlan {
  const settings = noSettings(name, folder, {version, fixedPort, env})
  // without Daeploy's file, the folder starts as with an empty file
  const s2i = readS2i(settings, around.env['PATH'] ?? '', {isExpected: true})
  return resolveApp(settings, {home: around.home, resources: defaultResources(folder, around), s2i})
}
