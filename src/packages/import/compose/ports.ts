import {join} from 'node:path'
import {callsIn} from './environment.ts'
import {withValues} from './project.ts'
import {buildOf, portsOf, publishedPort, usualPort, type Service, type Stack} from './service.ts'
import {portOfDockerfile} from '../reading/dockerfile.ts'
import {calledAt, type PortKeys} from '../reading/listening.ts'
import {hasMovedBind} from '../reading/shell-words.ts'
import {portNumber} from '../reading/variables.ts'
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
export function programPorts(programs: Programs, {services, file}: Stack): ReadonlyMap<string, PortKeys> {
  const others = [...services.values()].filter(({id}) => !programs.has(id))
  const all = others.flatMap(portsOf).flatMap(({published, target}) => numbersOf(published || target, file))
  const used = new Set([...others.map(each => Number(publishedPort(each))), ...all])
  const ports = new Map<string, PortKeys>()
  for (const [id, program] of [...programs].toSorted(([, a], [, b]) => rank(a) - rank(b))) {
    const published = [...programs.values()].filter(each => each !== program).map(publishedNumber)
    const start = portOf(program, new Set([...used, ...published]))
    ports.set(id, start)
    for (const key of ['port', 'appPort']) used.add(Number(start.keys[key] ?? 0))
  }
  return ports
}

/** The numbers of this machine in a port as it is written, each of a range. */
function numbersOf(text: string, file: Stack['file']): readonly number[] {
  const written = withValues(text, file)
  const [first = portNumber(written), last = first] = written.split('-').flatMap(each => Number(each) || [])
  return Array.from({length: Math.min(last - first, 999) + 1}, (_, at) => first + at)
}

/** Numbers that cannot be chosen come first. */
const rank = (program: ListeningProgram): number =>
  publishedNumber(program) > 0 ? 0 : program.start.move === undefined ? 1 : 2

/** The number that it publishes; 0: none. */
export const publishedNumber = ({service}: ListeningProgram): number =>
  Number(/^\d+(?=$|-)/.exec(portsOf(service).find(({isUdp}) => !isUdp)?.published ?? '')?.[0] ?? 0)

function portOf(program: ListeningProgram, used: ReadonlySet<number>): PortKeys {
  const {service, start} = program
  const [published, own] = [publishedNumber(program), ownPort(program)]
  if (service.sidecar !== undefined) return withSidecarPort(program, used)
  if (own === 0) return start
  if (published > 0) return calledAt(start, published)
  const called = start.move === undefined ? own : freeFrom(own, used)
  return called === own ? start : calledAt(start, called)
}

/** A program that its sidecar calls, too: at the number that daprd got. */
function withSidecarPort(program: ListeningProgram, used: ReadonlySet<number>): PortKeys {
  const {service, start, folder} = program
  const published = publishedNumber(program)
  const own = Number(service.sidecar?.keys['appPort'] ?? 0)
  const {port: _port, appPort: _appPort, ...others} = start.keys
  if (own === 0) return {...start, keys: others}
  const isMoved = used.has(own) && hasMovedBind(textsOf(start.keys['command']), folder)
  const keys = isMoved ? {autoPort: true, fixedPort: own} : {appPort: own}
  const front = published > 0 && published !== own ? {port: published} : {}
  return {...start, keys: {...front, ...keys, ...others}}
}

/** The services, each container with ports that others call, or of its image, published at the same or the next free number. */
export function withPublished(stack: Stack, programs: Programs): Stack['services'] {
  const {services, file} = stack
  const isHere = ({id, values}: Service): boolean => programs.has(id) || values['network_mode'] === 'host'
  const called = callsIn(stack, new Map([...services].filter(([, each]) => isHere(each))))
  const used = new Set(Array.from(programs.values(), ownPort))
  for (const each of services.values()) {
    if (each.values['network_mode'] === 'host') used.add(Number(publishedPort(each)))
    for (const port of portsOf(each).flatMap(({published}) => numbersOf(published, file))) used.add(port)
  }
  const publish = (port: string): string => {
    const free = freeFrom(Number(port), used)
    used.add(free)
    return `${free}:${port}`
  }
  const withPorts = (service: Service): Service => {
    const {id, values, sidecar} = service
    const own = portsOf(service).map(({target}) => target)
    if (programs.has(id) || 'network_mode' in values || own.some(each => /\D/.test(each))) return service
    const {folder = '', dockerfile = ''} = buildOf(service, stack) ?? {}
    const usual = usualPort(service) || portOfDockerfile(join(folder, dockerfile))
    const known = sidecar?.keys['appPort'] ?? (own.length === 0 && sidecar === undefined ? usual : 0)
    const named = called.flatMap(([name, port]) => (name === id ? [port || `${usual}`] : []))
    const wanted = new Set([Number(known).toString(), ...named])
    const written = listedValues(values['ports']).map(each => {
      const [port] = portsOf({...service, values: {ports: [each]}})
      const isChosen = port?.published === '' && !port.isUdp
      const here = isChosen ? publish(port.target) : ''
      if (port === undefined || here === '' || here === `${port.target}:${port.target}`) return each
      return port.address === '' ? here : `${port.address}:${here}`
    })
    const added = [...wanted].filter(port => port !== '0' && !own.includes(port)).map(publish)
    const address = sidecar === undefined ? '' : '127.0.0.1:'
    const ports = [...written, ...added.map(port => address + port)]
    return ports.length === 0 ? service : {...service, values: {...values, ports}}
  }
  return new Map(Array.from(services, ([id, service]) => [id, withPorts(service)]))
}

/** The number, or the next one that is not used. */
export function freeFrom(port: number, used: ReadonlySet<number>): number {
  let free = port
  while (used.has(free)) free += 1
  return free
}
