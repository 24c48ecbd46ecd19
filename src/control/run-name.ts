import {rmSync, statSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {codeOf, UserError} from '../model/errors.ts'
import {livingRunsIn} from './living-runs.ts'
import type {RunIdentity} from './run-file.ts'

/** What a run may be called. It is part of file names, and of keys in stores. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u
const MAX_BYTES = 63

const isName = (name: string): boolean => NAME.test(name) && Buffer.byteLength(name) <= MAX_BYTES

/** Throws a `UserError` for a name that no run can have. */
export function checkRunName(name: string): void {
  if (isName(name)) return
  throw new UserError(`no run can be called ${JSON.stringify(name)}`, {
    explanation:
      'A name has at most 63 bytes: letters, digits, dots, dashes and underscores, a letter or a digit first.'
  })
}

/** What a run is to be called. */
export interface NameRequest {
  /** What `--name` says; undefined: like its folder. */
  readonly asked: string | undefined
  /** The folder of the template, or where a single app was started. */
  readonly folder: string
}

/**
 * The name of a run, which no other living run in the folder `runs` has: the one that is asked for, or that of its folder. Where another run
 * has that, the next folder upwards comes before it (`main-shop`); two runs of one folder count (`shop-2`). Throws a `UserError` where the
 * name that is asked for is taken.
 */
export function freeRunName(runs: string, {asked, folder}: NameRequest): string {
  const others = livingRunsIn(runs)
  const owner = (name: string): RunIdentity | undefined => others.find(other => other.name === name)
  const isAgain = others.some(({templateFile}) => templateFile !== '' && dirname(templateFile) === folder)
  const names = isAgain ? counted(folder) : namesFor(folder)
  if (asked === undefined) return firstFree(names, name => owner(name) === undefined)
  const other = owner(asked)
  if (other === undefined) return asked
  throw new UserError(`a run is called "${asked}" already (pid ${other.pid})`, {
    explanation: `Choose another --name, or end that run: pillion down --name ${asked}`
  })
}

function firstFree(names: Iterable<string>, isFree: (name: string) => boolean): string {
  for (const name of names) if (isFree(name)) return name
  throw new Error('there is no end of names')
}

/** How long a process that is killed while it chooses its name blocks others. */
const MAX_LOCKED_MS = 1000
const LOOK_MS = 5

/** Does something while no other run in the folder does such a thing. */
export async function oneByOne<T>(runs: string, work: () => Promise<T>): Promise<T> {
  const lock = join(runs, 'naming')
  while (!mayTake(lock)) await pause(LOOK_MS)
  try {
    return await work()
  } finally {
    rmSync(lock, {force: true})
  }
}

function mayTake(lock: string): boolean {
  try {
    writeFileSync(lock, '', {flag: 'wx', mode: 0o600})
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const made = statSync(lock, {throwIfNoEntry: false})?.mtimeMs
    // one of the future is from before the clock was set back
    if (made !== undefined && Math.abs(Date.now() - made) > MAX_LOCKED_MS) rmSync(lock, {force: true})
    return false
  }
}

/** `shop`, `shop-2`, `shop-3`, and so on. */
function* counted(folder: string): Generator<string> {
  const plain = wordOf(basename(folder))
  yield plain
  for (let count = 2; ; count++) yield `${plain}-${count}`
}

/** `shop`, `main-shop`, `work-main-shop`; then they count. */
function* namesFor(folder: string): Generator<string> {
  let name = wordOf(basename(folder))
  yield name
  for (let above = dirname(folder); basename(above) !== ''; above = dirname(above)) {
    name = `${wordOf(basename(above))}-${name}`
    if (!isName(name)) break
    yield name
  }
  yield* counted(folder)
}

/** Leaves room for a number behind it. */
const MAX_WORD_BYTES = 50

/** What a name may have of the name of a folder. */
export const wordOf = (folder: string): string => {
  const characters = Array.from(folder.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[^\p{L}\p{N}]+/u, ''))
  while (Buffer.byteLength(characters.join('')) > MAX_WORD_BYTES) characters.pop()
  return characters.length === 0 ? 'run' : characters.join('')
}
