import {existsSync, statSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {orElse} from '../model/or-else.ts'
import {readTextFile} from '../model/read-file.ts'
import {linksResolved} from './paths.ts'

/** The folder of Git for a folder with a `.git`: in a worktree that is a file which names it (gitrepository-layout(5)). */
export function gitOf(root: string): string {
  const git = join(root, '.git')
  if (statSync(git).isDirectory()) return git
  return resolve(root, /^gitdir: (.*)$/m.exec(gitText(git))?.[1] ?? '.git')
}

/**
 * Returns Git's folder that all worktrees of a repository share, from that of one of them. The latter may be gone if the worktree was
 * moved by hand and then pruned (git-worktree(1)).
 */
export const commonOf = (git: string): string =>
  linksResolved(resolve(git, gitText(join(git, 'commondir')) || (existsSync(git) ? '.' : '../..')))

/** Returns the trimmed text of a small file; '' if it is missing. */
export const gitText = (file: string): string => orElse(() => readTextFile(file).trim(), '')
