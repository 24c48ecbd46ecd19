import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {noRun, pickRun, runPlace, type RunPlace} from '../../../../src/clients/cli/pick-run.ts'
import type {FoundRun} from '../../../../src/control/client.ts'

const run = (pid: number, file: string, folder: string, ...ids: readonly string[]): FoundRun => {
  const apps = ids.map(id => ({id, instance: 1}))
  return {listing: {pid, name: `run-${pid}`, template: {file}, folder, apps}} as unknown as FoundRun
}

/** `a` and `b` are projects, `none` is a folder without a template. */
const folder = t.testdir({
  a: {'dapr.yaml': '', 'other.yaml': '', cart: {}},
  b: {'dapr.yml': '', cart: {src: {}}},
  none: {sub: {}}
})
const at = (path: string): string => join(folder, path)

const A = run(1, at('a/dapr.yaml'), at('a'), 'cart', 'db')
const B = run(2, at('b/dapr.yml'), at('b'), 'cart', 'ui')
const OTHER = run(3, at('a/other.yaml'), at('a'), 'mail')
const SINGLE_IN_B = run(4, '', at('b/cart/src'), 'tool')
const SINGLE = run(5, '', at('none'), 'tool')

t.test('a command means the run of its folder: the nearest template upwards; it does nothing to others', async t => {
  const table: readonly (readonly [string, readonly FoundRun[], string | undefined, number | undefined])[] = [
    ['a', [B, A], undefined, 1],
    ['b', [B, A], undefined, 2],
    ['b/cart/src', [B, A], undefined, 2],
    ['b/cart/src', [B, A], 'cart', 2],
    ['b', [A], undefined, undefined],
    ['b', [A], 'cart', undefined],
    ['b', [A, SINGLE], 'tool', undefined],
    // in the same folder, but not of its usual template
    ['a', [OTHER, B], undefined, 3],
    ['a', [OTHER, A], undefined, 1],
    ['a', [OTHER, A], 'mail', 3],
    ['a', [OTHER, A], 'tool', undefined],
    // single runs that were started in the project
    ['b', [A, SINGLE_IN_B], undefined, 4],
    ['b', [B, SINGLE_IN_B], undefined, 2],
    ['b', [B, SINGLE_IN_B], 'tool', 4],
    ['a', [SINGLE_IN_B], 'tool', undefined],
    // without a template: the own single run, else the only one
    ['none', [A], undefined, 1],
    ['none', [A, B], 'ui', 2],
    ['none', [A, B, SINGLE], undefined, 5],
    ['none', [A, B, SINGLE], 'db', 1],
    ['none/sub', [SINGLE], undefined, 5],
    ['none', [], undefined, undefined]
  ]
  for (const [cwd, runs, id, pid] of table) {
    const picked = pickRun(runs, runPlace(undefined, at(cwd)), {id})?.listing.pid
    t.equal(picked, pid, `${cwd}: ${id ?? 'any'} of ${runs.map(({listing}) => listing.pid).join()}`)
  }
})

t.test('several runs that are meant are named', async t => {
  const none = runPlace(undefined, at('none'))
  const [a, b] = [`${at('a/dapr.yaml')} (pid 1)`, `${at('b/dapr.yml')} (pid 2)`]
  t.throws(() => pickRun([A, B], none), {message: `there are several runs: ${a}, ${b}`})
  t.throws(() => pickRun([A, B], none, {id: 'cart'}), {message: `app id cart is in several runs: ${a}, ${b}`})
  t.throws(() => pickRun([SINGLE_IN_B, SINGLE], runPlace(undefined, at('none/sub')), {id: 'tool'}), {
    message: 'app id tool is in several runs: the single run of "tool" (pid 4), the single run of "tool" (pid 5)',
    explanation: 'Select one with --name run-4 or --name run-5.'
  })
  const again = run(6, at('a/dapr.yaml'), at('a'), 'cart')
  t.throws(() => pickRun([A, again], runPlace(undefined, at('a'))), {
    message: /pid 1.*pid 6/,
    explanation: 'Select one with --name run-1 or --name run-6.'
  })
})

t.test('--run-file and stop ID reach the run of another folder, and a link leads to the same template', async t => {
  t.equal(pickRun([A, B], runPlace('../a', at('b')))?.listing.pid, 1)
  t.equal(pickRun([A, OTHER], runPlace('other.yaml', at('a')))?.listing.pid, 3)
  t.equal(pickRun([B, OTHER], runPlace('a', folder), {id: 'mail'}), undefined, 'not another template of the folder')
  t.equal(pickRun([A], runPlace(undefined, at('b')), {id: 'db', isAnywhere: true})?.listing.pid, 1)
  t.equal(pickRun([A, B], runPlace(undefined, at('b')), {id: 'cart', isAnywhere: true})?.listing.pid, 2)
  const linked = t.testdir({})
  mkdirSync(join(linked, 'real'))
  writeFileSync(join(linked, 'real/dapr.yaml'), '')
  symlinkSync('real', join(linked, 'link'))
  const byLink = run(7, join(linked, 'link/dapr.yaml'), linked, 'x')
  t.equal(pickRun([byLink], runPlace(undefined, join(linked, 'real')))?.listing.pid, 7)
})

t.test('--name means one run, wherever the command is used', async t => {
  const again = run(6, at('a/dapr.yaml'), at('a'), 'cart')
  const runs = [A, B, again]
  const named = (name: string, cwd: string, runFile?: string): RunPlace => ({...runPlace(runFile, at(cwd)), name})
  t.equal(pickRun(runs, named('run-6', 'a'))?.listing.pid, 6)
  t.equal(pickRun(runs, named('run-6', 'none'), {id: 'cart'})?.listing.pid, 6)
  t.equal(pickRun(runs, named('run-2', 'a'), {id: 'ui', isAnywhere: true})?.listing.pid, 2)
  t.equal(pickRun(runs, named('run-2', 'a'), {id: 'db', isAnywhere: true}), undefined, 'and no other run')
  t.equal(pickRun(runs, named('run-2', 'b', '.'))?.listing.pid, 2)
  t.equal(pickRun(runs, named('run-2', 'b', '../a')), undefined, 'both must fit')
  t.match(noRun(runs, named('run-7', 'a')), {
    message: 'no run is called "run-7": did you mean "run-1"?',
    explanation: 'Running: run-1, run-2, run-6'
  })
  t.match(noRun([], named('x', 'a')), {message: 'no run is called "x"', explanation: /^Nothing is running/})
})

/** What a command says that stands for no run. */
function said(cwd: string, runs: readonly FoundRun[], id?: string, runFile?: string): string {
  const {message, explanation} = noRun(runs, runPlace(runFile, at(cwd)), id)
  return `${message}. ${explanation}`.replaceAll(`${folder}/`, '')
}

t.test('where nothing is meant it is said what runs', async t => {
  const select = 'Select one with --run-file PATH, or by using the command in its folder.'
  const elsewhere = `Running elsewhere: a/dapr.yaml (pid 1). ${select}`
  const nothing = 'Nothing is running: "pillion up -d" starts the template of a folder.'
  const own =
    'nothing runs here: b/dapr.yml is not running. Running elsewhere: a/dapr.yaml (pid 1). "pillion up -d" starts this one.'
  t.equal(said('b', [A]), own)
  t.equal(said('b', [A], 'cart'), own)
  t.equal(said('b', [A, B], 'db'), `couldn't find app id db. Running: cart, ui. ${elsewhere}`)
  t.equal(said('b', [A, B], 'crt'), 'couldn\'t find app id crt: did you mean "cart"?. Running: cart, ui')
  t.equal(said('none', [A, B], 'x'), "couldn't find app id x. Running: cart, db, ui")
  t.equal(said('b', [], 'x'), `couldn't find app id x. ${nothing}`)
  t.equal(said('b', []), `there is no run. ${nothing}`)
  t.equal(said('b', [A], undefined, '.'), `there is no run of dapr.yml. ${elsewhere}`)
})
