import {join} from 'node:path'
import {addressesNamed} from './addresses.ts'
import {buildOf, portsOf, publishedPort, usualPort, type Service, type Stack} from './service.ts'
import {portOfDockerfile} from '../reading/dockerfile.ts'
import {calledAt, type PortKeys} from '../reading/listening.ts'
import {hasMovedBind} from '../reading/shell-words.ts'
import {listedValues, textsOf} from '../reading/yaml-file.ts'

/** A program of a compose file, with its command and the keys for the number on which it listens, if that is known. */
export interface ListeningProgram {
  readonly service: Service
  readonly folder: string
  readonly start: PortKeys
}

/** The number on which it listens in its own folder; 0: not known. */
export const ownPort = ({start: {keys}}: Pick<ListeningProgram, 'start'>): number =>
  Number(keys['port'] ?? keys['appPort'] ?? 0)

type Programs = ReadonlyMap<string, ListeningProgram>

/** Returns the ports of programs: the published one, else the one on which they listen, or the next free one for several. */
export function programPorts(programs: Programs, {services}: Stack): ReadonlyMap<string, PortKeys> {
  const containers = [...services.values()].filter(({id}) => !programs.has(id))
  const used = new Set(containers.flatMap(each => [Number(publishedPort(each)), ...portsOf(each).map(firstNumber)]))
  const ports = new Map<string, PortKeys>()
  for (const program of programs.values()) used.add(publishedNumber(program))
  // numbers that cannot be chosen come first
  for (const [id, program] of [...programs].toSorted(([, a], [, b]) => rank(a) - rank(b))) {
    const start = portOf(program, used)
    ports.set(id, start)
    for (const key of ['port', 'appPort']) used.add(Number(start.keys[key] ?? 0))
  }
  return ports
}

const rank = (program: ListeningProgram): number =>
  publishedNumber(program) > 0 ? 0 : program.start.move === undefined ? 1 : 2

const firstNumber = ({published, target}: {readonly published: string; readonly target: string}): number =>
  Number.parseInt(published || target) || 0

/** The number that a program publishes; 0: none. */
export const publishedNumber = ({service}: ListeningProgram): number =>
  Number(/^\d+(?=$|-)/.exec(portsOf(service).find(({isUdp}) => !isUdp)?.published ?? '')?.[0] ?? 0)

function portOf(program: ListeningProgram, used: ReadonlySet<number>): PortKeys {
  const {service, start} = program
  const [published, own] = [publishedNumber(program), ownPort(program)]
  if (service.sidecar !== undefined) return withSidecarPort(program, used)
  if (own === 0) return start
  const called = published || (start.move === undefined ? own : freeFrom(own, used))
  return called === own && published === 0 ? start : calledAt(start, called)
}

/** A program that its sidecar calls, too: at the number that daprd got. */
function withSidecarPort({service, start, folder}: ListeningProgram, used: ReadonlySet<number>): PortKeys {
  const own = Number(service.sidecar?.keys['appPort'] ?? 0)
  const {port: _port, appPort: _appPort, ...others} = start.keys
  if (own === 0) return {...start, keys: others}
  const published = publishedNumber({service, start, folder})
  const isMoved = used.has(own) && published !== own && hasMovedBind(textsOf(start.keys['command']), folder)
  const front = published > 0 && published !== own ? {port: published} : {}
  return {...start, keys: {...front, ...(isMoved ? {autoPort: true, fixedPort: own} : {appPort: own}), ...others}}
}

/** The services, each container with ports that programs call, or of its image, published at the same or the next free number. */
export function withPublished(stack: Stack, programs: Programs): Stack['services'] {
  const isHere = ({id, values}: Service): boolean => programs.has(id) || values['network_mode'] === 'host'
  const called = [...stack.services.values()].filter(isHere).flatMap(each => addressesNamed(each, stack))
  const used = new Set(Array.from(programs.values(), ownPort))
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

/** The number, or the next one that is not used. */
export function freeFrom(port: number, used: ReadonlySet<number>): number {
  let free = port
  while (used.has(free)) free += 1
  return free
}
