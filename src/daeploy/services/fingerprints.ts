import {lstatSync, readdirSync, statSync, type Stats} from 'node:fs'
import {join, relative} from 'node:path'

/** Size and time of files, by their paths below a folder. */
export type Fingerprints = ReadonlyMap<string, string>

/** Not copied, and no change of the user's. */
const IGNORED = /^(?:\.dapr|\.git|__pycache__|.*\.db|.*\.db-journal)$/
/** Large, and the same for all: a link leads to them. */
export const SHARED: ReadonlySet<string> = new Set(['.venv', 'node_modules'])

/** Size and time of every file below a folder; links to folders are told to `linked`. */
export function fingerprintsIn(folder: string, linked: (path: string) => void = () => undefined): Fingerprints {
  const fingerprints = new Map<string, string>()
  const look = (place: string): void => {
    for (const {name} of readdirSync(place, {withFileTypes: true})) {
      if (IGNORED.test(name) || SHARED.has(name)) continue
      const path = join(place, name)
      const stat = statSync(path, {throwIfNoEntry: false})
      if (stat?.isDirectory() === true && lstatSync(path).isSymbolicLink()) linked(relative(folder, path))
      else if (stat?.isDirectory() === true) look(path)
      else if (stat?.isFile() === true) fingerprints.set(relative(folder, path), fingerprintOf(stat))
    }
  }
  look(folder)
  return fingerprints
}

export const fingerprintOf = ({size, mtimeMs}: Stats): string => `${size.toString()} ${mtimeMs.toString()}`
