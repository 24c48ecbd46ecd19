// Names of other services in files, which import does not change.
import {join, relative} from 'node:path'
import {portHere} from './addresses.ts'
import {boundMounts} from './project.ts'
import {isInside} from '../../../model/glob.ts'
import {pathFrom} from '../imported.ts'
import {plainNumbers} from '../ports.ts'
import {folderOfStack, type Service, type Stack} from './service.ts'
import {entriesOf, isFile, settingsBelow, sourcesIn, statAt, textAt} from '../reading/files.ts'
import {listedValues, pathOfEntry} from '../reading/yaml-file.ts'

const MAX_BYTES = 100_000
const MAX_FILES = 300
/** A name in more places is named in these. */
const MAX_PLACES = 3
/** Names in these are not read by a program. */
const OF_COMPOSE = /\/(?:docker-)?compose[^/]*\.ya?ml$/

/** `redis:6379`, `host: 'redis'`, `getenv("DB_HOST", "db")`, `Server=db;`, `http://api/`, `//user:secret@db/`, `openConnection("redis")` */
const NAMES = [
  /(?<![\w.-])([\w-]+):(\d{2,5})(?![\w.:@-])/g,
  /(?<=\b(?:(?:host(?:_?name)?|server)(?:["']?\s*[:=]\s*["']|:\s|=)|server\s*=\s*)|HOST=|HOST["'`]?\)?\s?(?:,|\|\||\?\?)\s?["'`]|(?<!\blb):\/\/(?:[^\s"'`@/]{0,255}@)?|(?:connect\w*|connection|client|dial)\(\s*["'`])([\w-]+)(?=["'`/;,?]|\s*$)/gi,
  /(?<![\w.-])([\w-]+(?:\.[\w-]+)*\.svc\.cluster\.local)\b/g
]

/** The end of the full name of a Service in Kubernetes. */
const OF_CLUSTER = '.svc.cluster.local'

/** Notes on other services in the files of a program, which have these names in containers only: its code, or resources of Dapr. */
export function notesOnCode(folder: string, service: Service, stack: Stack): readonly string[] {
  const {resources = [], config = ''} = service.sidecar ?? {}
  const mounted = boundMounts(service.values['volumes']).map(([source]) => pathFrom(stack.file, source))
  const files = filesAt([...resources, config, ...mounted.filter(each => !isInside(folder, each))])
  // env files of the service are read as its variables
  const named = listedValues(service.values['env_file']).map(each => pathFrom(stack.file, pathOfEntry(each)))
  const own = [join(folder, '.env')].filter(each => !named.includes(each))
  const paths = [...own, ...settingsBelow(folder), ...sourcesIn(folder), ...files]
  return [...notesOn([...new Set(paths)], service, stack, () => true), ...tlsNotes(paths, stack)]
}

/** Notes on settings of Spring by which a program serves HTTPS. */
const tlsNotes = (paths: readonly string[], stack: Stack): readonly string[] =>
  paths
    .filter(each => /\.(?:ya?ml|properties)$/.test(each) && isSmall(each) && SERVES_TLS.test(textAt(each)))
    .map(
      each => `${relative(folderOfStack(stack), each)}: server.ssl: its program serves HTTPS: write appProtocol: https`
    )
const SERVES_TLS = /^server(?:\.ssl[.:]|:[ \t]*\n(?:[ \t]+.*\n){0,20}?[ \t]+ssl:)/m

/** Notes on programs in the files that a container reads, where they have another port there. */
export const notesOnMounts = (paths: readonly string[], service: Service, stack: Stack): readonly string[] =>
  notesOn(filesAt(paths), service, stack, ({id}, isMoved) => isMoved && stack.programs.has(id))

const filesAt = (paths: readonly string[]): readonly string[] =>
  paths.flatMap(path => (isFile(path) ? [path] : entriesOf(path).map(name => join(path, name))))

/** Returns one note for each name. `counts`: whether a service is elsewhere; `isMoved`: its port is another one. */
function notesOn(
  paths: readonly string[],
  service: Service,
  stack: Stack,
  counts: (other: Service, isMoved: boolean) => boolean
): readonly string[] {
  const found = new Map<string, {readonly places: Set<string>; readonly mend: string}>()
  for (const path of paths.filter(each => isSmall(each) && !OF_COMPOSE.test(each)).slice(0, MAX_FILES))
    for (const [index, line] of textAt(path).split('\n').entries())
      for (const [, name = '', port = ''] of /^\s*(?:#|\/\/)/.test(line)
        ? []
        : NAMES.flatMap(each => [...line.matchAll(each)])) {
        const other = stack.hosts.get(name)
        const here = other === undefined || port === '' ? port : portHere(other, port, stack)
        const isOther = other !== undefined && other.id !== service.id && counts(other, plainNumbers(here) !== port)
        if (!isOther && !name.endsWith(OF_CLUSTER)) continue
        const known = found.get(name) ?? {
          places: new Set(),
          mend: mendFor(name, port, here, stack.programs.has(service.id))
        }
        known.places.add(`${relative(folderOfStack(stack), path)}:${index + 1}`)
        found.set(name, known)
      }
  return Array.from(found.values(), ({places, mend}) => {
    const more = places.size > MAX_PLACES ? ` and ${places.size - MAX_PLACES} more places` : ''
    return `${[...places].slice(0, MAX_PLACES).join(', ')}${more}: ${mend}`
  })
}

/** Returns what the name is on this machine, and what to write in the file. `here`: its port on this machine. */
function mendFor(name: string, port: string, here: string, isProgram: boolean): string {
  if (name.endsWith(OF_CLUSTER)) return `${name} is a name of the cluster: write the address that it has here`
  const [there, at] = [port && `:${port}`, here && `:${here}`]
  if (!isProgram) return `${name}${there} is ${name}${at} here: write that`
  const hosts = `write 127.0.0.1 ${name} into /etc/hosts, or localhost there`
  return `${name}${there} is localhost${at} here: ${plainNumbers(here) === port ? hosts : 'write that'}`
}

/** Files of the kernel have no size, and some of them are read without end. */
const isSmall = (path: string): boolean =>
  isFile(path) && Math.min(statAt(path)?.size || Infinity, MAX_BYTES + 1) <= MAX_BYTES
