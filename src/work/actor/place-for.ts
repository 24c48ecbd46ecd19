import type {Actor} from './actor.ts'
import type {ActorRequest} from './actor-host.ts'
import {placeAmong, type Hosting} from './hosting.ts'

/** A process that is to end waits for it. */
const isNested = ({isRetiring, host}: Hosting, {caller}: ActorRequest): boolean =>
  isRetiring && host.instance === caller?.instance && host.isBusy

/** Where a call to an actor goes now. `held`: it waits for a host; `unhosted`: none will come. */
export function placeFor(
  {place, type, id}: Actor,
  request: ActorRequest,
  mayHost: (type: string) => boolean
): Hosting | 'held' | 'unhosted' {
  if (place !== undefined) return place.isOpen || isNested(place, request) ? place : 'held'
  const hosts = [...type.hosts]
  const open = hosts.filter(each => each.isOpen)
  const found = placeAmong(open, type.name, id)
  if (found !== undefined) return found
  const own = hosts.find(each => isNested(each, request))
  if (own !== undefined) return own
  const mayCome = hosts.some(({host}) => host.state !== 'shut') || mayHost(type.name)
  return mayCome ? 'held' : 'unhosted'
}
