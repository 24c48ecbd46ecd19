import {join} from 'node:path'
import {callsIn} from './environment.ts'
import {withValues} from './project.ts'
import {buildOf, portsOf, publishedPort, usualPort, type Service, type Stack} from './service.ts'
import {portOfDockerfile} from '../reading/dockerfile.ts'
import {hasMovedBind, readsPort} from '../reading/shell-words.ts'
import {portNumber} from '../reading/variables.ts'
import {listedValues, variablePairs, type Values} from '../reading/yaml-file.ts'

/** A program of a compose file that listens. */
export interface ListeningProgram {
  readonly service: Service
  readonly folder: string
  readonly command: readonly string[]
  /** The port that its code or the file names; 0: none is known. */
  readonly target: number
  /** Whether it listens at the number that the run gives in PORT. */
  readonly isTold?: boolean
}

/** Port of a program, and the keys of the template for it. */
export interface ProgramPort {
  /** 0: not known. */
  readonly called: number
  readonly keys: Values
  /** PORT is left to the run. */
  readonly getsPort: boolean
}

type Programs = ReadonlyMap<string, ListeningProgram>
type Kind = 'movable' | 'variable' | 'fixed'

/** Returns the ports of programs: the published one, else the one on which they listen, or the next free one for several. */
export function programPorts(programs: Programs, {services, file}: Stack): ReadonlyMap<string, ProgramPort> {
  const others = [...services.values()].filter(({id}) => !programs.has(id))
  const all = others.flatMap(portsOf).flatMap(({published, target}) => numbersOf(published || target, file))
  const used = new Set([...others.map(each => Number(publishedPort(each))), ...all])
  const ports = new Map<string, ProgramPort>()
  for (const [id, program] of [...programs].toSorted(([, a], [, b]) => rank(a) - rank(b))) {
    const published = [...programs.values()].filter(each => each !== program).map(numberOf)
    const port = portOf(program, new Set([...used, ...published]))
    ports.set(id, port)
    for (const each of [port.called, Number(port.keys['appPort'] ?? 0)]) used.add(each)
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
const rank = (program: ListeningProgram): number => (numberOf(program) > 0 ? 0 : kindOf(program) === 'fixed' ? 1 : 2)

/** The number that it publishes; 0: none. */
const numberOf = ({service}: ListeningProgram): number =>
  Number(/^\d+(?=$|-)/.exec(portsOf(service).find(({isUdp}) => !isUdp)?.published ?? '')?.[0] ?? 0)

/** Whether a command line reads the number in PORT. */
export const isToldIn = (command: readonly string[]): boolean => /\$\{?PORT\b/.test(command.join(' '))

function kindOf({command, folder, service, target, isTold}: ListeningProgram): Kind {
  if (isTold === true || isToldIn(command)) return 'variable'
  if (hasMovedBind(command, folder)) return 'movable'
  const readsVariable = variablePairs(service.values['environment'])['PORT'] === target.toString()
  return readsVariable || readsPort(command.join(' ')) ? 'variable' : 'fixed'
}

function portOf(program: ListeningProgram, used: ReadonlySet<number>): ProgramPort {
  const {service, target} = program
  const kind = kindOf(program)
  const published = numberOf(program)
  const own = Number(service.sidecar?.keys['appPort'] ?? 0)
  if (service.sidecar !== undefined) {
    if (own === 0) return {called: published, keys: {}, getsPort: false}
    const app = used.has(own) && kind === 'movable' ? {autoPort: true, fixedPort: own} : {appPort: own}
    const isOther = published > 0 && published !== own
    return {called: published || own, keys: isOther ? {port: published, ...app} : app, getsPort: false}
  }
  if (target === 0) {
    // PORT has no number: the run gives it one
    const isVariable = isToldIn(program.command)
    return {called: published, keys: isVariable ? {autoPort: true} : {}, getsPort: isVariable}
  }
  const called = published || (kind === 'fixed' ? target : freeFrom(target, used))
  if (kind === 'fixed')
    return {called, keys: {...(called === target ? {} : {port: called}), appPort: target}, getsPort: false}
  const isInCode = kind === 'movable' && called !== target
  return {called, keys: isInCode ? {port: called, fixedPort: target} : {port: called}, getsPort: !isInCode}
}

/** The services, each container with ports that others call, or of its image, published at the same or the next free number. */
export function withPublished(stack: Stack, programs: Programs): Stack['services'] {
  const {services, file} = stack
  const isHere = ({id, values}: Service): boolean => programs.has(id) || values['network_mode'] === 'host'
  const called = callsIn(stack, new Map([...services].filter(([, each]) => isHere(each))))
  const used = new Set(Array.from(programs.values(), ({target}) => target))
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
