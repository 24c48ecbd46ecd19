import {identify} from '#redis'
import {UserError} from '../../../model/errors.ts'
import {usualAppPorts} from '../../../proxy/ports/app-port.ts'

/**
 * Returns the port of a space's own Redis, which replaces the one at a port: the port where it answers, else the first free one of the ports that
 * follow from both. Undefined: a real Redis answers at the port itself. Rejects with a UserError if all of these are held by others.
 */
export async function portInSpace(port: number, space: string): Promise<number | undefined> {
  if ((await identify(port)).kind === 'other') return undefined
  const usual = usualAppPorts(`redis\n${space}\n${port}`)
  const answerers = await Promise.all(usual.map(async each => identify(each)))
  const own = answerers.findIndex(each => each.kind === 'built-in' && each.space === space)
  const free = answerers.findIndex(({kind}) => kind === 'none')
  const found = usual[own === -1 ? free : own]
  if (found !== undefined) return found
  throw new UserError(`no port is free for the Redis of this copy: ${usual.join(', ')} are held by others`)
}
