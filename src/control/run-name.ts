import {basename, dirname, join} from 'node:path'
import {UserError} from '../model/errors.ts'
import {livingRunsIn} from './living-runs.ts'
import {whileLocked} from './lock.ts'
import type {RunIdentity} from './run-file.ts'

/** The characters of a run's name, which is part of file names, and of keys in stores. */
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

/** Parts of a run's name. */
export interface NameRequest {
  /** The name of `--name`; undefined: that of the folder. */
  readonly asked: string | undefined
  /** The folder of the template, or where a single app was started. */
  readonly folder: string
}

/**
 * Chooses a name that no other living run in the folder `runs` has: the requested name, or that of the run's folder. If that is taken,
 * names of upper folders precede it (`main-shop`); runs of one folder get numbers (`shop-2`). Throws a `UserError` if the requested name
 * is taken.
 */
export function freeRunName(runs: string, {asked, folder}: NameRequest): string {
  const others = livingRunsIn(runs)
  const owner = (name: string): RunIdentity | undefined => others.find(other => other.name === name)
  const isAgain = others.some(({templateFile}) => templateFile !== '' && dirname(templateFile) === folder)
  const names = isAgain ? counted(folder) : namesFor(folder)
  if (asked === undefined) {
    for (const name of names) if (owner(name) === undefined) return name
    throw new Error('there is no end of names')
  }
  const other = owner(asked)
  if (other === undefined) return asked
  throw new UserError(`a run is called "${asked}" already (pid ${other.pid})`, {
    explanation: `Choose another --name, or end that run: pillion down --name ${asked}`,
    code: 'run-differs'
  })
}

/** Runs `work` while no other run in the folder chooses a name or registers. */
export const oneByOne = async <T>(runs: string, work: () => Promise<T>): Promise<T> =>
  whileLocked(join(runs, 'naming.lock'), work)

/** `shop`, `shop-2`, `shop-3`, and so on. */
function* counted(folder: string): Generator<string> {
  const plain = wordOf(basename(folder))
  yield plain
  for (let count = 2; ; count++) yield `${plain}-${count}`
}

/** Yields `shop`, `main-shop`, `work-main-shop` and so on, then `shop-2`, `shop-3`. */
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

/** Maximum bytes of a name, so that a number fits after it. */
const MAX_WORD_BYTES = 50

/** The part of a folder's name that a run's name may contain. */
export const wordOf = (folder: string): string => {
  const characters = Array.from(folder.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[^\p{L}\p{N}]+/u, ''))
  while (Buffer.byteLength(characters.join('')) > MAX_WORD_BYTES) characters.pop()
  return characters.length === 0 ? 'run' : characters.join('')
}
