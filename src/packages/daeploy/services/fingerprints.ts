import type {Stats} from 'node:fs'
import {readdir, stat} from 'node:fs/promises'
import {join, relative} from 'node:path'
import {codeOf} from '../../../model/errors.ts'

/** Size and modification time of files, by path below a folder. */
export type Fingerprints = ReadonlyMap<string, string>

/** Not copied, and not counted as changes of the user. */
const IGNORED = /^(?:\.dapr|\.git|__pycache__|.*\.db|.*\.db-journal)$/
/** Large, and the same in all copies: symbolic links to them are created. */
export const SHARED: ReadonlySet<string> = new Set(['.venv', 'node_modules'])

/** Size and modification time of every file below a folder; `linked` is called for links to folders. */
export async function fingerprintsIn(
  folder: string,
  linked: (path: string) => Promise<void> = async () => undefined
): Promise<Fingerprints> {
  const fingerprints = new Map<string, string>()
  const look = async (place: string): Promise<void> => {
    const names = (await readdir(place, {withFileTypes: true})).filter(
      ({name}) => !IGNORED.test(name) && !SHARED.has(name)
    )
    const all = await Promise.all(names.map(async ({name}) => statOf(join(place, name))))
    for (const [index, entry] of names.entries()) {
      const stats = all[index]
      const path = join(place, entry.name)
      if (stats?.isDirectory() === true && entry.isSymbolicLink()) await linked(relative(folder, path))
      else if (stats?.isDirectory() === true) await look(path)
      else if (stats?.isFile() === true) fingerprints.set(relative(folder, path), fingerprintOf(stats))
    }
  }
  await look(folder)
  return fingerprints
}

/** Undefined: the file is gone, or a dangling link. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined
    throw error
  }
}

export const fingerprintOf = ({size, mtimeMs}: Stats): string => `${size} ${mtimeMs}`
