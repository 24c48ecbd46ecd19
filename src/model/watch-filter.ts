import {basename, dirname} from 'node:path'
import {ownOf} from './own.ts'
import {compileGlob, isInside, type Glob} from './glob.ts'
import type {WatchPlan} from './plan.ts'

/** The files of an app that count as changes. Paths are absolute. */
export interface WatchFilter {
  /** The folders to watch: the app's own, and those outside of it that globs name. */
  readonly roots: readonly string[]
  /** Whether no file in this folder can count, so that it is skipped. */
  isPruned(folder: string): boolean
  counts(path: string): boolean
}

/** Part of the file system that a filter reads. */
export interface FilesAround {
  /** Names of the entries of a folder. */
  readonly namesIn: (folder: string) => readonly string[]
  /** Whether `.gitignore` files exclude a path. Only asked if the plan honours them. */
  readonly isGitignored: (path: string, isFolder: boolean) => boolean
}

/** Folders that no wildcard matches. A glob with their name does, as `target/*.jar`. */
const HIDDEN_FOLDERS = new Set(
  '.git node_modules .dapr __pycache__ .venv .pytest_cache target .gradle .next .svelte-kit'.split(' ')
)

/** Databases, logs, Vite's compiled configuration, and files that editors write next to an open one (vim, Emacs, Kate, JetBrains, Sublime, LibreOffice). */
const NEVER_FILES = [
  /\.(?:db|db3|sqlite|sqlite3)(?:-(?:journal|wal|shm))?$/,
  /\.(?:rdb|aof|aof\.manifest)$/,
  /\.log$/,
  /\.timestamp-[^/]*\.mjs$/,
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

/** Is in each folder that a server of PostgreSQL writes to, all the time. */
const POSTGRES_DATA = 'PG_VERSION'

/** Folders that a build tool writes if a file in the same folder belongs to that tool. */
const OUTPUTS: Readonly<Record<string, RegExp>> = {
  bin: /\.(?:cs|fs|vb)proj$/,
  obj: /\.(?:cs|fs|vb)proj$/,
  build: /^(?:build|settings)\.gradle(?:\.kts)?$/
}

/** Returns the filter of an app in `folder`. The plan's globs have been checked: they compile. */
export function watchFilter(
  {paths, ignore, honoursGitignore, others = []}: WatchPlan,
  folder: string,
  {namesIn, isGitignored}: FilesAround
): WatchFilter {
  const isHidden = (path: string): boolean => {
    const name = basename(path)
    const project = ownOf(OUTPUTS, name)
    return project === undefined ? HIDDEN_FOLDERS.has(name) : namesIn(dirname(path)).some(each => project.test(each))
  }
  const wanted = paths.flatMap(glob => compileGlob(glob, folder, isHidden))
  const unwanted = ignore.flatMap(glob => compileGlob(glob, folder))
  const isExcluded = (path: string, isFolder: boolean): boolean =>
    others.some(other => isInside(path, other)) ||
    unwanted.some(glob => glob.matches(path)) ||
    (honoursGitignore && isGitignored(path, isFolder))
  return {
    roots: rootsOf(folder, wanted),
    isPruned: path =>
      !wanted.some(glob => glob.canMatchIn(path)) ||
      unwanted.some(glob => glob.matchesAllIn(path)) ||
      isExcluded(path, true) ||
      namesIn(path).includes(POSTGRES_DATA),
    counts: path =>
      !NEVER_FILES.some(pattern => pattern.test(basename(path))) &&
      wanted.some(glob => glob.matches(path)) &&
      !isExcluded(path, false)
  }
}

/** Folders inside another root are not roots of their own. */
function rootsOf(folder: string, globs: readonly Glob[]): readonly string[] {
  const outside = globs.map(({base}) => base).filter(base => !isInside(base, folder))
  const all = [...new Set([folder, ...outside])]
  return all.filter(root => !all.some(other => other !== root && isInside(root, other)))
}

/** Whether a glob of `watch` matches nothing, since every path of it is never watched or excluded by `ignore`. Judged by one path for each alternative. */
export function matchesNothing(glob: string, {ignore}: WatchPlan, folder: string): boolean {
  const none = {namesIn: () => [], isGitignored: () => false}
  const filter = watchFilter({paths: [glob], ignore, honoursGitignore: false}, folder, none)
  return compileGlob(glob, folder).every(({base, sample}) => {
    const folders = foldersBetween(isInside(base, folder) ? folder : base, sample === base ? `${base}/x` : sample)
    return !filter.counts(sample) || folders.some(each => filter.isPruned(each))
  })
}

/** Returns the folders below `root` on the way to a path. */
function foldersBetween(root: string, path: string): readonly string[] {
  const folders: string[] = []
  for (let at = dirname(path); at !== root && isInside(at, root); at = dirname(at)) folders.push(at)
  return folders
}
