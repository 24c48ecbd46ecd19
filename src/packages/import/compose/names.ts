import {readdirSync, statSync} from 'node:fs'
import {extname, join, relative} from 'node:path'
import {variablePairs} from '../reading/yaml-file.ts'
import {folderOfStack, portsOf, type Service, type Stack} from './service.ts'
import {entriesOf, foldersIn, textAt} from '../reading/files.ts'

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

const SOURCES = new Set('.js .mjs .cjs .ts .tsx .jsx .py .go .rb .java .kt .cs .php .rs .ex .properties'.split(' '))
const MAX_DEPTH = 5
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
  const names = namesIn(sourcesIn(folder, 0), stack, folderOfStack(stack), MAX_SOURCES).filter(
    ({id}) => id !== service.id
  )
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

const sourcesIn = (folder: string, depth: number): readonly string[] => [
  ...entriesOf(folder)
    .filter(name => SOURCES.has(extname(name)) && !/\.(?:test|spec|d)\.|_test\./.test(name))
    .map(name => join(folder, name)),
  ...(depth < MAX_DEPTH ? foldersIn(folder).flatMap(each => sourcesIn(each, depth + 1)) : [])
]

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
  {services, programs}: Stack,
  host: string,
  notes: string[]
): Readonly<Record<string, string>> {
  const env = variablePairs(service.values['environment'])
  const replaced = new Set<string>()
  const result = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      [...services.values()].reduce(
        (text, other) => (other === service ? text : pointed(text, other, {host, name, replaced, programs})),
        value
      )
    ])
  )
  const unknown = [...replaced].filter(
    id => programs.get(id) === 0 && Object.values(result).some(each => new RegExp(`//${host}(?=$|/)`).test(each))
  )
  if (unknown.length > 0) notes.push(`env: the port of ${unknown.join(' and ')} is not known: write it behind ${host}`)
  const changed = [...replaced]
  if (changed.length > 0)
    notes.push(`env: ${changed.join(' and ')} ${changed.length === 1 ? 'is' : 'are'} at ${host} here`)
  for (const other of services.values()) if (replaced.has(other.id)) notes.push(...movedPorts(other, env, programs))
  const called = [...replaced].filter(id => host !== 'localhost' && programs.has(id))
  if (called.length > 0)
    notes.push(
      `env: on Linux a container reaches ${called.join(' and ')} only at an address of the machine: port: 0.0.0.0:NUMBER`
    )
  return result
}

/** `DB_PORT: 5432`, where that port is another one here. */
const movedPorts = (
  other: Service,
  env: Readonly<Record<string, string>>,
  programs: Stack['programs']
): readonly string[] =>
  portsOf(other).flatMap(({published, target}) => {
    const names = Object.keys(env).filter(name => /PORT/i.test(name) && env[name] === target)
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
  readonly programs: Stack['programs']
}

/** `db`, `db:5432`, `//user@db:5432/x` */
function pointed(text: string, other: Service, {host, name, replaced, programs}: Pointing): string {
  if (text === other.id && !HOST.test(name)) return text
  const id = other.id.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replaceAll(
    new RegExp(`(^|//|@|,)${id}(?::(\\d+))?(?=$|[/,?])`, 'g'),
    (whole, before: string, port: string | undefined) => {
      if ((before === '' || before === ',') && port === undefined && text !== other.id) return whole
      const at = portHere(other, port ?? (before === '//' && text.startsWith('http:') ? '80' : ''), programs)
      replaced.add(other.id)
      return `${before}${host}${at === '' || (port === undefined && at === '80') ? '' : `:${at}`}`
    }
  )
}

/** Where the port of a service is reached on this machine. */
export function portHere(other: Service, port: string, programs: Stack['programs']): string {
  const called = programs.get(other.id)
  if (called !== undefined) return called > 0 && port !== '' ? called.toString() : port
  const published = portsOf(other).find(({target}) => target === port)?.published ?? ''
  return /^\d+$/.test(published) ? published : port
}
