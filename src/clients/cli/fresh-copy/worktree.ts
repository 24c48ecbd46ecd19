// fresh-copy/ makes a worktree that was added to a Git repository ready to run: it copies files that git does not track from the main
// working tree, never over an existing file, and runs commands like `npm ci` once.
import {existsSync, readFileSync, statSync} from 'node:fs'
import {basename, dirname, join, relative, resolve} from 'node:path'
import {whileLocked} from '../../../control/lock.ts'
import {orElse} from '../../../model/or-else.ts'
import {writeWhole} from '../../../platform/make-folder.ts'
import {repositoryAbove} from '../../../platform/paths.ts'
import {gitOf} from '../../../platform/git-folder.ts'

/** A worktree that was added to a repository, and the working tree that it was added to (git-worktree(1)). */
export interface AddedWorktree {
  readonly root: string
  readonly main: string
  /** Git's own folder for this worktree, which Git removes with it. */
  readonly gitFolder: string
}

/** Returns the added worktree of a folder. Undefined outside of one, and if the main one is missing (a bare repository). */
export function addedWorktreeOf(folder: string): AddedWorktree | undefined {
  const root = repositoryAbove(resolve(folder))
  if (root === undefined || statSync(join(root, '.git')).isDirectory()) return undefined
  const gitFolder = gitOf(root)
  const common = join(gitFolder, 'commondir')
  if (!existsSync(common)) return undefined
  const git = resolve(gitFolder, readFileSync(common, 'utf8').trim())
  const main = dirname(git)
  return basename(git) === '.git' && existsSync(main) && main !== root ? {root, main, gitFolder} : undefined
}

/** Returns the folder of the main working tree that corresponds to a folder of the worktree. */
export const inMain = ({root, main}: AddedWorktree, folder: string): string => join(main, relative(root, folder))

/** Runs `work` while no other start of the worktree does so. Calls `say` if it has to wait. */
export const alone = async (
  {gitFolder}: AddedWorktree,
  say: (text: string) => void,
  work: () => Promise<void>
): Promise<void> =>
  whileLocked(join(gitFolder, 'pillion.lock'), work, () => say('waits for another start of this worktree'))

/** The record of finished steps for a worktree. */
interface Prepared {
  /** Globs of `bring` that are done, with the template of each. */
  readonly brought: readonly string[]
  /** A hash of the lock files after each finished `setup`, by its folder and command. */
  readonly setups: Readonly<Record<string, string>>
}

const FILE = 'pillion.json'

export function readPrepared({gitFolder}: AddedWorktree): Prepared {
  // without this file, no step has been done
  const read = (): Partial<Prepared> => JSON.parse(readFileSync(join(gitFolder, FILE), 'utf8')) as Partial<Prepared>
  const {brought = [], setups = {}} = orElse<Partial<Prepared>>(read, {})
  return {brought, setups}
}

export const writePrepared = ({gitFolder}: AddedWorktree, prepared: Prepared): void =>
  writeWhole(join(gitFolder, FILE), JSON.stringify(prepared))
