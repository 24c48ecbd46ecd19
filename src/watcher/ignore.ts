import {basename, dirname, matchesGlob} from 'node:path'
import type {WatchPlan} from '../model/plan.ts'

/** Which paths below a watched folder count. Paths are relative to it, with `/`. */
export interface Wanted {
  /** Nothing below this folder can count: it is not looked into. */
  isPruned(folder: string): boolean
  counts(path: string): boolean
}

/** The names of what stands in a folder, relative to the watched one (`''` = itself). */
export type NamesIn = (folder: string) => readonly string[]

const NEVER_FOLDERS = new Set(['.git', 'node_modules', '.dapr', '__pycache__', '.venv', 'target'])

/** Databases, logs, and files that editors create while a file is open (vim, Emacs, Kate, JetBrains, Sublime, LibreOffice). */
const NEVER_FILES = [
  /\.(db|db-journal|log)$/,
  /\.sw[a-px]$/,
  /^4913$/,
  /~$/,
  /^\.?#/,
  /\.kate-swp$/,
  /___jb_(tmp|old)___$/,
  /\.subl.*\.tmp$/,
  /^\.~lock\./,
  /^\.DS_Store$/
]

const DOTNET_OUTPUT = new Set(['bin', 'obj'])
const DOTNET_PROJECT = /\.(cs|fs|vb)proj$/

/** What `watch` of the template says, on top of what never counts. A pattern that names a folder means all that is in it. */
export function wantedOf({paths, ignore}: WatchPlan, namesIn: NamesIn): Wanted {
  const wanted = paths.map(plain)
  const unwanted = ignore.map(plain)
  const isOutput = (folder: string): boolean =>
    DOTNET_OUTPUT.has(basename(folder)) && namesIn(parentOf(folder)).some(name => DOTNET_PROJECT.test(name))
  const isNever = (folder: string): boolean => NEVER_FOLDERS.has(basename(folder)) || isOutput(folder)
  return {
    isPruned: folder =>
      isNever(folder) ||
      unwanted.some(glob => matches(folder, glob) || glob === `${folder}/**`) ||
      !wanted.some(glob => mayHold(folder, glob)),
    counts: path =>
      !NEVER_FILES.some(pattern => pattern.test(basename(path))) &&
      wanted.some(glob => matches(path, glob)) &&
      !unwanted.some(glob => matches(path, glob))
  }
}

/** `./src/` and `src` are one. */
const plain = (glob: string): string => glob.replace(/^(\.\/)+/, '').replace(/\/+$/, '')

const parentOf = (path: string): string => (path.includes('/') ? dirname(path) : '')

/** Node's own globs pass names with a leading dot over; `**` alone means everything. */
const matches = (path: string, glob: string): boolean =>
  glob === '**' || glob === '.' || path.startsWith(`${glob}/`) || matchesGlob(path, glob)

/** Whether something in the folder can match. */
function mayHold(folder: string, glob: string): boolean {
  if (glob === '.') return true
  const wanted = glob.split('/')
  for (const [index, name] of folder.split('/').entries()) {
    const part = wanted[index]
    if (part === undefined) return matches(folder, glob)
    if (part === '**' || part.includes('{')) return true
    if (part !== name && !matchesGlob(name, part)) return false
  }
  return true
}
