import type {Stats} from 'node:fs'
import {basename, dirname} from 'node:path'
import {namesInFolder} from '../../platform/paths.ts'
import type {WatchPlan} from '../../model/plan.ts'
import {watchFilter, type WatchFilter} from '../../model/watch-filter.ts'
import {GITIGNORE, Gitignore} from './gitignore.ts'

/** Files of an app, and the files with rules about them. */
export interface AppFilter extends WatchFilter {
  /** Files of rules outside of the roots. */
  readonly rulesAbove: readonly string[]
  /** Whether a file has rules of the filter: a save of it changes the filter. */
  hasRules(path: string): boolean
}

/** Only these files. Their folders are followed: for a file alone the library does not see that another folder is in place of its own. */
export const filterOf = (files: readonly string[]): AppFilter => ({
  roots: [...new Set(files.map(file => dirname(file)))],
  isPruned: folder => !files.some(file => `${file}/`.startsWith(`${folder}/`)),
  counts: path => files.includes(path),
  rulesAbove: [],
  hasRules: () => false
})

/** The filter of an app; reads the `.gitignore` files that concern it. */
export function openFilter(plan: WatchPlan, folder: string): AppFilter {
  let gitignore: Gitignore | undefined
  const filter = watchFilter(plan, folder, {
    namesIn: namesInFolder,
    isGitignored: (path, isFolder) => gitignore?.excludes(path, isFolder) ?? false
  })
  const {honoursGitignore} = plan
  if (honoursGitignore) gitignore = new Gitignore(filter.roots)
  const rulesAbove = gitignore?.above ?? []
  return {...filter, rulesAbove, hasRules: path => honoursGitignore && basename(path) === GITIGNORE}
}

/** Chokidar first asks without stats: whatever is not a folder is judged when it has been read. */
export function isIgnored(path: string, stats: Stats | undefined, filter: AppFilter): boolean {
  if (stats === undefined || filter.roots.includes(path)) return false
  return stats.isDirectory() ? filter.isPruned(path) : !filter.counts(path) && !filter.hasRules(path)
}
