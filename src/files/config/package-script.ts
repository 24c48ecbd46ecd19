import {readdirSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {orElse} from '../../model/or-else.ts'
import {readTextFile} from '../../model/read-file.ts'

interface PackageScript {
  readonly name: string
  readonly script: string
  readonly folder: string
}

interface Manifest {
  readonly name?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  /** Patterns, or `{packages: patterns}`. Not checked: users write this file. */
  readonly workspaces?: unknown
}

/** Flags of npm, pnpm, yarn and bun for a package of the workspace, and for a folder. */
const PACKAGE_FLAG = /^(?:-w|--workspace|-F|--filter)$/
const FOLDER_FLAG = /^(?:-C|--prefix|--dir|--cwd)$/

/**
 * Finds the script of `npm run dev`, `npm start`, `yarn dev` and the like, also in another package: `npm -w web run dev`, `pnpm --filter
 * web dev`, `yarn workspace web dev`.
 */
export function packageScript(args: readonly string[], folder: string): PackageScript | undefined {
  const words: string[] = []
  let place = folder
  let wanted = ''
  const rest = args.flatMap(arg => /^(--[\w-]+)=(.*)$/.exec(arg)?.slice(1) ?? [arg])
  for (let at = 0; at < rest.length && rest[at] !== '--'; at++) {
    const word = rest[at] ?? ''
    if (PACKAGE_FLAG.test(word)) wanted = rest[++at] ?? ''
    else if (FOLDER_FLAG.test(word)) place = join(folder, rest[++at] ?? '')
    else if (!word.startsWith('-')) words.push(word)
  }
  if (words[0] === 'workspace') [, wanted = ''] = words.splice(0, 2)
  if (wanted !== '') place = packageFolder(wanted.replaceAll(/^\.\.\.|\.\.\.$|[{}]/g, ''), place) ?? place
  if (['run', 'run-script'].includes(words[0] ?? '')) words.shift()
  const [name = '', ...more] = words
  const script = manifestIn(place)?.scripts?.[name]
  if (typeof script !== 'string' || script === '') return undefined
  // `pnpm with-env next dev`: the script starts the words after it
  return {name, script: script.endsWith(' --') ? [script, ...more].join(' ') : script, folder: place}
}

/** Returns the folder of a package of the workspace, by its name or path. */
function packageFolder(wanted: string, root: string): string | undefined {
  const byPath = join(root, wanted)
  if (manifestIn(byPath) !== undefined) return byPath
  const folders = workspacePatterns(root).flatMap(pattern => foldersOf(pattern, root))
  return folders.find(each => manifestIn(each)?.name === wanted) ?? folders.find(each => basename(each) === wanted)
}

/** Returns the patterns of the workspace's packages, such as `packages/*` and `apps/web`. */
function workspacePatterns(root: string): readonly string[] {
  const workspaces = manifestIn(root)?.workspaces as {readonly packages?: unknown} | null | undefined
  const inManifest = [workspaces, workspaces?.packages].find(Array.isArray) ?? []
  const lines = orElse(() => readTextFile(join(root, 'pnpm-workspace.yaml')), '').split('\n')
  const inPnpm = lines.flatMap(line => /^\s*-\s*['"]?([^'"#]+)/.exec(line)?.[1]?.trim() ?? [])
  return [...inManifest.map(String), ...inPnpm]
}

function foldersOf(pattern: string, root: string): readonly string[] {
  if (!pattern.includes('*')) return [join(root, pattern)]
  const above = join(root, dirname(pattern.slice(0, pattern.indexOf('*') + 1)))
  const all = orElse(() => readdirSync(above, {withFileTypes: true}), [])
  return all.flatMap(each => (each.isDirectory() ? [join(above, each.name)] : []))
}

/** Reads the manifest in a folder, if there is a valid one. */
function manifestIn(folder: string): Manifest | undefined {
  const manifest = orElse(() => JSON.parse(readTextFile(join(folder, 'package.json'))) as unknown, undefined)
  return typeof manifest === 'object' && manifest !== null ? manifest : undefined
}
