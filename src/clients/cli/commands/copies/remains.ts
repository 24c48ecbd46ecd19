import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {namesInFolder} from '../../../../platform/paths.ts'
import type {KnownCopy} from '../../../../control/known-copies.ts'
import type {Environment} from '../../../../model/environment.ts'
import {stateFolder} from '../../../../platform/state-folder.ts'
import {notesFolder} from '../../../../work/work-path.ts'

/**
 * The remains of a copy in the state folder: its own data, and, if its folder is gone, its workflows, jobs and reminders, and the
 * records of its runs. While the folder exists, its next run needs these.
 */
export function remainsOf(env: Environment, {folder, isGone, space}: KnownCopy): readonly string[] {
  const apart = space === undefined ? [] : [space.folder]
  return [...apart, ...(isGone ? [...workOf(env, folder), ...memoryOf(env, folder)] : [])].filter(path =>
    existsSync(path)
  )
}

const isInside = (folder: string, path: unknown): boolean =>
  typeof path === 'string' && `${path}/`.startsWith(`${folder}/`)

/** Returns the files of workflows, with the notes of their owners. */
function workOf(env: Environment, folder: string): readonly string[] {
  return namesInFolder(notesFolder(env)).flatMap(name => {
    const note = join(notesFolder(env), name)
    try {
      const owner = JSON.parse(readFileSync(note, 'utf8')) as {readonly folder?: unknown; readonly path?: unknown}
      const {path} = owner
      if (!isInside(folder, owner.folder) || typeof path !== 'string') return []
      return [note, path, `${path}-wal`, `${path}-shm`]
    } catch {
      return [] // half of one
    }
  })
}

/** The files are called like the path of the template. */
const memoryOf = (env: Environment, folder: string): readonly string[] =>
  ['exits', 'runs'].flatMap(kind => {
    const all = join(stateFolder(env), kind)
    return namesInFolder(all).flatMap(name =>
      name.startsWith(encodeURIComponent(`${folder}/`)) ? [join(all, name)] : []
    )
  })
