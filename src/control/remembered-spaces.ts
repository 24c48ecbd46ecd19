import {readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {namesInFolder} from '../platform/paths.ts'
import type {Environment} from '../model/environment.ts'
import {stateFolder} from '../platform/state-folder.ts'

export interface SpaceOwner {
  /** The worktree, else the repository, else the folder of the template. */
  readonly root: string
  /** The copy's name (`--name`); '': it has none. */
  readonly copy: string
  /** Identifies the repository; '': there is none. */
  readonly repository: string
}

/** A copy that has run, whose data wait for its next run. */
export interface RememberedSpace extends SpaceOwner {
  readonly name: string
  readonly folder: string
  /** When it was used last, in ms since 1970. */
  readonly usedAt: number
  readonly bytes: number
}

/** How long a copy may be unused before it is forgotten, with the keys of its Redis. */
export const FORGOTTEN_AFTER_MS = 30 * 86_400_000
/** File in the folder of a space (the data of a copy) that names its owner. */
const ABOUT = 'about.json'
/** The prefix of folders that are about to be removed. */
const GONE = '.gone-'

/** The folder of all spaces; it may not exist. */
export const spacesFolder = (env: Environment): string => join(stateFolder(env), 'copies')

/** Records the owner of a space, and that the space is used now. */
export function remember(folder: string, owner: SpaceOwner): void {
  const about = join(folder, ABOUT)
  const now = new Date()
  // the owner changes when its worktree is moved, or its repository gets a remote
  if (JSON.stringify(ownerIn(folder)) === JSON.stringify(owner)) utimesSync(about, now, now)
  else writeFileSync(about, JSON.stringify(owner), {mode: 0o600})
}

/** All spaces of the user, the most recently used first. */
export function rememberedSpaces(env: Environment): readonly RememberedSpace[] {
  const all = spacesFolder(env)
  return namesInFolder(all)
    .filter(name => !name.startsWith(GONE))
    .map(name => ({name, folder: join(all, name), ...ownerIn(join(all, name)), ...usageOf(join(all, name))}))
    .toSorted((a, b) => b.usedAt - a.usedAt)
}

/** Removes the data of copies that were not used for long, except spaces for which `isUsed` returns true. */
export function forgetOld(env: Environment, isUsed: (name: string) => boolean, now = Date.now()): void {
  const all = spacesFolder(env)
  // a process was killed while it removed these
  for (const name of namesInFolder(all))
    if (name.startsWith(GONE)) rmSync(join(all, name), {recursive: true, force: true})
  for (const {name, folder} of rememberedSpaces(env)) {
    if (!isOld(folder, now) || isUsed(name)) continue
    const gone = join(all, GONE + name)
    renameSync(folder, gone)
    // another process may have begun to use it just now
    if (isOld(gone, now)) rmSync(gone, {recursive: true, force: true})
    else renameSync(gone, folder)
  }
}

const isOld = (folder: string, now: number): boolean => now - usageOf(folder).usedAt > FORGOTTEN_AFTER_MS

/** Reads the owner of a space, as it was written down; all are '' if it was not. */
export function ownerIn(folder: string): SpaceOwner {
  try {
    const about = JSON.parse(readFileSync(join(folder, ABOUT), 'utf8')) as Partial<Record<string, unknown>>
    const text = (key: keyof SpaceOwner): string => (typeof about[key] === 'string' ? about[key] : '')
    return {root: text('root'), copy: text('copy'), repository: text('repository')}
  } catch {
    return {root: '', copy: '', repository: ''} // the file is incomplete
  }
}

function usageOf(folder: string): Pick<RememberedSpace, 'usedAt' | 'bytes'> {
  const files = namesInFolder(folder).flatMap(name => statSync(join(folder, name), {throwIfNoEntry: false}) ?? [])
  const own = files.length === 0 ? (statSync(folder, {throwIfNoEntry: false})?.mtimeMs ?? Date.now()) : 0
  return {
    usedAt: Math.max(own, ...files.map(({mtimeMs}) => mtimeMs)),
    bytes: files.reduce((sum, {size}) => sum + size, 0)
  }
}
