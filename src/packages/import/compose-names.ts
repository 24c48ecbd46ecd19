import {readdirSync, statSync} from 'node:fs'
import {extname, join, relative} from 'node:path'
import {readTextFile} from '../../model/read-file.ts'
import {folderOfStack, portHere, type Service, type Stack} from './compose-service.ts'
import {foldersIn, entriesOf} from './projects/project.ts'

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
    for (const [index, line] of textOf(path).split('\n').entries()) {
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

function textOf(path: string): string {
  try {
    return readTextFile(path)
  } catch {
    return '' // no text
  }
}
