import {join, relative} from 'node:path'
import {withValues} from './project.ts'
import {folderOfStack, isPort, portsOf, usualPort, type Port, type Service, type Stack} from './service.ts'
import {entriesOf, isFile, settingsBelow, sourcesIn, statAt, textAt} from '../reading/files.ts'

/** Limits of files of settings, which may name a host. */
const MAX_BYTES = 100_000
const MAX_FILES = 50
/** Names in these are not read by a program. */
const OF_COMPOSE = /\/(?:docker-)?compose[^/]*\.ya?ml$/

/** A name of another service in a file. */
export interface NameInFile {
  readonly id: string
  /** `nginx.conf:12` */
  readonly place: string
  readonly port: string
  /** The port at which that service is reached on this machine. */
  readonly portHere: string
}

/** `redis:6379` */
const ADDRESS = /(?<![\w.-])([\w-]+):(\d{2,5})(?![\w.:@-])/g
/** `host: 'redis'`, `Server=db;`, `http://api/`, `//user:secret@db/`, `openConnection("redis")` */
const HOST =
  /(?<=\b(?:host(?:_?name)?["']?\s*[:=]\s*["']|server\s*=\s*)|:\/\/(?:[^\s"'`@/]{0,255}@)?|(?:connect\w*|connection|client|dial)\(\s*["'`])([\w-]+)(?=["'`/;,?])/gi

/** Finds names of other services as hosts with a port (`redis:6379`) in files and folders. `except` is the service that owns the files. */
export function namesIn(
  paths: readonly string[],
  stack: Stack,
  {
    except = '',
    max = MAX_FILES,
    names: pattern = ADDRESS
  }: {readonly except?: string; readonly max?: number; readonly names?: RegExp} = {}
): readonly NameInFile[] {
  const root = folderOfStack(stack)
  const names: NameInFile[] = []
  const files = paths.flatMap(filesAt).filter(path => path !== stack.file.path && !OF_COMPOSE.test(path))
  for (const path of files.slice(0, max))
    for (const [index, line] of textAt(path).split('\n').entries()) {
      if (/^\s*(?:#|\/\/)/.test(line)) continue
      for (const [, id = '', port = ''] of line.matchAll(pattern)) {
        const other = stack.hosts.get(id)
        if (other === undefined || other.id === except) continue
        names.push({id, place: `${relative(root, path)}:${index + 1}`, port, portHere: portHere(other, port, stack)})
      }
    }
  return names
}

/** The texts of settings in files and folders. */
export const settingsIn = (paths: readonly string[], stack: Stack): readonly string[] =>
  paths
    .flatMap(filesAt)
    .filter(path => path !== stack.file.path && !OF_COMPOSE.test(path))
    .slice(0, MAX_FILES)
    .map(textAt)

const MAX_SOURCES = 300
/** A name in more places is named in these. */
const MAX_PLACES = 3

/** Other services in the source files of a program, by the names that they have in containers only. */
export function namesInCode(folder: string, service: Service, stack: Stack): readonly string[] {
  const files = [...settingsBelow(folder), ...sourcesIn(folder)]
  const names = [ADDRESS, HOST].flatMap(each =>
    namesIn(files, stack, {except: service.id, max: MAX_SOURCES, names: each})
  )
  const ids = new Set(names.map(({id}) => id))
  return [...ids].map(id => {
    const own = names.filter(each => each.id === id)
    const [{port, portHere: here} = {port: '', portHere: ''}] = own
    const places = [...new Set(own.map(({place}) => place))]
    const more = places.length > MAX_PLACES ? ` and ${places.length - MAX_PLACES} more places` : ''
    const at = stack.programs.get(stack.hosts.get(id)?.id ?? '') ?? 0
    const there = port === '' ? (at > 0 ? `:${at}` : '') : `:${here}`
    const isSame = port === '' || here === port
    const mend = isSame ? `write 127.0.0.1 ${id} into /etc/hosts, or localhost there` : 'write that'
    return `${places.slice(0, MAX_PLACES).join(', ')}${more}: ${id}${port && `:${port}`} is localhost${there} here: ${mend}`
  })
}

function filesAt(path: string): readonly string[] {
  const files = isFile(path) ? [path] : entriesOf(path).map(name => join(path, name))
  // files of the kernel have no size, and some of them are read without end
  return files.filter(file => isFile(file) && Math.min(statAt(file)?.size || Infinity, MAX_BYTES + 1) <= MAX_BYTES)
}

/** A note on a service that is called at another port here than in its container. */
export function otherPort({services, programs, targets}: Stack, id: string, where: string): readonly string[] {
  const service = services.get(id) ?? {id, values: {}, notes: []}
  const [first, ...others] = portsOf(service)
  const port = others.find(({target}) => target === `${usualPort(service)}`) ?? first
  const inside = targets.get(id)?.toString() ?? port?.target ?? ''
  const here = programs.get(id)?.toString() ?? port?.published ?? ''
  const isOther = /^[1-9]\d*$/.test(inside) && /^[1-9]\d*$/.test(here) && inside !== here
  return isOther ? [`${id} is at port ${here} here, not at ${inside}: write that ${where}`] : []
}

/** Returns the number at which a service's port is reached on this machine. */
export function portHere(other: Service, port: string, {programs, file}: Stack): string {
  const called = programs.get(other.id)
  if (called !== undefined) return called > 0 && port !== '' ? called.toString() : port
  const ports = portsOf(other).map(each => ({...each, target: withValues(each.target, file)}))
  const [published = ''] = ports.flatMap(each => publishedFor(each, port) || [])
  return isPort(published, file) ? published : port
}

/** `9105` for `9205` of `9100-9110:9200-9210`; '': it is another port. Docker tries the first number of `9100-9110:80` first. */
function publishedFor({published, target}: Port, port: string): string {
  if (target === port) return published.replace(/^(\d+)-\d+$/, '$1')
  const [start = Number.NaN, end = start] = target.split('-').map(Number)
  const ahead = Number(port) - start
  if (!(ahead >= 0 && Number(port) <= end)) return ''
  return published.replace(/^(\d+)(?:-\d+)?$/, (_, first: string) => `${Number(first) + ahead}`)
}
