// Addresses of other services: containers have their names in one network, programs find them at ports of this machine.
import {pathFrom} from '../imported.ts'
import {numberOf, plainNumbers} from '../ports.ts'
import {envFileVariables} from '../reading/variables.ts'
import {listedValues, pathOfEntry, textValue, variablePairs} from '../reading/yaml-file.ts'
import {withValues} from './project.ts'
import {healthCommand, isPort, portsOf, startWords, usualPort, type Env, type Service, type Stack} from './service.ts'

/** Returns the variables of a service with addresses of other services as here, and notes on variables that a person has to write. */
export function variablesHere(service: Service, stack: Stack, isHere: boolean): {env: Env; notes: readonly string[]} {
  const [own, env] = [variablePairs(service.values['environment']), allVariables(service, stack)]
  const notes: string[] = []
  const moved = Object.entries(env).map(([name, value]) => {
    const caller: Caller = {service, stack, isHere, variable: name, env, notes}
    return [name, value, withPair(name, value, caller) ?? pointed(value, caller)] as const
  })
  // a value of an env file may be a secret: the shared template gets it only if it is a plain address
  const isSecret = (name: string, value: string): boolean => !(name in own) && !ADDRESS.test(value)
  const secret = moved
    .filter(([name, value, here]) => !isSame(value, here) && isSecret(name, value))
    .map(([name]) => name)
  if (secret.length > 0)
    notes.push(
      `env_file: ${secret.join(', ')}: hosts in it are ${isHere ? 'localhost' : 'at other ports'} here: write that`
    )
  for (const [name, value, here] of moved)
    if (isSame(value, here)) notes.push(...bareNotes(name, value, {service, stack, isHere}))
  const kept = moved.filter(([name, value, here]) => name in own || (!isSame(value, here) && !secret.includes(name)))
  return {env: Object.fromEntries(kept.map(([name, , here]) => [name, here])), notes: [...new Set(notes)]}
}

const isSame = (value: string, here: string): boolean => plainNumbers(here) === value

/** A service whose variable or command is read, for the search of other services in it. */
interface Caller {
  readonly service: Service
  readonly stack: Stack
  /** Whether the service runs as a program of this machine, or in its network; false: it is a container in the network of the run. */
  readonly isHere: boolean
  /** The name of the variable with the text; omitted: the text is a word of a command. */
  readonly variable?: string
  readonly env?: Env
  readonly notes?: string[]
}

/** `api:3000`, `http://api:3000/x`: an address without a password. */
const ADDRESS = /^(?:\w+:\/\/)?[\w.-]+(?::\d+)?(?:\/[\w./-]*)?$/

/** Places in a text that may name a host: `db`, `db:5432`, `//user@db:5432/x`, `Host=db;Port=5432`, `Server=db,1433`; not a user, `//db:secret@` */
const PLACES =
  /(\s*\b(?:[Hh]ost(?:[Nn]ame)?|HOST|[Ss]erver|SERVER|[Dd]ata [Ss]ource|[Aa]ddr(?:ess)?)\s*=\s*(?:tcp:)?|^|\/\/|@|[=,"'[(]|(?<=--[\w-]+)\s)([\w.-]+)(?:([:,])(\d+)|(?!:[^\d$]))(?![\w.-]|\s*=|(?:[^/\s"',;{]|\{[^{}]*\}){0,255}@)/g

/** The name of this machine: clients of MySQL take `localhost` for a socket of the file system. */
const machineFor = ({values}: Service): string =>
  /mysql|mariadb/.test(textValue(values['image'])) ? '127.0.0.1' : 'localhost'

/** Usual ports of the schemes of URLs. */
const WEB_PORTS = new Map([
  ['http', '80'],
  ['ws', '80'],
  ['https', '443'],
  ['wss', '443']
])
/** Variables whose whole value may be the name of a host. */
const HOST = /^(?!.*_ID$).*(?:HOST|ADDR|SERVER|ENDPOINT|BROKER|NODE|URL|URI)/i

/** Returns a text in which each address of another service is the one at which the caller reaches that service. */
export function pointed(typed: string, {service, stack, isHere, variable = '', env = {}, notes = []}: Caller): string {
  // Spring finds the services of such a URL in a registry
  if (typed.startsWith('lb://')) return typed
  const text = isHere ? typed.replaceAll('host.docker.internal', 'localhost') : typed
  let ofKey: Service | undefined
  const changed = text.replaceAll(PLACES, (whole, before: string, name: string, sign?: string, port?: string) => {
    const other = stack.hosts.get(name)
    const isOwn = other?.id === service.id && !isHere
    if (other === undefined || isOwn || (!isHere && !stack.programs.has(other.id))) return whole
    const [isKey, isUrl] = [before.length > 2, before === '//' || before === '@']
    const isNamed = isKey || isUrl || (name === text && HOST.test(variable))
    if ((port === undefined || sign === ',') && !isNamed) return whole
    if (isKey) ofKey = other
    const usual = WEB_PORTS.get(isUrl ? text.replace(/:.*/s, '') : '') ?? `${insidePort(other, stack)}`
    const at = portHere(other, port ?? usual, stack)
    const number = plainNumbers(at)
    const host = isHere ? machineFor(other) : name
    if (port !== undefined) return `${before}${host}${sign ?? ':'}${at}`
    if (isUrl && stack.programs.get(other.id) === 0)
      notes.push(`env: the port of ${other.id} is not known: write it behind ${host}`)
    if (isUrl && at !== usual && number !== '0') return `${before}${host}:${at}`
    const hasPort = /\bport\s*=/i.test(text) || Object.keys(env).some(each => isPair(each, variable))
    if (!isUrl && number !== usual && Number(number) > 0 && !hasPort)
      notes.push(`${other.id} is at port ${at} here, not at ${usual}: write that next to ${variable}`)
    return `${before}${host}`
  })
  return changed.replace(/(\bport\s*=\s*)(\d+)/i, (whole, key: string, port: string) =>
    ofKey === undefined ? whole : key + portHere(ofKey, port, stack)
  )
}

/** Whether two variables are as `DB_PORT` and `DB_HOST`, or `db.port` and `db.host`. */
export const isPair = (port: string, host: string): boolean =>
  /PORT$/i.test(port) && HOST.test(host) && port.replace(/[_.-]?PORT$/i, '') === host.replace(OF_HOST, '')
const OF_HOST = /[_.-]?(?:HOST(?:_?NAME)?|ADDR(?:ESS)?|SERVER|ENDPOINT|URL|URI)$/i

/** The value of `DB_PORT` next to `DB_HOST`, of another service; undefined: it is something else. */
function withPair(name: string, value: string, {service, stack, isHere, env = {}}: Caller): string | undefined {
  const host = Object.keys(env).find(each => isPair(name, each)) ?? ''
  const other = stack.hosts.get(env[host] ?? '')
  if (other === undefined || other.id === service.id || (!isHere && !stack.programs.has(other.id))) return undefined
  return portHere(other, value, stack)
}

/** Names of variables whose value may equal the name of a service, and is not a host: `DB_USER=postgres`. */
const NO_HOST =
  /USER|PASS|(?<!HOST)NAME|_DB$|DATABASE$|ROLE|MODE|TYPE|PROFILE|DRIVER|CONNECTION|ENGINE|BACKEND|ADAPTER|STORE|SCHEMA|KEY|TOPIC|QUEUE|SECRET|DIALECT|CLIENT|TARGET|ENV$|_ID$/i
const NAMES_HOST = /(?:^|_|^PG)(?:HOST|SERVER|ADDR|ADDRESS|ENDPOINT|BROKER|URL|URI)$/i
/** An address that a network of containers gave, with a port or without. */
const OF_NETWORK = /^(?:\w+:\/\/)?(?:172\.(?:1[6-9]|2\d|3[01])|192\.168|10\.\d+)\.\d+\.\d+(?![\d./])/
const ANY = /^(?:true|false|localhost|all|any|auto|none|default|yes|no|on|off)$/

/** Returns notes on values that may be the name of a host, and that the template has unchanged. */
function bareNotes(name: string, value: string, {service, stack, isHere}: Caller): readonly string[] {
  const other = stack.hosts.get(value)
  const isOther = isHere && other !== undefined && other.id !== service.id && !NO_HOST.test(name)
  const isUnknown = other === undefined && NAMES_HOST.test(name) && /^[a-z][\w-]*$/.test(value) && !ANY.test(value)
  // values of a file of variables may be secret
  const isOwn = name in variablePairs(service.values['environment'])
  if (OF_NETWORK.test(value)) return [`env: ${name}: ${isOwn ? value : 'its value'} is an address of another network`]
  if (isOther)
    return [`env: ${name}: ${isOwn ? value : 'its value'} is the name of a service: if it is a host, write localhost`]
  return isUnknown
    ? [`env: ${name}: there is no service ${isOwn ? value : 'of that name'}: write the host that it is here`]
    : []
}

/** The port on which a service listens in its container; 0: not known. */
const insidePort = (other: Service, {targets}: Stack): number =>
  targets.get(other.id) ?? (usualPort(other) || Number(portsOf(other)[0]?.target ?? 0) || 0)

/** Returns the number at which a service's port is reached on this machine. */
export function portHere(other: Service, port: string, {programs, file}: Stack): string {
  const called = programs.get(other.id)
  if (called !== undefined) return called > 0 ? numberOf(other.id, called) : port
  const ports = portsOf(other).map(each => ({...each, target: withValues(each.target, file)}))
  const published = ports.find(({target}) => target === port)?.published ?? ''
  return isPort(published, file) ? published : port
}

/** Returns the variables of a service's env files, in which addresses of other services change, too. */
export const variablesOfFiles = ({values}: Service, {file}: Stack): Env =>
  Object.assign(
    {},
    ...listedValues(values['env_file']).map(each =>
      envFileVariables(pathFrom(file, withValues(pathOfEntry(each), file)))
    )
  ) as Env

const allVariables = (service: Service, stack: Stack): Env => ({
  ...variablesOfFiles(service, stack),
  ...variablePairs(service.values['environment'])
})

const NAMED = /(?<![\w.-])([a-z][\w.-]*):(\d{2,5})(?![\w.-]|[^/\s"',;]{0,255}@)|(?:^|\/\/|@|=)([\w.-]+)(?=[/?,;]|$)/g

/** The services that others name as hosts in commands, health checks and variables, with the port, '' for none. */
export function addressesNamed(service: Service, stack: Stack): readonly (readonly [id: string, port: string])[] {
  const words = [...startWords(service), ...(healthCommand(service) ?? [])]
  return [...words, ...Object.values(allVariables(service, stack))].flatMap(text =>
    Array.from(text.matchAll(NAMED), ([, host, port = '', alone = '']) => {
      return [stack.hosts.get(host ?? alone)?.id ?? '', port] as const
    })
  )
}
