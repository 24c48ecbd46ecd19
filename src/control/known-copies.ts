import {existsSync} from 'node:fs'
import {basename, dirname, join, relative} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {bothPaths} from '../model/template-name.ts'
import {commonOf, gitOf, gitText} from '../platform/git-folder.ts'
import {isSamePath, isSameTemplate, linksResolved, repositoryAbove} from '../platform/paths.ts'
import {copiesAmong} from './copies.ts'
import {livingRuns, type LivingRun} from './living-runs.ts'
import {rememberedSpaces, type RememberedSpace} from './remembered-spaces.ts'
import type {RunIdentity} from './run-file.ts'
import {isForgotten, repositoryOf, worktreesIn} from './repository.ts'
import {spaceNameOf} from './space.ts'

/** A copy of a template: it runs, could be started, or has left data behind. */
export interface KnownCopy {
  /** The name that its run has, or would have. */
  readonly name: string
  /** The folder of its template. */
  readonly folder: string
  /** Branch of the worktree; empty if there is none, or the worktree is gone. */
  readonly branch: string
  readonly isGone: boolean
  /** Run of the copy, if it runs. */
  readonly run: LivingRun | undefined
  /** Own data of the copy, if it has any. */
  readonly space: RememberedSpace | undefined
}

/** Returns the copies of the template at `file`: worktrees of its repository, other names, running clones, and copies without a folder. */
export function knownCopies(env: Environment, file: string): readonly KnownCopy[] {
  const own = linksResolved(file)
  const root = repositoryAbove(dirname(own))
  const path = root === undefined ? '' : relative(root, own)
  const living = livingRuns(env)
  // `-` is the name of no copy: this finds every run of the folder
  const runs = [...copiesAmong(living, {file: own, copy: '-'}), ...living.filter(({pid}) => pid === process.pid)]
  const spaces = rememberedSpaces(env)
  const places = [
    ...spaces.map(each => each.root),
    ...runs.flatMap(({templateFile}) => repositoryAbove(dirname(templateFile)) ?? [])
  ]
  const worktrees = root === undefined ? [] : worktreesOf(root, places)
  const files = root === undefined ? [own] : worktrees.map(each => join(each, path))
  const spaceAt = (at: string, copy: string): RememberedSpace | undefined => {
    const name = spaceNameOf(env, {file: at, copy})
    const place = repositoryAbove(dirname(at)) ?? dirname(at)
    const isOf = (each: RememberedSpace): boolean => each.copy === copy && isSamePath(each.root, place)
    return spaces.find(each => each.name === name) ?? spaces.find(isOf)
  }
  const copyAt = (at: string, run: LivingRun | undefined, copy: string): KnownCopy => ({
    name: run?.name ?? (copy || basename(dirname(at))),
    folder: dirname(at),
    branch: branchOf(at),
    isGone: !existsSync(dirname(at)),
    run,
    space: spaceAt(at, copy)
  })
  const runAt = (at: string): LivingRun | undefined =>
    runs.find(each => each.copy === '' && isSameTemplate(each.templateFile, at))
  const plain = files
    .filter(each => bothPaths(each).some(at => existsSync(at)) || !existsSync(dirname(each)))
    .map(at => copyAt(at, runAt(at), ''))
  const others = runs
    .filter(run => !plain.some(copy => copy.run === run))
    .map(run => copyAt(run.templateFile, run, run.copy))
  const known = [...plain, ...others]
  const left = spaces
    .filter(space => !known.some(each => each.space === space))
    .filter(
      ({root: at, repository}) =>
        at !== '' &&
        root !== undefined &&
        (existsSync(at)
          ? worktrees.some(each => isSamePath(each, at))
          : repository === '' || repository === repositoryOf(gitOf(root)))
    )
    .map(space => ({
      name: space.copy || basename(space.root),
      folder: space.root,
      branch: '',
      isGone: !existsSync(space.root),
      run: undefined,
      space
    }))
  return [...known, ...left]
}

/** Returns the starting runs of these copies, with the names of the copies. */
export const startsOf = (copies: readonly KnownCopy[], starts: readonly RunIdentity[]): readonly RunIdentity[] =>
  starts.flatMap(start => {
    const copy = copies.find(({folder}) => isSamePath(folder, dirname(start.templateFile)))
    return copy === undefined ? [] : [{...start, name: start.copy || basename(copy.folder)}]
  })

/**
 * Returns the main working tree and the added ones of Git (gitrepository-layout(5)), removed ones included. Finds a worktree that was moved without Git if its new place is `root` or among `places`.
 */
function worktreesOf(root: string, places: readonly string[] = []): readonly string[] {
  const common = commonOf(gitOf(root))
  const added = worktreesIn(common).map(([own, place]) => {
    const isThere = (at: string): boolean => existsSync(join(at, '.git')) && isSamePath(gitOf(at), own)
    return isThere(place) ? place : ([root, ...places].find(isThere) ?? place)
  })
  const forgotten = [root, ...places].filter(at => {
    const git = existsSync(join(at, '.git')) ? gitOf(at) : ''
    return git !== '' && isForgotten(git) && commonOf(git) === common
  })
  const main = basename(common) === '.git' ? [dirname(common)] : [root].filter(at => isSamePath(gitOf(at), common))
  return [...new Set([...main, ...added, ...forgotten, ...(main.length + added.length === 0 ? [root] : [])])]
}

/** The branch that is checked out where a file is; '': none with a name, or Git keeps it in a table (reftable). */
function branchOf(file: string): string {
  const root = existsSync(dirname(file)) ? repositoryAbove(dirname(file)) : undefined
  if (root === undefined) return ''
  return /^ref: refs\/heads\/([^.].*)$/.exec(gitText(join(gitOf(root), 'HEAD')))?.[1] ?? ''
}
