import {join, relative} from 'node:path'
import {pathFrom} from '../imported.ts'
import {textAt} from '../reading/files.ts'
import {envFileVariables} from '../reading/variables.ts'
import {listedValues, mapOf, textValue, variablePairs} from '../reading/yaml-file.ts'
import {ownOf} from '../../../model/own.ts'
import {portHere} from './names.ts'
import {withValues} from './project.ts'
import {
  ADDRESSES,
  addressesOf,
  buildOf,
  folderOfStack,
  portsOf,
  usualPort,
  type Service,
  type Stack
} from './service.ts'

/** The variables of a service, with the names of other services replaced by where they are reached from `host`. */
export function composeEnvironment(
  service: Service,
  stack: Stack,
  host: string,
  notes: string[]
): Readonly<Record<string, string>> {
  const {services, programs} = stack
  const own = variablePairs(service.values['environment'])
  const env = {...variablesOfFiles(service, stack), ...own}
  const found: Found = {service, stack, host, replaced: new Set(), unpublished: new Map()}
  const {replaced, unpublished} = found
  const all = Object.entries(env).map(([name, value]): [string, string] => [name, pointed(name, value, found)])
  const changed = all.filter(([name, value]) => value !== env[name])
  // other values of a file of variables may be secret, and a template is shared
  const secret = changed.flatMap(([name, value]) => (name in own || ADDRESS.test(value) ? [] : [name]))
  const result = Object.fromEntries(
    all.filter(([name, value]) => name in own || (value !== env[name] && !secret.includes(name)))
  )
  if (secret.length > 0) notes.push(`env_file: ${secret.join(', ')}: what they name is at ${host} here: write that`)
  for (const [id, port] of unpublished) {
    const isVariable = portsOf(services.get(id) ?? service).some(({target}) => target.includes('$'))
    const mend = isVariable ? `the number at which ${port} is published` : `--publish ${port}:${port} into its command`
    notes.push(`env: ${id}${isVariable ? ': its ports are variables' : ` publishes no port ${port}`}: write ${mend}`)
  }
  const unknown = [...replaced].filter(
    id => programs.get(id) === 0 && Object.values(result).some(each => new RegExp(`//${host}(?=$|/)`).test(each))
  )
  if (unknown.length > 0) notes.push(`env: the port of ${unknown.join(' and ')} is not known: write it behind ${host}`)
  if (replaced.size > 0)
    notes.push(`env: ${[...replaced].join(' and ')} ${replaced.size === 1 ? 'is' : 'are'} at ${host} here`)
  for (const other of services.values()) if (replaced.has(other.id)) notes.push(...movedPorts(other, env, stack))
  for (const [name, value] of all) if (value === env[name]) notes.push(...bareNotes(name, value, found))
  if (host !== 'localhost') notes.push(...reachNotes([...replaced], stack))
  return result
}

/** A note on those of the services that are programs, for a container that calls them. */
export function reachNotes(names: readonly string[], {hosts, programs}: Stack): readonly string[] {
  const ids = names.filter(name => programs.has(hosts.get(name)?.id ?? name))
  if (ids.length === 0) return []
  return [`on Linux a container reaches ${ids.join(' and ')} only at an address of the machine: port: 0.0.0.0:NUMBER`]
}

/** `api:3000`, `http://api:3000/x`: an address without a password. */
const ADDRESS = /^(?:\w+:\/\/)?[\w.-]+(?::\d+)?(?:\/[\w./-]*)?$/

/** The paths of its env files, with the variables in them as they are now. */
const envPaths = ({values}: Service, {file}: Stack): readonly string[] =>
  listedValues(values['env_file']).map(each => pathFrom(file, withValues(pathOfEntry(each), file)))

/** An env file is named by its path, or by a map with it. */
export const pathOfEntry = (entry: unknown): string => textValue(entry) || textValue(mapOf(entry)['path'])

/** The variables of its env files: hosts in them are elsewhere here, too. */
export const variablesOfFiles = (service: Service, stack: Stack): Readonly<Record<string, string>> =>
  Object.assign({}, ...envPaths(service, stack).map(envFileVariables)) as Readonly<Record<string, string>>

/** `DATABASE_HOST: db`, a name that has no dot: whole values that may be hosts, and stay as they are. */
function bareNotes(name: string, value: string, {service, stack, host}: Found): readonly string[] {
  const isOther = stack.hosts.has(value) && stack.hosts.get(value)?.id !== service.id && !NO_HOST.test(name)
  const isUnknown = NAMES_HOST.test(name) && /^[a-z][\w-]*$/.test(value) && !stack.hosts.has(value) && !ANY.test(value)
  if (!isOther && !isUnknown) return []
  const place = placeOf([name, value], service, stack)
  // values of a file of variables may be secret
  const isOwn = name in variablePairs(service.values['environment'])
  return [
    isOther
      ? `${place}env: ${name}: ${isOwn ? value : 'its value'} is the name of a service: if it is a host, write ${host}`
      : `${place}env: ${name}: there is no service ${isOwn ? value : 'of that name'}: write the host that it is here`
  ]
}

/** Variables that are called as some services are, and name no host. */
const NO_HOST =
  /USER|PASS|(?<!HOST)NAME|_DB$|DATABASE$|ROLE|MODE|TYPE|PROFILE|DRIVER|CONNECTION|ENGINE|BACKEND|ADAPTER|STORE|SCHEMA|KEY|TOPIC|QUEUE|SECRET|DIALECT|CLIENT|TARGET|ENV$/i
const NAMES_HOST = /(?:^|_)(?:HOST|SERVER|ADDR|ADDRESS|ENDPOINT|BROKER|URL|URI)$/i
const ANY = /^(?:true|false|localhost|all|any|auto|none|default|yes|no|on|off)$/

/** A text with the ports that other services have on this machine. */
export const withPortsHere = (text: string, {id}: Service, stack: Stack): string =>
  text.replaceAll(ADDRESSES, (whole, name: string, port: string) => {
    const other = stack.hosts.get(name)
    return other === undefined || other.id === id ? whole : `${name}:${portHere(other, port, stack)}`
  })

/** Addresses by which a container calls others at ports that only its network had, or itself to others. */
export function privatePorts(service: Service, env: Readonly<Record<string, string>>, stack: Stack): readonly string[] {
  const notes = addressesOf(service, env, /mongo/).flatMap(([text, name, port]) => {
    const other = stack.hosts.get(name)
    const isOwn = other?.id === service.id
    if (other === undefined || stack.programs.has(other.id) || (!isOwn && isPublished(other, port))) return []
    const isHere = isPublished(other, port) && portHere(other, port, stack) === port
    const flag = `publishes no port ${port}: write --publish ${port}:${port} into its command`
    const mend = isHere ? `: write 127.0.0.1 ${name} into /etc/hosts` : `, and it ${flag}`
    const own = `others get ${text} as its address${mend}, and --add-host ${name}:host-gateway into the commands of its callers`
    return [placeOf([text], service, stack) + (isOwn ? own : `${name} ${flag}`)]
  })
  return [...new Set(notes)]
}

/** `compose.yaml:12: `, the line of a service, of its env files or of its Dockerfile that has all texts; '': none has. */
function placeOf(texts: readonly string[], service: Service, stack: Stack): string {
  const build = buildOf(service, stack)
  const image = build === undefined ? [] : [join(build.folder, build.dockerfile)]
  for (const path of [stack.file.path, ...envPaths(service, stack), ...image]) {
    const lines = textAt(path).split('\n')
    const [start, end] = path === stack.file.path ? partOf(service, lines) : [0, lines.length]
    const at = lines.slice(start, end).findIndex(line => texts.every(text => line.includes(text)))
    if (at !== -1) return `${relative(folderOfStack(stack), path)}:${start + at + 1}: `
  }
  return ''
}

/** The first line of a service in a compose file, and that behind its last one; all services, where none is on lines of its own. */
function partOf({id}: Service, lines: readonly string[]): readonly [start: number, end: number] {
  const top = lines.findIndex(line => line.startsWith('services:'))
  const depths = lines.map(line => /^ *(?=[^\s#])/.exec(line)?.[0].length ?? Infinity)
  const depth = depths.find((each, at) => at > top && each < Infinity) ?? 0
  const start = lines.findIndex(
    (line, at) => at > top && depths[at] === depth && /^["']?(.*?)["']?\s*:/.exec(line.trim())?.[1] === id
  )
  const end = depths.findIndex((each, at) => at > start && each <= depth)
  return start === -1 ? [Math.max(top, 0), lines.length] : [start, end === -1 ? lines.length : end]
}

/** `Host=db;Database=x`: it names no port. */
const STRING = /^[\w ]+=(?!.*\bport\s*=).*;/is
/** Ports of addresses that name none. */
const WEB_PORTS = {http: '80', ws: '80', https: '443', wss: '443'}

/** `DB_PORT: 5432`, where that port is another one here. */
const movedPorts = (other: Service, env: Readonly<Record<string, string>>, stack: Stack): readonly string[] =>
  portsOf(other).flatMap(({target}) => {
    const names = Object.keys(env).filter(name => /PORT/i.test(name) && name !== 'PORT' && env[name] === target)
    const here = portHere(other, target, stack)
    if (names.length === 0 || here === target) return []
    return [`env: ${names.join(', ')}: ${other.id} is at port ${here} here, not at ${target}`]
  })

/** Variables whose whole value may be the name of a host. */
const HOST = /HOST|ADDR|SERVER|ENDPOINT|BROKER|NODE|URL|URI/i

/** What hosts in the variables of a service are replaced by, and what was found of them. */
interface Found {
  readonly service: Service
  readonly stack: Stack
  readonly host: string
  readonly replaced: Set<string>
  /** Ports that are named, and not published, by their containers. */
  readonly unpublished: Map<string, string>
}

/** Places in a text that may name a host: `db`, `db:5432`, `//user@db:5432/x`, `Host=db;Port=5432`, `Server=db,1433`; not a user, `//db:secret@` */
const PLACES =
  /(\s*\b(?:[Hh]ost(?:[Nn]ame)?|HOST|[Ss]erver|SERVER|[Dd]ata [Ss]ource|[Aa]ddr(?:ess)?)\s*=\s*(?:tcp:)?|^|\/\/|@|[=,"'[(]|(?<=--[\w-]+)\s)([\w.-]+)(?:([:,])(\d+)|(?!:[^\d$]))(?![\w.-]|\s*=|(?:[^/\s"',;{]|\{[^{}]*\}){0,255}@)/g

function pointed(name: string, value: string, {service, host, replaced, unpublished, stack}: Found): string {
  const {hosts, programs} = stack
  const text = host === 'localhost' ? value.replaceAll('host.docker.internal', host) : value
  let ofKey: Service | undefined
  const changed = text.replaceAll(PLACES, (whole, before: string, id: string, sign?: string, port?: string) => {
    const other = hosts.get(id)
    const isKey = before.length > 2
    const isUrl = before === '//' || before === '@'
    const isNamed = isKey || isUrl || (id === text && HOST.test(name))
    // a program finds itself on this machine, too
    const isOwn = other?.id === service.id && host !== 'localhost'
    if (other === undefined || isOwn || ((port === undefined || sign === ',') && !isNamed)) return whole
    if (isKey) ofKey = other
    const isString = isKey && STRING.test(text) && !programs.has(other.id)
    const usual = isUrl || isString ? (ownOf(WEB_PORTS, text.replace(/:.*/s, '')) ?? usualPort(other).toString()) : ''
    const at = portHere(other, port ?? usual, stack)
    replaced.add(other.id)
    if (port !== undefined && !programs.has(other.id) && !isPublished(other, port)) unpublished.set(other.id, port)
    const ahead = sign ?? (isString ? (usual === '1433' ? ',' : ';Port=') : ':')
    return `${before}${host}${at === '' || (port === undefined && at === usual) ? '' : `${ahead}${at}`}`
  })
  return changed.replace(/(\bport\s*=\s*)(\d+)/i, (whole, key: string, port: string) =>
    ofKey === undefined ? whole : key + portHere(ofKey, port, stack)
  )
}

/** Whether it has that port for this machine; a range may have it. */
const isPublished = (other: Service, port: string): boolean => {
  const ports = portsOf(other)
  if (ports.length === 0) return usualPort(other).toString() === port
  return ports.some(({target}) => target === port || /^\d+-\d+$/.test(target))
}
