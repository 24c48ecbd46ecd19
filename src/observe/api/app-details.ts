import type * as Api from '../../model/api.generated.ts'
import {endOf} from '../../model/exit-text.ts'
import {isNamedSo} from '../../model/plan.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {RunControl} from '../../control/run-control.ts'
import type {RunFacts} from './run-facts.ts'
import {appsNamed, isVersion, type AppName} from './apps.ts'
import {ApiProblem} from './problem.ts'

/** The latest last. Throws an ApiProblem if the run has no such app. */
export function deathsOf({control, deaths}: RunFacts, name: AppName): Api.Deaths {
  const [{id} = name] = appsNamed(control.list().apps, name)
  const all =
    deaths?.all(id).filter(death => isNamedSo({id, name: death.name}, name.id) && isVersion(name, death.version)) ?? []
  return {
    deaths: all.map(({number, name: app, exit, at, livedMs, files, inside}) => ({
      number,
      name: app,
      exit: endOf(exit),
      at: new Date(at).toISOString(),
      livedMs,
      files,
      inside: inside.reduce((sum, {count}) => sum + count, 0)
    }))
  }
}

/** Throws an ApiProblem if the run has no such app, or it is stopped. */
export async function maskedEnvironment({control, masked}: RunFacts, name: AppName): Promise<Api.Environment> {
  const launch = await launchOf(control, name)
  const masking = new Masking(masked())
  return {
    folder: launch.folder,
    command: masking.command(launch.command),
    variables: launch.added.toSorted().map(each => [each, masking.named(each, launch.environment[each] ?? '')])
  }
}

/** Returns how a process of an app would be started now, with its secrets. Throws an ApiProblem as above. */
export async function launchOf(control: RunControl, name: AppName): Promise<Api.Launch> {
  appsNamed(control.list().apps, name)
  const launch = await control.launch(name.id, name.version)
  if (launch === undefined) throw new ApiProblem(409, `"${name.id}" is stopped: it has no environment`, 'Start it.')
  return launch
}
