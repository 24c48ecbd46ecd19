import {existsSync, lstatSync, readFileSync} from 'node:fs'
import {dirname, join, relative, resolve} from 'node:path'
import {parse} from 'yaml'
import {UserError} from '../../../model/errors.ts'
import {compileExactGlob, isInside} from '../../../model/glob.ts'
import {isObject} from '../../../model/is-object.ts'
import {namesInFolder} from '../../../platform/paths.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {inMain, type AddedWorktree} from './worktree.ts'

/** The paths that a worktree gets from the main one, each with the glob that asked for it. */
export interface WantedPaths {
  readonly glob: string
  /** Paths in the main working tree. */
  readonly paths: readonly string[]
}

interface Keys {
  /** Paths of the template's `bring`, if it has any. */
  readonly bring: readonly string[] | undefined
  /** Absolute paths in the worktree. */
  readonly envFiles: readonly string[]
  /** The folders of the apps, as absolute paths in the worktree. */
  readonly folders: readonly string[]
}

const NO_KEYS: Keys = {bring: undefined, envFiles: [], folders: []}

/** Reads `bring` and the paths of env files from a template; its mistakes are reported when it is loaded. */
function bringKeys(file: string): Keys {
  const folder = dirname(file)
  let root: unknown
  try {
    root = parse(readFileSync(file, 'utf8'), {merge: true, logLevel: 'silent'}) as unknown
  } catch {
    return NO_KEYS
  }
  if (!isObject(root)) return NO_KEYS
  const {bring, common, apps, interpolate} = root
  const places = [
    [common, folder] as const,
    ...(Array.isArray(apps) ? apps : []).map(app => [app as unknown, folderOf(app, folder)] as const)
  ]
  const envFiles = places.flatMap(([holder, at]) =>
    isObject(holder) ? pathsIn(holder['envFile']).map(path => resolve(at, path)) : []
  )
  return {
    bring: Array.isArray(bring) ? bring.filter(each => typeof each === 'string') : undefined,
    folders: places.slice(1).map(([, at]) => at),
    envFiles: [...envFiles, ...(typeof interpolate === 'string' ? [resolve(folder, interpolate)] : [])]
  }
}

function folderOf(app: unknown, folder: string): string {
  const path: unknown = isObject(app) ? (app['appDirPath'] ?? app['dir']) : undefined
  return typeof path === 'string' ? resolve(folder, path) : folder
}

const pathsIn = (envFile: unknown): readonly string[] =>
  [envFile].flat().flatMap(each => {
    const path: unknown = isObject(each) ? each['path'] : each
    return typeof path === 'string' ? [path] : []
  })

/** Returns the paths that the template at `file` and a `.worktreeinclude` ask for. Throws a UserError for a glob that leads out of the repository. */
export async function wantedPaths(worktree: AddedWorktree, file: string): Promise<readonly WantedPaths[]> {
  const {bring, envFiles} = bringKeys(file)
  const folder = inMain(worktree, dirname(file))
  const ofApps: WantedPaths[] = []
  // one git command for each: a path in a submodule fails the whole command
  for (const path of missing(worktree, envFiles))
    ofApps.push({glob: `envFile ${relative(worktree.main, path)}`, paths: await uncarried(worktree, path)})
  const named = bring?.map(glob => ({glob, paths: matching(worktree, glob, folder)})) ?? []
  return [...named, ...ofApps, {glob: '.worktreeinclude', paths: await included(worktree)}]
}

/** Returns the folders of apps that only the main working tree has, since git tracks no file in them. */
export const missingFolders = (worktree: AddedWorktree, file: string): readonly string[] =>
  missing(worktree, bringKeys(file).folders)
    .filter(isFolder)
    .map(there => join(worktree.root, relative(worktree.main, there)))

/** Returns the path if git does not track it, so that an added worktree lacks it. */
const uncarried = async ({main}: AddedWorktree, path: string): Promise<readonly string[]> =>
  (await git(main, ['ls-files', '--others', '--', relative(main, path)])).length > 0 ? [path] : []

/** Returns the paths in the main working tree of files that this worktree lacks. */
const missing = (worktree: AddedWorktree, files: readonly string[]): readonly string[] =>
  files
    .filter(file => !existsSync(file))
    .flatMap(file => {
      const there = inMain(worktree, file)
      return existsSync(there) && isWithin(worktree.main, there) ? [there] : []
    })

const isWithin = (root: string, path: string): boolean => path !== root && isInside(path, root)

function matching({main, root}: AddedWorktree, glob: string, folder: string): readonly string[] {
  const compiled = compileExactGlob(glob.replace(/\/+$/, ''), folder)
  if (!isWithin(main, join(compiled.base, '_')))
    throw new UserError(`bring: ${glob} leads out of the repository`, {
      explanation: 'What lies outside is the same for each copy: use its absolute path.'
    })
  const found: string[] = []
  const look = (path: string): void => {
    if (compiled.matches(path)) return void found.push(path)
    if (!isFolder(path) || !(path === compiled.base || compiled.canMatchIn(path))) return
    // a folder of another user, such as one that a container made, counts as empty
    for (const name of namesInFolder(path)) {
      // skips `.git`, `node_modules` and other worktrees
      if (name === '.git' || (path !== compiled.base && /(?:^|\/)node_modules$/.test(path))) continue
      const inside = join(path, name)
      if (inside !== root && !existsSync(join(inside, '.git'))) look(inside)
    }
  }
  if (existsSync(compiled.base)) look(compiled.base)
  return found
}

const isFolder = (path: string): boolean => lstatSync(path, {throwIfNoEntry: false})?.isDirectory() === true

/** Returns the paths that `.worktreeinclude` names and git ignores (the file of other tools; gitignore(5) has its syntax). */
async function included(worktree: AddedWorktree): Promise<readonly string[]> {
  const {main} = worktree
  if (!existsSync(join(main, '.worktreeinclude'))) return []
  const untracked = await git(main, [
    'ls-files',
    '--others',
    '--ignored',
    '--directory',
    '--exclude-from=.worktreeinclude'
  ])
  return ignored(
    worktree,
    untracked.map(name => join(main, name.replace(/\/$/, '')))
  )
}

/** Returns the paths that git ignores in the main working tree. */
async function ignored({main}: AddedWorktree, paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return []
  const asked = paths.map(path => `${relative(main, path)}\n`).join('')
  const names = await git(main, ['check-ignore', '--stdin'], asked)
  return paths.filter(path => names.includes(relative(main, path)))
}

/** Returns the lines that git writes. Returns an empty list if git fails, as `check-ignore` does if nothing is ignored. */
export async function git(folder: string, args: readonly string[], input = ''): Promise<readonly string[]> {
  const lines: string[] = []
  const {why} = await runLines(['git', '-c', 'core.quotePath=false', ...args], {
    folder,
    input,
    onLine: line => lines.push(line)
  })
  return why === '' ? lines : []
}

/** Returns why a path is not copied but left to `setup`; '': it is copied. */
export function leftToSetup(path: string): string {
  if (!isFolder(path)) return lstatSync(path).isSymbolicLink() ? 'a link' : ''
  if (existsSync(join(path, 'pyvenv.cfg')))
    return 'a Python environment, whose programs run the code of the main working tree'
  if (existsSync(join(path, '.modules.yaml')) || existsSync(join(path, '.pnpm')))
    return 'installed by pnpm from its own store, which is quicker'
  return /(?:^|\/)\.(?:pnpm-store|yarn\/cache|npm)$/.test(path) ? 'the store of a package manager' : ''
}
