import {existsSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {compileExactGlob, isInside, type Glob} from '../../model/glob.ts'
import {orElse} from '../../model/or-else.ts'
import {readTextFile} from '../../model/read-file.ts'
import {commonOf, gitOf} from '../../platform/git-folder.ts'
import {repositoryAbove} from '../../platform/paths.ts'

export const GITIGNORE = '.gitignore'

interface Rule {
  readonly glob: Glob
  /** `!pattern`: what it matches is not ignored. */
  readonly isNegated: boolean
  readonly isForFolders: boolean
}

/**
 * The `.gitignore` files from the root of a folder's Git repository down to a path, and its `info/exclude` (gitignore(5)).
 * Without a repository: those from the folder down. Each file is read once. If the repository ignores a root itself, only
 * the files inside the root apply.
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

/** The text of a file, with its blanks; '' if it is missing or unreadable. */
const textOf = (file: string): string => orElse(() => readTextFile(file), '')

/** All worktrees of a repository share its file. */
const excludeFiles = (folder: string): readonly string[] =>
  existsSync(join(folder, '.git')) ? [join(commonOf(gitOf(folder)), 'info/exclude')] : []
