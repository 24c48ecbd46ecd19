import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

/** The lines at which our rules of lint find a fault. */
function faultsIn(folder: string): readonly number[] {
  const config = join(folder, 'oxlint.json')
  const args = [
    join(ROOT, 'node_modules/oxlint/bin/oxlint'),
    '-c',
    config,
    '--no-ignore',
    '-f',
    'unix',
    join(folder, 'a.ts')
  ]
  const {stdout} = spawnSync(process.execPath, args, {encoding: 'utf8'})
  return [...stdout.matchAll(/a\.ts:(\d+):.*pillion/g)].map(([, line]) => Number(line))
}

const CONFIG = JSON.stringify({
  jsPlugins: [join(ROOT, 'scripts/lint-plugin.js')],
  categories: {correctness: 'off'},
  rules: {'pillion/shared-work': 'error', 'pillion/user-words': 'error'}
})

t.test('who waits for work that others may share does not end its entry', async t => {
  const body = `class A {
  #all = new Map(); #works = new Set(); #work; #open
  async one(key) {
    const work = this.#all.get(key) ?? begin()
    try { return await work } finally {
      this.#all.delete(key) // 6
    }
  }
  async two() {
    try { await this.#work } finally {
      this.#work = undefined // 11
    }
  }
  async three() {
    let open
    try { open = await this.#open } catch (error) {
      this.#open = undefined // 17
      throw error
    }
  }
  async own(key) {
    const work = begin()
    try { await work } finally { if (this.#all.get(key) === work) this.#all.delete(key) }
    try { await work } finally { this.#works.delete(key) }
    try { await work } finally { this.#all.delete(work) }
    try { await begin() } finally { this.#all.delete(key) }
  }
}`
  const folder = t.testdir({'a.ts': body, 'oxlint.json': CONFIG})
  t.same(faultsIn(folder), [6, 11, 17])
})

t.test('the promise of code that is loaded is not kept, for it would keep a failure', t => {
  const body = `class A {
  #one; #two; #three; #four
  async load() {
    this.#one ??= import('./one.ts') // 4
    this.#two ??= import('./two.ts').then(({Two}) => new Two()).finally(() => undefined) // 5
    this.#three ??= await import('./three.ts')
    return this.#four.do(async () => import('./four.ts'))
  }
}`
  const folder = t.testdir({'a.ts': body, 'oxlint.json': CONFIG})
  t.same(faultsIn(folder), [4, 5])
  t.end()
})

t.test('a word of others is not looked up in an object literal, and is no key of one', t => {
  const body = `const TABLE = {a: 1} as const
const NUMBERED = {1: 'a'}
export const one = word => TABLE[word] ?? 0 // 3
export function two(word, number) {
  const found = TABLE[word] // 5
  if (found === undefined) return NUMBERED[number] ?? ''
  return word in TABLE // 7
}
export function three(words) {
  const all = {}
  for (const word of words) all[word] = 1 // 11
  const known = {b: 2}
  const call = known[words]?.(1) // 13
  return [all, call, TABLE['a'] ?? 0, Object.hasOwn(TABLE, words)]
}
export const four = kind => TABLE[kind]
`
  t.same(faultsIn(t.testdir({'a.ts': body, 'oxlint.json': CONFIG})), [3, 5, 7, 11, 13])
  t.end()
})
