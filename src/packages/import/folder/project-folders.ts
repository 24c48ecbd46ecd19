import {basename, join, relative} from 'node:path'
import {orElse} from '../../../model/or-else.ts'
import {compileGlob} from '../../../model/glob.ts'
import {readPackage} from './languages/node.ts'
import {foldersBelow, has, MAX_FOLDERS, readText, textAt} from '../reading/files.ts'
import {documentsOf, mapOf, textsOf, textValue} from '../reading/yaml-file.ts'

/** Folders in which projects keep their parts: no projects by themselves, unless they have a project file. */
const GROUPS = new Set(['apps', 'packages', 'services', 'cmd', 'src', 'libs'])
const PROJECT_FILES =
  'package.json deno.json go.mod pom.xml Cargo.toml requirements.txt pyproject.toml project.json'.split(' ')

/** A part may be as far below: `src/Services/Basket/Basket.API`. */
const MAX_DEPTH = 4

/** Facts about a folder before it is a part. */
interface Known {
  /** Whether a folder has the files of a project, to which the folders below belong. */
  readonly isProject: (folder: string) => boolean
  /** Whether a program of the root starts this folder. */
  readonly isBelow: (folder: string) => boolean
}

/** The folders below `root` in which parts of a project may be, or that it names as packages, in order. `isWorkspace`: it names some. */
export function foldersOf(
  root: string,
  {isProject, isBelow}: Known
): {readonly folders: readonly string[]; readonly isWorkspace: boolean; readonly notes: readonly string[]} {
  const globs = workspaceGlobs(root)
  const isPackage = matcher(root, globs)
  const parts = new Set<string>()
  const searched = foldersBelow(root, MAX_DEPTH, folder => {
    if (isBelow(folder)) return false
    const isPart = !GROUPS.has(basename(folder)) || has(folder, 'manage.py', ...PROJECT_FILES)
    if (isPart || isPackage(folder)) parts.add(folder)
    return !(isPart && isProject(folder) && !hasPackages(folder, globs, root))
  })
  return {
    folders: searched.filter(each => parts.has(each)),
    isWorkspace: globs.length > 0 || has(root, 'nx.json', 'turbo.json'),
    notes:
      searched.length > MAX_FOLDERS
        ? [`only the first ${MAX_FOLDERS} folders were looked at: import a folder below for what is in the others`]
        : []
  }
}

/** The packages of a workspace by their names. */
export function packagesOf(root: string): readonly (readonly [name: string, folder: string])[] {
  const globs = workspaceGlobs(root)
  const folders = globs.length === 0 ? [] : foldersBelow(root, MAX_DEPTH).filter(matcher(root, globs))
  return folders.map(each => [textValue(readPackage(each)?.['name']), each])
}

/** The globs by which a workspace of npm, pnpm, yarn, bun or Lerna names its packages. */
function workspaceGlobs(root: string): readonly string[] {
  const {workspaces} = readPackage(root) ?? {}
  const path = join(root, 'pnpm-workspace.yaml')
  const [pnpm] = orElse(() => documentsOf({path, shownAs: path, text: textAt(path)}), [])
  const lerna = /"packages"\s*:\s*(\[[^\]]*\])/.exec(readText(root, 'lerna.json'))?.[1] ?? ''
  return [
    ...textsOf(Array.isArray(workspaces) ? workspaces : mapOf(workspaces)['packages']),
    ...textsOf(pnpm?.['packages']),
    ...[...lerna.matchAll(/"([^"]*)"/g)].map(([, glob = '']) => glob)
  ]
}

/** Whether globs name a folder that is a package. */
function matcher(root: string, globs: readonly string[]): (folder: string) => boolean {
  const compiled = (all: readonly string[]): ReturnType<typeof compileGlob> =>
    // none: it has too many alternatives
    all.flatMap(glob => orElse(() => compileGlob(glob.replace(/^\.\//, '').replace(/\/$/, ''), root), []))
  const taken = compiled(globs.filter(glob => !glob.startsWith('!')))
  const left = compiled(globs.filter(glob => glob.startsWith('!')).map(glob => glob.slice(1)))
  return folder =>
    has(folder, 'package.json') && taken.some(glob => glob.matches(folder)) && !left.some(glob => glob.matches(folder))
}

/** A project in which the workspace has further packages. */
const hasPackages = (folder: string, globs: readonly string[], root: string): boolean => {
  const way = `${relative(root, folder)}/`
  return globs.some(glob => glob.replace(/^\.\//, '').startsWith(way)) || workspaceGlobs(folder).length > 0
}
