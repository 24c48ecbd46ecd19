import {relative} from 'node:path'
import {pathFrom} from '../imported.ts'
import {envFileVariables} from '../reading/variables.ts'
import {listedValues, mapOf, textValue, variablePairs} from '../reading/yaml-file.ts'
import {ownOf} from '../../../model/own.ts'
import {otherPort, portHere} from './names.ts'
import {withValues} from './project.ts'
import {ADDRESSES, addressesOf, folderOfStack, usualPort, type Env, type Service, type Stack} from './service.ts'

/**
 * The variables of a service, with other services where it reaches them. `host`: where they all are; an empty string: containers have
 * their names in its network, and programs only other ports.
 */
export function composeEnvironment(service: Service, stack: Stack, host: string, notes: string[]): Env {
  const {services, programs} = stack
  const [own, env] = [variablePairs(service.values['environment']), allVariables(service, stack)]
  const found: Found = {service, stack, env, host, replaced: new Set()}
  const {replaced} = found
  const all = Object.keys(env).map((name): [string, string] => [name, pointed(name, numbered(name, found), found)])
  const changed = all.filter(([name, value]) => value !== env[name])
  // other values of a file of variables may be secret, and a template is shared
  const secret = changed.flatMap(([name, value]) => (name in own || ADDRESS.test(value) ? [] : [name]))
  const result = Object.fromEntries(
    all.filter(([name, value]) => name in own || (value !== env[name] && !secret.includes(name)))
  )
  if (secret.length > 0)
    notes.push(`env_file: ${secret.join(', ')}: what they name is at ${host || 'another port'} here: write that`)
  const unknown = [...replaced].filter(
    id => programs.get(id) === 0 && Object.values(result).some(each => new RegExp(`//${host || id}(?=$|/)`).test(each))
  )
  if (unknown.length > 0)
    notes.push(`env: the port of ${unknown.join(' and ')} is not known: write it behind ${host || 'its name'}`)
  for (const other of services.values()) if (replaced.has(other.id)) notes.push(...movedPort(other, found))
  for (const [name, value] of all) if (value === env[name]) notes.push(...bareNotes(name, value, found))
  return result
}

/** Whether a caller in the network of the run finds a service there, at its own port. */
const isNear = ({id}: Service, {programs}: Stack, host: string): boolean => host === '' && !programs.has(id)

/** `api:3000`, `http://api:3000/x`: an address without a password. */
const ADDRESS = /^(?:\w+:\/\/)?[\w.-]+(?::\d+)?(?:\/[\w./-]*)?$/

/** The paths of its env files, with the variables in them as they are now. */
const envPaths = ({values}: Service, {file}: Stack): readonly string[] =>
  listedValues(values['env_file']).map(each => pathFrom(file, withValues(pathOfEntry(each), file)))

/** An env file is named by its path, or by a map with it. */
export const pathOfEntry = (entry: unknown): string => textValue(entry) || textValue(mapOf(entry)['path'])

/** The variables of its env files: hosts in them are elsewhere here, too. */
export const variablesOfFiles = (service: Service, stack: Stack): Env =>
  Object.assign({}, ...envPaths(service, stack).map(envFileVariables)) as Env

/** The services that others, or they themselves, name as hosts in commands and variables, there also without a port: `amqp://mq`, ''. */
export const callsIn = (stack: Stack, callers = stack.services): readonly (readonly [id: string, port: string])[] =>
  [...callers.values()].flatMap(service => {
    const env = allVariables(service, stack)
    const texts = Object.values(env).flatMap(text => text.split(/\/\/|@/))
    const found = [...addressesOf(service, env), ...texts.map(text => ['', text.replace(/[/?,].*/s, '')])]
    return found.map(([, host = '', port = '']) => [stack.hosts.get(host)?.id ?? '', port] as const)
  })

const allVariables = (service: Service, stack: Stack): Env => ({
  ...variablesOfFiles(service, stack),
  ...variablePairs(service.values['environment'])
})

/** `DATABASE_HOST: db`, a name that has no dot: whole values that may be hosts, and stay as they are. */
function bareNotes(name: string, value: string, {service, stack, host}: Found): readonly string[] {
  const isOther =
    host !== '' && stack.hosts.has(value) && stack.hosts.get(value)?.id !== service.id && !NO_HOST.test(name)
  const isUnknown = NAMES_HOST.test(name) && /^[a-z][\w-]*$/.test(value) && !stack.hosts.has(value) && !ANY.test(value)
  if (!isOther && !isUnknown) return []
  // values of a file of variables may be secret
  const isOwn = name in variablePairs(service.values['environment'])
  const file = isOwn ? undefined : envPaths(service, stack).find(path => name in envFileVariables(path))
  const place = file === undefined ? '' : `${relative(folderOfStack(stack), file)}: `
  return [
    isOther
      ? `${place}env: ${name}: ${isOwn ? value : 'its value'} is the name of a service: if it is a host, write ${host}`
      : `${place}env: ${name}: there is no service ${isOwn ? value : 'of that name'}: write the host that it is here`
  ]
}

/** Variables that are called as some services are, and name no host. */
const NO_HOST =
  /USER|PASS|(?<!HOST)NAME|_DB$|DATABASE$|ROLE|MODE|TYPE|PROFILE|DRIVER|CONNECTION|ENGINE|BACKEND|ADAPTER|STORE|SCHEMA|KEY|TOPIC|QUEUE|SECRET|DIALECT|CLIENT|TARGET|ENV$/i
const NAMES_HOST = /(?:^|_|^PG)(?:HOST|SERVER|ADDR|ADDRESS|ENDPOINT|BROKER|URL|URI)$/i
const ANY = /^(?:true|false|localhost|all|any|auto|none|default|yes|no|on|off)$/

/** A text with the ports that other services have on this machine, and with `host` in the place of their names. */
export const withPortsHere = (text: string, {id}: Service, stack: Stack, host: string): string =>
  text.replaceAll(ADDRESSES, (whole, name: string, port: string) => {
    const other = stack.hosts.get(name)
    const isElsewhere = other !== undefined && other.id !== id && (host !== '' || stack.programs.has(other.id))
    return isElsewhere ? `${host || name}:${portHere(other, port, stack)}` : whole
  })

/** Addresses of a container that it gives to others itself: programs do not find its name. */
export function ownAddresses(service: Service, env: Env, stack: Stack): readonly string[] {
  if (!stack.reached.has(service.id)) return []
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => !OF_CLIENT.test(value)))
  const own = addressesOf(service, given, /mongo/).filter(([, name]) => stack.hosts.get(name) === service)
  const notes = own.map(([text, name, port]) => {
    const here = portHere(service, port, stack)
    const hosts = `for programs write 127.0.0.1 ${name} into /etc/hosts`
    const moved = here === port ? '' : `, and publish it at ${port}, not at ${here}`
    return `others get ${text} as its address: ${hosts}${moved}`
  })
  return [...new Set(notes)]
}
/** A URL with a password or a path is one for a client. */
const OF_CLIENT = /^[\w:]+:\/\/(?:\S+@|[^/,]+\/\w)/

/** `Host=db;Database=x`: it names no port. */
const STRING = /^[\w ]+=(?!.*\bport\s*=).*;/is
/** Ports of addresses that name none. */
const WEB_PORTS = {http: '80', ws: '80', https: '443', wss: '443'}

/** Whether two variables are as `DB_PORT` and `DB_HOST`, or `db.port` and `db.host`. */
export const isPair = (port: string, host: string): boolean =>
  /PORT$/i.test(port) && HOST.test(host) && port.replace(/[_.-]?PORT$/i, '') === host.replace(OF_HOST, '')
const OF_HOST = /[_.-]?(?:HOST(?:_?NAME)?|ADDR(?:ESS)?|SERVER|ENDPOINT|URL|URI)$/i

/** The value of a variable: of `DB_PORT` the port at which the service of `DB_HOST`, or the service `db`, is reached here. */
function numbered(name: string, {service, stack, env, host: caller}: Found): string {
  const {[name]: value = ''} = env
  const host = Object.keys(env).find(each => isPair(name, each) && stack.hosts.has(env[each] ?? '')) ?? ''
  const other = stack.hosts.get(env[host] ?? name.replace(/_?PORT$/, '').toLowerCase())
  if (other === undefined || other.id === service.id || isNear(other, stack, caller)) return value
  return value === (stack.targets.get(other.id)?.toString() ?? value) ? portHere(other, value, stack) : value
}

/** `DB_HOST` alone, whose usual port is another one here. */
function movedPort({id}: Service, {stack, env}: Found): readonly string[] {
  const names = Object.keys(env).filter(name => HOST.test(name) && stack.hosts.get(env[name] ?? '')?.id === id)
  const alone = names.filter(name => !Object.keys(env).some(each => isPair(each, name)))
  return alone.length === 0 ? [] : otherPort(stack, id, `next to ${alone.join(', ')}`)
}

/** Variables whose whole value may be the name of a host. */
const HOST = /HOST|ADDR|SERVER|ENDPOINT|BROKER|NODE|URL|URI/i

/** Replacements of hosts in the variables of a service, and findings about them. */
interface Found {
  readonly service: Service
  readonly stack: Stack
  readonly env: Env
  readonly host: string
  readonly replaced: Set<string>
}

/** Places in a text that may name a host: `db`, `db:5432`, `//user@db:5432/x`, `Host=db;Port=5432`, `Server=db,1433`; not a user, `//db:secret@` */
const PLACES =
  /(\s*\b(?:[Hh]ost(?:[Nn]ame)?|HOST|[Ss]erver|SERVER|[Dd]ata [Ss]ource|[Aa]ddr(?:ess)?)\s*=\s*(?:tcp:)?|^|\/\/|@|[=,"'[(]|(?<=--[\w-]+)\s)([\w.-]+)(?:([:,])(\d+)|(?!:[^\d$]))(?![\w.-]|\s*=|(?:[^/\s"',;{]|\{[^{}]*\}){0,255}@)/g

function pointed(name: string, value: string, {service, host, replaced, stack}: Found): string {
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
    if (
      other === undefined ||
      isOwn ||
      isNear(other, stack, host) ||
      ((port === undefined || sign === ',') && !isNamed)
    )
      return whole
    if (isKey) ofKey = other
    const isString = isKey && STRING.test(text) && !programs.has(other.id)
    const usual = isUrl || isString ? (ownOf(WEB_PORTS, text.replace(/:.*/s, '')) ?? usualPort(other).toString()) : ''
    const at = portHere(other, port ?? usual, stack)
    replaced.add(other.id)
    const ahead = sign ?? (isString ? (usual === '1433' ? ',' : ';Port=') : ':')
    return `${before}${host || id}${at === '' || (port === undefined && at === usual) ? '' : `${ahead}${at}`}`
  })
  return changed.replace(/(\bport\s*=\s*)(\d+)/i, (whole, key: string, port: string) =>
    ofKey === undefined ? whole : key + portHere(ofKey, port, stack)
  )
}
