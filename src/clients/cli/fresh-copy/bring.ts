import {existsSync, lstatSync, readdirSync, realpathSync} from 'node:fs'
import {join, relative} from 'node:path'
import {makeFolder} from '../../../platform/make-folder.ts'
import {checkParents, copyPath, filesBelow, removeTemporary, settle, temporaryFor} from './copy-path.ts'
import {copyRunning, writersOf} from './running-server.ts'
import {git, leftToSetup, missingFolders, wantedPaths, type WantedPaths} from './wanted.ts'
import {alone, readPrepared, writePrepared, type AddedWorktree} from './worktree.ts'

interface BringOptions {
  readonly onProgress: (text: string) => void
  readonly onDone: (text: string) => void
  readonly onLeftOut: (text: string) => void
}

/** Interval at which a long copy reports its progress. */
const EVERY_MS = 2000

/**
 * Copies the files of `bring` from the main working tree, each glob once in the life of the worktree. Existing paths stay. A second start waits for the first. Rejects with a UserError for a path that cannot be copied; earlier copies stay.
 */
export async function bring(worktree: AddedWorktree, file: string, options: BringOptions): Promise<void> {
  // without paths to bring, a start neither writes nor waits
  if ((await wantedNow(worktree, file)).length > 0)
    await alone(worktree, options.onProgress, async () => bringAll(worktree, file, options))
  for (const folder of new Set(missingFolders(worktree, file))) {
    makeFolder(folder)
    options.onDone(`made the empty folder ${relative(worktree.root, folder)}, which git does not carry`)
  }
}

/** Returns the text by which the worktree's record notes a finished glob. */
const noteOf = ({root}: AddedWorktree, file: string, glob: string): string => `${relative(root, file)} ${glob}`

/** Returns existing paths to bring that were not brought before. */
async function wantedNow(worktree: AddedWorktree, file: string): Promise<readonly WantedPaths[]> {
  const {brought} = readPrepared(worktree)
  return (await wantedPaths(worktree, file)).filter(
    ({glob, paths}) => paths.length > 0 && !brought.includes(noteOf(worktree, file, glob))
  )
}

async function bringAll(worktree: AddedWorktree, file: string, options: BringOptions): Promise<void> {
  const {root, main} = worktree
  const wanted = await wantedNow(worktree, file)
  const pairs: Pair[] = []
  for (const from of wanted.flatMap(({paths}) => paths))
    pairs.push(...(await fresh(worktree, from, join(root, relative(main, from)))))
  const copied: string[] = []
  const began = performance.now()
  let total = 0
  // folders first, so that paths of other globs within them exist already
  for (const {from, to} of pairs.toSorted((a, b) => depthOf(a) - depthOf(b))) {
    if (lstatSync(to, {throwIfNoEntry: false}) !== undefined) continue
    const name = relative(root, to)
    const why = leftToSetup(from)
    if (why !== '') {
      options.onLeftOut(`${name} is not brought: it is ${why}. Let setup make it`)
      continue
    }
    removeTemporary(to)
    const {files, links} = await copyOne(from, to, name, options)
    settle(to)
    total += files - links.length
    if (files > 0) copied.push(name)
    if (links.length > 0)
      options.onLeftOut(
        `left out of ${name}, as they lead out of it: ${links
          .map(link => relative(main, link))
          .slice(0, 5)
          .join(', ')}`
      )
  }
  if (copied.length > 0) {
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    const files = total === 1 ? '1 file' : `${total.toLocaleString('en')} files`
    options.onDone(`brought from ${main}: ${copied.join(', ')} (${files}, ${seconds} s)`)
  }
  const {brought, ...rest} = readPrepared(worktree)
  writePrepared(worktree, {...rest, brought: [...brought, ...wanted.map(({glob}) => noteOf(worktree, file, glob))]})
}

async function copyOne(
  from: string,
  to: string,
  name: string,
  {onProgress}: BringOptions
): Promise<{readonly files: number; readonly links: readonly string[]}> {
  // the system lists open files by their paths without links, and so must we ask for writers
  const real = realpathSync(from)
  const writers = /(?:^|\/)node_modules$/.test(from) ? [] : writersOf(real)
  const [writer] = writers
  if (writer !== undefined) {
    onProgress(`bringing ${name} from ${writer.program} (pid ${writer.pid}), which runs, by its own tool`)
    await copyRunning(real, to, writers)
    // counts the files of the copy, since the server changes those in its own folder
    return {files: filesBelow(temporaryFor(to)).files, links: []}
  }
  let next = performance.now() + EVERY_MS
  return copyPath(from, to, part => {
    if (performance.now() < next) return
    next = performance.now() + EVERY_MS
    onProgress(`bringing ${name}: ${Math.floor(part * 100)} %`)
  })
}

interface Pair {
  readonly from: string
  readonly to: string
}

const depthOf = ({to}: Pair): number => to.split('/').length

/** Returns the paths that the worktree lacks, also those inside a folder of which git tracks some files. */
async function fresh(worktree: AddedWorktree, from: string, to: string): Promise<readonly Pair[]> {
  const {root} = worktree
  if (root === from || root.startsWith(`${from}/`) || !existsSync(from)) return []
  checkParents(root, to)
  const there = lstatSync(to, {throwIfNoEntry: false})
  if (there === undefined) return [{from, to}]
  if (!there.isDirectory() || !lstatSync(from).isDirectory()) return []
  if ((await git(root, ['ls-files', '--', relative(root, to)])).length === 0) return []
  const inside: Pair[] = []
  for (const name of readdirSync(from)) inside.push(...(await fresh(worktree, join(from, name), join(to, name))))
  return inside
}
