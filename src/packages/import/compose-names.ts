import {readdirSync, statSync} from 'node:fs'
import {join, relative} from 'node:path'
import {readTextFile} from '../../model/read-file.ts'
import {portHere, type Stack} from './compose-service.ts'

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
export function namesIn(paths: readonly string[], stack: Stack, root: string): readonly NameInFile[] {
  const names: NameInFile[] = []
  for (const path of paths.flatMap(filesAt).slice(0, MAX_FILES))
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
