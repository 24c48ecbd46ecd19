import {existsSync, statSync} from 'node:fs'
import {basename, dirname, join, relative, resolve} from 'node:path'
import {isInside} from '../model/glob.ts'
import {commonOf, gitOf, gitText} from '../platform/git-folder.ts'
import {keptPath} from '../model/template-name.ts'
import {linksResolved, namesInFolder, repositoryAbove, templateIdentity} from '../platform/paths.ts'

/** Returns the repository of a file, and its path in there; an empty string outside of repositories. */
export function originOf(file: string): string {
  const path = templateIdentity(file)
  const folder = repositoryAbove(dirname(path))
  if (folder === undefined) return ''
  return `${repositoryOf(gitOf(folder))}\0${relative(folder, path)}`
}

/**
 * As `originOf`, for a file of a worktree that has been moved or removed since: uses the worktrees that the repository of `own`
 * remembers. Returns an empty string if none of them had it.
 */
export function lostOriginOf(file: string, own: string): string {
  const folder = repositoryAbove(dirname(linksResolved(own)))
  if (folder === undefined || existsSync(dirname(file))) return ''
  const git = gitOf(folder)
  const [, root] = worktreesIn(commonOf(git)).find(([, at]) => isInside(file, at)) ?? []
  return root === undefined ? '' : `${repositoryOf(git)}\0${relative(root, keptPath(file))}`
}

/** Returns Git's folder of each added worktree, and the worktree's root. Git may store the root as a path relative to its folder. */
export function worktreesIn(common: string): readonly (readonly [git: string, root: string])[] {
  const folders = namesInFolder(join(common, 'worktrees')).map(name => join(common, 'worktrees', name))
  const named = folders.map(git => [git, gitText(join(git, 'gitdir'))] as const).filter(([, text]) => text !== '')
  return named.map(([git, text]) => [git, dirname(resolve(git, text))])
}

/** Whether Git has removed the folder of this worktree, while the repository still exists. */
export const isForgotten = (git: string): boolean =>
  basename(dirname(git)) === 'worktrees' && !existsSync(git) && existsSync(join(commonOf(git), 'HEAD'))

/** Identifies a repository: by the URL that its clones share, else by the folder that its worktrees share. */
export function repositoryOf(git: string): string {
  const folder = commonOf(git)
  const [, remote = ''] = /\[remote "origin"\]([^[]*)/.exec(gitText(join(folder, 'config'))) ?? []
  const url = /^\s*url\s*=\s*(.*?)\s*$/m.exec(remote)?.[1] ?? ''
  return url === '' ? folder : url.replace(/\.git\/?$/, '')
}

/** A worktree that was added to a repository, as Git knows it. */
export interface WorktreeIdentity {
  /** Name of Git's folder: the name of the worktree when it was added, possibly with a number. */
  readonly name: string
  /** Identifier that stays when the worktree is moved. A new worktree at the same place has another. */
  readonly id: string
}

/** Returns the identity of an added worktree, if the folder is one. */
export function worktreeIdentity(root: string): WorktreeIdentity | undefined {
  if (!existsSync(join(root, '.git'))) return undefined
  const git = gitOf(root)
  // Git writes this file once (gitrepository-layout(5))
  const made = statSync(join(git, 'commondir'), {bigint: true, throwIfNoEntry: false})?.mtimeNs
  return made === undefined ? undefined : {name: basename(git), id: `${basename(git)} ${made}`}
}
