import {appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {KeptRun} from '../../../src/model/api.generated.ts'
import {commitAt, keepRun, keptRuns} from '../../../src/run/kept-runs.ts'

const runOf = (run: string, more: Partial<KeptRun> = {}): KeptRun => ({
  run,
  startedAt: '2026-01-31T12:00:00.000Z',
  lastKnownAt: '2026-01-31T12:10:00.000Z',
  isOver: true,
  commit: '',
  exits: [],
  edges: [],
  ...more
})

t.test('runs of one template write to one small file, which a broken line does not harm', async t => {
  const folder = t.testdir()
  const of = {env: {XDG_STATE_HOME: folder}, template: '/shop/dapr.yaml', name: ''}
  t.same(keptRuns(of), [])
  for (const [run, isOver] of [
    ['a', false],
    ['b', false],
    ['a', true],
    ['b', true]
  ] as const)
    keepRun(of, runOf(run, {isOver}))
  t.same(
    keptRuns(of).map(({run, isOver}) => [run, isOver]),
    [
      ['a', true],
      ['b', true]
    ],
    'two at the same time: what is known last of each'
  )
  const files = join(folder, 'pillion/runs')
  const [file = '', ...others] = readdirSync(files)
  t.same(others, [])
  appendFileSync(join(files, file), '{"run": "c", "edg')
  t.equal(keptRuns(of).length, 2)
  writeFileSync(join(files, `${file}.4711`), '{"run": "d"')
  t.equal(keptRuns(of).length, 2, 'what a process that was killed has left half written is not read')
  for (let number = 0; number < 40; number++) keepRun(of, runOf(`r${number}`))
  t.same([keptRuns(of).length, keptRuns(of)[0]?.run], [30, 'r10'], 'the oldest go')
  t.same(keptRuns({...of, name: 'copy'}), [], 'a copy has runs of its own')
  writeFileSync(join(files, file), '\0\0not JSON')
  t.same(keptRuns(of), [])
  keepRun(of, runOf('z'))
  t.equal(keptRuns(of).length, 1)
})

t.test('the commit is that of HEAD: a branch, a packed one, none', async t => {
  const hash = 'a'.repeat(40)
  const folder = t.testdir({'.git': {HEAD: 'ref: refs/heads/main\n'}, shop: {}})
  const file = join(folder, 'shop/dapr.yaml')
  t.equal(commitAt(file), '', 'nothing is committed')
  writeFileSync(join(folder, '.git/packed-refs'), `# pack-refs\n${'b'.repeat(40)} refs/heads/main\n`)
  t.equal(commitAt(file), 'b'.repeat(40))
  mkdirSync(join(folder, '.git/refs/heads'), {recursive: true})
  writeFileSync(join(folder, '.git/refs/heads/main'), `${hash}\n`)
  t.equal(commitAt(file), hash)
  writeFileSync(join(folder, '.git/HEAD'), `${'c'.repeat(40)}\n`)
  t.equal(commitAt(file), 'c'.repeat(40))
})

t.test('what cannot be written leaves nothing beside it', async t => {
  const folder = t.testdir()
  const of = {env: {XDG_STATE_HOME: folder}, template: '/shop/dapr.yaml', name: ''}
  keepRun(of, runOf('a'))
  const files = join(folder, 'pillion/runs')
  const [file = ''] = readdirSync(files)
  rmSync(join(files, file))
  mkdirSync(join(files, file))
  t.throws(() => keepRun(of, runOf('b')), {message: /EISDIR/})
  t.same(readdirSync(files), [file])
})

t.test('what cannot be read is not taken for no runs: those before it stay', async t => {
  const folder = t.testdir()
  const of = {env: {XDG_STATE_HOME: folder}, template: '/shop/dapr.yaml', name: ''}
  keepRun(of, runOf('a'))
  const files = join(folder, 'pillion/runs')
  const [file = ''] = readdirSync(files)
  const [path, kept] = [join(files, file), join(folder, 'kept')]
  renameSync(path, kept)
  symlinkSync(path, path) // each reader fails, and a file can be put in its place
  t.throws(() => keepRun(of, runOf('b')), {message: /the earlier runs of \/shop\/dapr.yaml cannot be read: ELOOP/})
  renameSync(kept, path)
  keepRun(of, runOf('b'))
  t.same(
    keptRuns(of).map(({run}) => run),
    ['a', 'b']
  )
})
