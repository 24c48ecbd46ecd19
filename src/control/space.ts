import {existsSync, realpathSync} from 'node:fs'
import {basename, dirname, join, relative} from 'node:path'
import type {Environment} from '../model/environment.ts'
import type {NameSpace} from '../model/app-name.ts'
import {shortHash} from '../model/fnv1a.ts'
import type {Plan} from '../model/plan.ts'
import {commonOf, gitOf} from '../platform/git-folder.ts'
import {makeFolder} from '../platform/make-folder.ts'
import {linksResolved, repositoryAbove} from '../platform/paths.ts'
import {copiesAmong, type TemplateCopy} from './copies.ts'
import {runtimeFolders, usableFolder} from './folder.ts'
import {livingRuns} from './living-runs.ts'
import {forgetOld, ownerIn, remember, spacesFolder, type SpaceOwner} from './remembered-spaces.ts'
import {isForgotten, repositoryOf, worktreeIdentity} from './repository.ts'
import {oneByOne, wordOf} from './run-name.ts'

/** The data of a copy, apart from those of all other runs. */
export interface Space {
  /** The name: the same from day to day, and for each run of the copy. */
  readonly name: string
  /** The folder of its files; it may not exist. */
  readonly folder: string
}

/**
 * Returns the space of a run; undefined: the run shares its data with all runs that have no space. Worktrees that were added to a repository have one, and
 * so has each `--name`. Of several clones of a repository the one that runs first shares its data; one that runs next to it has a space
 * from then on.
 */
export async function spaceOf(env: Environment, run: TemplateCopy, cwd = process.cwd()): Promise<Space | undefined> {
  const owner = ownerOf(run, cwd)
  if (!hasSpace(env, owner) && run.file === '') return undefined
  // under the lock one of two simultaneous starts is the first, and none begins to use data that the other removes
  return oneByOne(usableFolder(runtimeFolders(env)), async () => {
    const isApart = hasSpace(env, owner) || hasCopyWithout(env, run)
    return Promise.resolve(isApart ? begun(env, owner) : undefined)
  })
}

/** The name of a copy's space, whether the copy has one or not. */
export const spaceNameOf = (env: Environment, run: TemplateCopy): string => spaceFor(env, ownerOf(run)).name

/** Returns the parts of host names for a project and this copy of it. */
export function nameSpaceOf(
  env: Environment,
  {file, copy = '', name}: Pick<Plan, 'file' | 'copy' | 'name'>
): NameSpace {
  const folder = dirname(linksResolved(file))
  const root = addedWorktree(folder)
  const common = root === undefined ? '' : commonOf(gitOf(root))
  const isMainKnown = root !== undefined && basename(common) === '.git'
  const project = name || basename(isMainKnown ? join(dirname(common), relative(root, folder)) : folder)
  if (copy !== '' || root !== undefined) return {project, copy: copy || basename(root ?? '')}
  const owner = ownerOf({file, copy})
  const isApart = hasSpace(env, owner) || hasCopyWithout(env, {file, copy})
  return {project, copy: isApart ? basename(owner.root) : ''}
}

/** Whether another copy runs that has no space, so that it shares its data with all runs. */
const hasCopyWithout = (env: Environment, run: TemplateCopy): boolean =>
  copiesAmong(livingRuns(env), run).some(({templateFile, copy}) => !hasSpace(env, ownerOf({file: templateFile, copy})))

/** Whether a copy has a space of its own: it has a name, is an added worktree, or got one in an earlier run. */
const hasSpace = (env: Environment, owner: SpaceOwner): boolean =>
  owner.copy !== '' || addedWorktree(owner.root) !== undefined || existsSync(spaceFor(env, owner).folder)

/** The owner of the state of a copy. `cwd`: the folder in which a single app was started. */
function ownerOf({file, copy}: TemplateCopy, cwd = ''): SpaceOwner {
  const folder = file === '' ? cwd : dirname(file)
  const real = existsSync(folder) ? realpathSync(folder) : folder
  const root = addedWorktree(real) ?? repositoryAbove(real)
  return {root: root ?? real, copy, repository: root === undefined ? '' : repositoryOf(gitOf(root))}
}

/** The worktree that was added to another one (git-worktree(1)) and in which a folder lies; undefined: it lies in none. */
function addedWorktree(folder: string): string | undefined {
  const root = repositoryAbove(folder)
  if (root === undefined) return undefined
  const git = gitOf(root)
  if (existsSync(join(git, 'commondir')) || isForgotten(git)) return root
  // skips submodules, whose `.git` is a file, too
  const isWhole = git === join(root, '.git') || root === dirname(root)
  return isWhole ? undefined : addedWorktree(dirname(root))
}

/**
 * Returns the space of a copy. An added worktree keeps its space when it is moved; a new worktree in the same place has another. All other
 * copies have a space by their path, also a worktree that was copied by hand, which has the same folder of Git.
 */
function spaceFor(env: Environment, {root, copy}: SpaceOwner): Space {
  const byPath = spaceCalled(env, copy || basename(root), `${root}\0${copy}`)
  const worktree = worktreeIdentity(root)
  if (worktree === undefined || existsSync(byPath.folder)) return byPath
  const own = spaceCalled(env, copy || worktree.name, `${worktree.id}\0${copy}`)
  const user = ownerIn(own.folder).root
  return user !== '' && user !== root && worktreeIdentity(user)?.id === worktree.id ? byPath : own
}

function spaceCalled(env: Environment, called: string, identity: string): Space {
  const name = [wordOf(called), shortHash(identity)].join('-')
  return {name, folder: join(spacesFolder(env), name)}
}

/** Creates the space of an owner, records its use, and forgets unused spaces. */
function begun(env: Environment, owner: SpaceOwner): Space {
  const space = spaceFor(env, owner)
  try {
    makeFolder(space.folder, 0o700)
    remember(space.folder, owner)
    const used = new Set(
      livingRuns(env).map(({templateFile, copy}) => spaceFor(env, ownerOf({file: templateFile, copy})).name)
    )
    forgetOld(env, name => used.has(name))
  } catch {
    // a writer of the folder reports the error
  }
  return space
}
