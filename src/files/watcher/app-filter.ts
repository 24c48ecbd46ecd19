import {existsSync, fstatSync, type Stats} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {namesInFolder, repositoryAbove} from '../../platform/paths.ts'
import type {WatchPlan} from '../../model/plan.ts'
import {watchFilter, type WatchFilter} from '../../model/watch-filter.ts'
import {compileExactGlob, isInside, type Glob} from '../../model/glob.ts'
import {orElse} from '../../model/or-else.ts'
import {readTextFile} from '../../model/read-file.ts'
import {commonOf, gitOf} from '../../platform/git-folder.ts'

const GITIGNORE = '.gitignore'

interface Rule {
  readonly glob: Glob
  /** Whether the rule is `!pattern`: matching paths are not ignored. */
  readonly isNegated: boolean
  readonly isForFolders: boolean
}

/**
 * The `.gitignore` files from the root of a folder's Git repository down to a path, and its `info/exclude` (gitignore(5)); without a
 * repository those from the folder down. Each file is read once. If the repository ignores a root itself, only the files inside the root
 * count.
 */
export class Gitignore {
  readonly #roots: readonly {readonly root: string; readonly top: string}[]
  readonly #rules = new Map<string, readonly Rule[]>()
  readonly #folders = new Map<string, boolean>()

  constructor(roots: readonly string[]) {
    this.#roots = roots.map(root => {
      const top = repositoryAbove(root) ?? root
      return {root, top: this.#excludesFolder(root, top) ? root : top}
    })
    this.#folders.clear()
  }

  /** The files above the roots whose rules apply there, whether they exist or not. */
  get above(): readonly string[] {
    const folders = this.#roots.flatMap(({root, top}) => foldersUpTo(root, top))
    return [...new Set(folders)].map(folder => join(folder, GITIGNORE))
  }

  /** Whether a path inside one of the roots is ignored. */
  excludes(path: string, isFolder: boolean): boolean {
    const {top} = this.#roots.find(({root}) => isInside(path, root)) ?? {}
    if (top === undefined) return false
    return isFolder ? this.#excludesFolder(path, top) : this.#excludes(path, top, false)
  }

  #excludesFolder(path: string, top: string): boolean {
    if (path === top) return false
    const known = this.#folders.get(path) ?? this.#excludes(path, top, true)
    this.#folders.set(path, known)
    return known
  }

  /** Everything in an ignored folder is ignored; otherwise the last matching rule of the nearest file decides. */
  #excludes(path: string, top: string, isFolder: boolean): boolean {
    if (this.#excludesFolder(dirname(path), top)) return true
    for (let folder = dirname(path); isInside(folder, top); folder = dirname(folder)) {
      const rule = this.#rulesIn(folder).findLast(
        ({glob, isForFolders}) => (isFolder || !isForFolders) && glob.matches(path)
      )
      if (rule !== undefined) return !rule.isNegated
      if (folder === '/') break
    }
    return false
  }

  #rulesIn(folder: string): readonly Rule[] {
    const rules =
      this.#rules.get(folder) ??
      [...excludeFiles(folder), join(folder, GITIGNORE)].flatMap(file => rulesOf(textOf(file), folder))
    this.#rules.set(folder, rules)
    return rules
  }
}

const foldersUpTo = (folder: string, top: string): readonly string[] =>
  folder === top ? [] : [dirname(folder), ...foldersUpTo(dirname(folder), top)]

function rulesOf(text: string, folder: string): readonly Rule[] {
  return text.split('\n').flatMap(line => {
    const whole = line.replace(/\r$/, '')
    const written = whole.replace(/(?<! ) +$/, (_, at: number) => (whole[at - 1] === '\\' ? ' ' : ''))
    if (written === '' || written.startsWith('#')) return []
    const isNegated = written.startsWith('!')
    const pattern = isNegated ? written.slice(1) : written
    const name = pattern.replace(/(?<!\/)\/+$/, '')
    if (name === '') return []
    const anchored = name.includes('/') ? name.replace(/^\/+/, '') : `**/${name}`
    // `a/**` is all that is in `a`, and not `a` itself
    const glob = compileExactGlob(anchored.replace(/(^|\/)\*\*$/, '$1**/*'), folder)
    return [{glob, isNegated, isForFolders: pattern !== name}]
  })
}

/** Returns the text of a file, with its blanks; empty if it is missing or unreadable. */
const textOf = (file: string): string => orElse(() => readTextFile(file), '')

/** Returns the `info/exclude` of a folder that is the root of a repository. All worktrees of the repository share the file. */
const excludeFiles = (folder: string): readonly string[] =>
  existsSync(join(folder, '.git')) ? [join(commonOf(gitOf(folder)), 'info/exclude')] : []

/** The files of an app, and the files with rules about them. */
export interface AppFilter extends WatchFilter {
  /** `.gitignore` files above the roots. */
  readonly rulesAbove: readonly string[]
  /** Whether a file has rules of the filter: a save of it changes the filter. */
  hasRules(path: string): boolean
}

/** Returns the filter for certain files. Follows their folders: chokidar, following a file alone, does not notice that its folder was replaced. */
export const filterOf = (files: readonly string[]): AppFilter => ({
  roots: [...new Set(files.map(file => dirname(file)))],
  isPruned: folder => !files.some(file => `${file}/`.startsWith(`${folder}/`)),
  counts: path => files.includes(path),
  rulesAbove: [],
  hasRules: () => false
})

/** Returns the filter of an app; reads the `.gitignore` files that concern it. */
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

/** Identity of a file, independent of its path. */
export type FileId = Pick<Stats, 'dev' | 'ino'>

/** Our stdout and stderr, where they are files (`pillion up > out.txt`). */
export const ownOutputs = (): readonly FileId[] =>
  // a closed descriptor is skipped
  [1, 2].flatMap(descriptor => orElse(() => fstatSync(descriptor), [])).filter(stats => stats.isFile())

/** Whether chokidar ignores a path. Chokidar first asks without stats, and again with stats if the path is not ignored. `outputs`: files that Pillion writes. */
export function isIgnored(
  path: string,
  stats: Stats | undefined,
  filter: AppFilter,
  outputs: readonly FileId[] = []
): boolean {
  if (stats === undefined) return false
  if (outputs.some(({dev, ino}) => dev === stats.dev && ino === stats.ino)) return true
  if (filter.roots.includes(path)) return false
  return stats.isDirectory() ? filter.isPruned(path) : !filter.counts(path) && !filter.hasRules(path)
}
