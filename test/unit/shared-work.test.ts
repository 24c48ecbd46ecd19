import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

/** The lines at which the rule of lint finds a fault in the body of a method. */
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
  return [...stdout.matchAll(/a\.ts:(\d+):.*shared-work/g)].map(([, line]) => Number(line))
}

const CONFIG = JSON.stringify({
  jsPlugins: [join(ROOT, 'scripts/shared-work.js')],
  categories: {correctness: 'off'},
  rules: {'pillion/shared-work': 'error'}
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
