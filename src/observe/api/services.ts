import type * as Api from '../../model/api.generated.ts'
import {ApiProblem} from './problem.ts'
import type {ApiRequest} from './route.ts'
import type {RunControl} from '../../control/run-control.ts'

/** The Daeploy services of a run. */
export const listServices = ({services}: RunControl): Api.Services => ({services: services()})

/** Makes a version the main one. Throws an ApiProblem if it cannot be. */
export const assignService = (control: RunControl, {at}: ApiRequest): Api.Services =>
  changed(control, control.assign(...serviceIn(at)))

/** Removes a version from the run. Throws an ApiProblem if it cannot be. */
export const removeService = async (control: RunControl, {at}: ApiRequest): Promise<Api.Services> =>
  changed(control, await control.remove(...serviceIn(at)))

function changed(control: RunControl, why: string): Api.Services {
  if (why !== '') throw new ApiProblem(409, why)
  return listServices(control)
}

function serviceIn({name = '', version = ''}: ApiRequest['at']): readonly [name: string, version: string] {
  try {
    return [decodeURIComponent(name), decodeURIComponent(version)]
  } catch {
    throw new ApiProblem(400, `${name}/${version} is not a service`, 'Percent-encode it (RFC 3986).')
  }
}
