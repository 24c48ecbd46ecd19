import {readdirSync, statSync} from 'node:fs'
import {join, relative} from 'node:path'
import {pathFrom} from '../imported.ts'
import {envFileVariables} from '../reading/variables.ts'
import {listedValues, mapOf, textValue, variablePairs} from '../reading/yaml-file.ts'
import {folderOfStack, portsOf, usualPort, type Service, type Stack} from './service.ts'
import {sourcesIn, textAt} from '../reading/files.ts'

/** A file with a name in it is a file of settings: larger ones, and more of them, are none. */
const MAX_BYTES = 100_000
const MAX_FILES = 50

/** A name of another service in a file. */
export interface NameInFile {
  readonly id: string
  /** `nginx.conf:12` */
  readonly place: string
  readonly port: string
  /** The port at which that service is reached on this machine. */
  readonly portHere: string
}

/** Where files and folders of this machine name other services as hosts with a port: `redis:6379`. Paths are shown from `root`. */
export function namesIn(paths: readonly string[], stack: Stack, root: string, max = MAX_FILES): readonly NameInFile[] {
  const names: NameInFile[] = []
  for (const path of paths.flatMap(filesAt).slice(0, max))
    for (const [index, line] of textAt(path).split('\n').entries()) {
      if (/^\s*(?:#|\/\/)/.test(line)) continue
      for (const [, id = '', port = ''] of line.matchAll(/(?<![\w.-])([\w-]+):(\d{2,5})(?![\w.:-])/g)) {
        const other = stack.services.get(id)
        if (other === undefined) continue
        const here = portHere(other, port, stack.programs)
        names.push({id, place: `${relative(root, path)}:${index + 1}`, port, portHere: here})
      }
    }
  return names
}

const MAX_SOURCES = 300
/** A name in more places is named in these. */
const MAX_PLACES = 3

/** What a program's code names: other services by the names that they have in containers only. */
export interface NamesInCode {
  readonly ids: ReadonlySet<string>
  readonly notes: readonly string[]
}

/** The names of other services in the source files of a program. */
export function namesInCode(folder: string, service: Service, stack: Stack): NamesInCode {
  const names = namesIn(sourcesIn(folder), stack, folderOfStack(stack), MAX_SOURCES).filter(({id}) => id !== service.id)
  const ids = new Set(names.map(({id}) => id))
  const notes = [...ids].map(id => {
    const own = names.filter(each => each.id === id)
    const [{port, portHere: here} = {port: '', portHere: ''}] = own
    const places = [...new Set(own.map(({place}) => place))]
    const more = places.length > MAX_PLACES ? ` and ${places.length - MAX_PLACES} more places` : ''
    const mend = here === port ? `write 127.0.0.1 ${id} into /etc/hosts, or localhost there` : 'write that'
    return `${places.slice(0, MAX_PLACES).join(', ')}${more}: ${id}:${port} is localhost:${here} here: ${mend}`
  })
  return {ids, notes}
}

function filesAt(path: string): readonly string[] {
  try {
    const stat = statSync(path)
    if (stat.isFile()) return stat.size <= MAX_BYTES ? [path] : []
    const names = stat.isDirectory() ? readdirSync(path) : []
    return names
      .map(name => join(path, name))
      .filter(each => statSync(each, {throwIfNoEntry: false})?.isFile() === true)
  } catch {
    return [] // it is not there
  }
}

/** The variables of a service, with the names of other services replaced by where they are reached from `host`. */
export function composeEnvironment(
  service: Service,
  {services, programs, file}: Stack,
  host: string,
  notes: string[]
): Readonly<Record<string, string>> {
  const own = variablePairs(service.values['environment'])
  const env = {...variablesOfFiles(service, file), ...own}
  const replaced = new Set<string>()
  const unpublished = new Map<string, string>()
  const all = Object.entries(env).map(([name, value]): [string, string] => [
    name,
    [...services.values()].reduce(
      (text, other) => (other === service ? text : pointed(text, other, {host, name, replaced, unpublished, programs})),
      host === 'localhost' ? value.replaceAll('host.docker.internal', host) : value
    )
  ])
  const changed = all.filter(([name, value]) => value !== env[name])
  // what else a file of variables says may be secret, and a template is shared
  const secret = changed.flatMap(([name, value]) => (name in own || ADDRESS.test(value) ? [] : [name]))
  const result = Object.fromEntries([
    ...all.filter(([name]) => name in own),
    ...changed.filter(([name]) => !(name in own) && !secret.includes(name))
  ])
  if (secret.length > 0) notes.push(`env_file: ${secret.join(', ')}: what they name is at ${host} here: write that`)
  for (const [id, port] of unpublished) {
    const isVariable = portsOf(services.get(id) ?? service).some(({target}) => target.includes('$'))
    notes.push(
      isVariable
        ? `env: ${id}: its ports are variables: write the number at which ${port} is published`
        : `env: ${id} publishes no port ${port}: write --publish ${port}:${port} into its command`
    )
  }
  const unknown = [...replaced].filter(
    id => programs.get(id) === 0 && Object.values(result).some(each => new RegExp(`//${host}(?=$|/)`).test(each))
  )
  if (unknown.length > 0) notes.push(`env: the port of ${unknown.join(' and ')} is not known: write it behind ${host}`)
  if (replaced.size > 0)
    notes.push(`env: ${[...replaced].join(' and ')} ${replaced.size === 1 ? 'is' : 'are'} at ${host} here`)
  for (const other of services.values()) if (replaced.has(other.id)) notes.push(...movedPorts(other, env, programs))
  const called = [...replaced].filter(id => host !== 'localhost' && programs.has(id))
  if (called.length > 0)
    notes.push(
      `env: on Linux a container reaches ${called.join(' and ')} only at an address of the machine: port: 0.0.0.0:NUMBER`
    )
  return result
}

/** `api:3000`, `http://api:3000/x`: an address without a password. */
const ADDRESS = /^(?:\w+:\/\/)?[\w.-]+(?::\d+)?(?:\/[\w./-]*)?$/

/** Those of its env files: what they name is elsewhere here, too. */
const variablesOfFiles = ({values}: Service, file: Stack['file']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    listedValues(values['env_file'])
      .map(each => textValue(each) || textValue(mapOf(each)['path']))
      .flatMap(path => Object.entries(envFileVariables(pathFrom(file, path))))
      .map(([name, value = '']) => [name, value])
  )

/** `DB_PORT: 5432`, where that port is another one here. */
const movedPorts = (
  other: Service,
  env: Readonly<Record<string, string>>,
  programs: Stack['programs']
): readonly string[] =>
  portsOf(other).flatMap(({published, target}) => {
    const names = Object.keys(env).filter(name => /PORT/i.test(name) && name !== 'PORT' && env[name] === target)
    const here = programs.get(other.id)?.toString() ?? published.replace(/^\$\{\w+:?-(\d+)\}$/, '$1')
    if (names.length === 0 || ['', '0', target].includes(here)) return []
    return [`env: ${names.join(', ')}: ${other.id} is at port ${here} here, not at ${target}`]
  })

/** Variables whose whole value may be the name of a host. */
const HOST = /HOST|ADDR|SERVER|ENDPOINT|BROKER|NODE|URL|URI/i

interface Pointing {
  readonly host: string
  /** Name of the variable. */
  readonly name: string
  readonly replaced: Set<string>
  /** Ports that are named, and not published, by their containers. */
  readonly unpublished: Map<string, string>
  readonly programs: Stack['programs']
}

/** `db`, `db:5432`, `//user@db:5432/x` */
function pointed(text: string, other: Service, {host, name, replaced, unpublished, programs}: Pointing): string {
  if (text === other.id && !HOST.test(name)) return text
  const id = other.id.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replaceAll(
    new RegExp(`(^|//|@|,)${id}(?::(\\d+))?(?=$|[/,?])`, 'g'),
    (whole, before: string, port: string | undefined) => {
      if ((before === '' || before === ',') && port === undefined && text !== other.id) return whole
      const at = portHere(other, port ?? (before === '//' && text.startsWith('http:') ? '80' : ''), programs)
      replaced.add(other.id)
      if (port !== undefined && !programs.has(other.id) && !isPublished(other, port)) unpublished.set(other.id, port)
      return `${before}${host}${at === '' || (port === undefined && at === '80') ? '' : `:${at}`}`
    }
  )
}

/** Whether it has that port for this machine; a range may have it. */
const isPublished = (other: Service, port: string): boolean => {
  const ports = portsOf(other)
  if (ports.length === 0) return usualPort(other).toString() === port
  return ports.some(({target}) => target === port || /^\d+-\d+$/.test(target))
}

/** A note on a service that is called at another port here than in its container. */
export function otherPort({services, programs, targets}: Stack, id: string, where: string): readonly string[] {
  const [port] = services.has(id) ? portsOf(services.get(id) as Service) : []
  const inside = targets.get(id)?.toString() ?? port?.target ?? ''
  const here = programs.get(id)?.toString() ?? port?.published ?? ''
  const isOther = /^[1-9]\d*$/.test(inside) && /^[1-9]\d*$/.test(here) && inside !== here
  return isOther ? [`${id} is at port ${here} here, not at ${inside}: write that ${where}`] : []
}

/** Where the port of a service is reached on this machine. */
export function portHere(other: Service, port: string, programs: Stack['programs']): string {
  const called = programs.get(other.id)
  if (called !== undefined) return called > 0 && port !== '' ? called.toString() : port
  const published = portsOf(other).find(({target}) => target === port)?.published ?? ''
  return /^\d+$/.test(published) ? published : port
}
