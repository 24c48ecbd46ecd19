import type {ListensAt} from '../imported.ts'
import {join} from 'node:path'
import {addressesNamed} from './addresses.ts'
import {buildOf, portsOf, usualPort, type Service, type Stack} from './service.ts'
import {portOfDockerfile} from '../reading/dockerfile.ts'
import {freeFrom} from '../ports.ts'
import {listedValues} from '../reading/yaml-file.ts'

/** A program of a compose file, and where it listens in its own folder. */
export interface ListeningProgram {
  readonly service: Service
  readonly folder: string
  readonly command: readonly string[]
  readonly listens: ListensAt
}

type Programs = ReadonlyMap<string, ListeningProgram>

/** The number that a program publishes; 0: none. */
export const publishedNumber = ({service}: ListeningProgram): number =>
  Number(/^\d+(?=$|-)/.exec(portsOf(service).find(({isUdp}) => !isUdp)?.published ?? '')?.[0] ?? 0)

/** Returns a program's port: callers use its published number, its sidecar the number that daprd got. */
export function calledAt(program: ListeningProgram): ListensAt | undefined {
  const {service, listens} = program
  const published = publishedNumber(program)
  const called = published > 0 ? {called: published} : {}
  if (service.sidecar === undefined) return listens.port === 0 ? listens : {...listens, ...called}
  const isOther = published > 0 && ![undefined, published].includes(sidecarPort(service))
  return isOther ? {port: 0, called: published} : undefined
}

const sidecarPort = ({sidecar}: Service): number | undefined =>
  sidecar?.keys['appPort'] === undefined ? undefined : Number(sidecar.keys['appPort'])

/** Number at which others call a program so far; 0: not known. */
export const numberHere = (program: ListeningProgram): number =>
  publishedNumber(program) || (sidecarPort(program.service) ?? program.listens.port)

/** The services, each container with ports that programs call, or of its image, published at the same or the next free number. */
export function withPublished(stack: Stack, programs: Programs): Stack['services'] {
  const isHere = ({id, values}: Service): boolean => programs.has(id) || values['network_mode'] === 'host'
  const called = [...stack.services.values()].filter(isHere).flatMap(each => addressesNamed(each, stack))
  const used = new Set(Array.from(programs.values(), ({listens}) => listens.port))
  for (const each of stack.services.values())
    for (const {published} of portsOf(each)) used.add(Number.parseInt(published) || 0)
  const chosen = (port: number): number => {
    const free = freeFrom(port, used)
    used.add(free)
    return free
  }
  const withPorts = (service: Service): Service => {
    const {id, values, sidecar} = service
    if (programs.has(id) || 'network_mode' in values) return service
    const own = portsOf(service)
    // compose chooses a number where the file has none
    const written = listedValues(values['ports']).map((each, at) => {
      const {address = '', published = '', target = '', isUdp} = own[at] ?? {}
      return address + published !== '' || isUdp || /\D/.test(target) ? each : `${chosen(Number(target))}:${target}`
    })
    const {folder = '', dockerfile = ''} = buildOf(service, stack) ?? {}
    const usual = usualPort(service) || portOfDockerfile(join(folder, dockerfile))
    const known = Number(sidecar?.keys['appPort'] ?? (own.length === 0 ? usual : 0))
    const named = called.flatMap(([name, port]) => (name === id ? [Number(port || usual)] : []))
    const isKnown = own.some(({target}) => /\D/.test(target))
    const isNew = (port: number): boolean => port > 0 && !own.some(({target}) => target === `${port}`)
    const added = isKnown ? [] : [...new Set([known, ...named])].filter(isNew)
    const address = sidecar === undefined ? '' : '127.0.0.1:'
    const ports = [...written, ...added.map(port => `${address}${chosen(port)}:${port}`)]
    return ports.length === 0 ? service : {...service, values: {...values, ports}}
  }
  return new Map(Array.from(stack.services, ([id, service]) => [id, withPorts(service)]))
}
