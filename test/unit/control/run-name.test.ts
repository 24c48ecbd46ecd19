import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {writeRunFile} from '../../../src/control/run-file.ts'
import {checkRunName, freeRunName, oneByOne} from '../../../src/control/run-name.ts'
import {startOf} from '../../../src/platform/process-table.ts'

/** A run that has registered under this name. */
async function called(runs: string, name: string, {isAlive = true, templateFile = ''} = {}): Promise<void> {
  const home = join(runs, name)
  mkdirSync(home)
  const started = startOf(process.pid) + (isAlive ? 0 : 1)
  const identity = {name, copy: '', pid: process.pid, started, templateFile, appIds: []}
  await writeRunFile(home, {marker: '0'.repeat(32), graceMs: 1, identity})
}

t.test('a run is called like its folder; where another one is, by more of its path; then they count', async t => {
  const runs = t.testdir({})
  const like = (folder: string): string => freeRunName(runs, {asked: undefined, folder})
  t.equal(like('/work/main/shop'), 'shop')
  await called(runs, 'dead', {isAlive: false})
  t.equal(like('/work/main/dead'), 'dead', 'who was killed has no name')
  await called(runs, 'shop')
  t.equal(like('/work/pr-214/shop'), 'pr-214-shop')
  t.equal(like('/shop'), 'shop-2')
  await called(runs, 'shop-2')
  t.equal(like('/shop'), 'shop-3')
  await called(runs, 'tea', {templateFile: '/work/tea/dapr.yaml'})
  t.equal(like('/work/tea'), 'tea-2', 'the same folder again')
  t.equal(like('/'), 'run')
  t.equal(like('/a/.my shop (2)'), 'my-shop-2-')
  t.equal(like('/läden/ünter den linden'), 'ünter-den-linden')
  t.equal(like(`/${'ö'.repeat(100)}`), 'ö'.repeat(25))
})

t.test('a run that cannot be registered says where, and what to do', async t => {
  const home = join(t.testdir({file: ''}), 'file/gone')
  await t.rejects(writeRunFile(home, {marker: '0'.repeat(32), graceMs: 1}), {
    name: 'UserError',
    message: RegExp(`^the run cannot be registered in ${home}: ENOTDIR`),
    explanation: /PILLION_RUNTIME_DIR/
  })
})

t.test('--name is taken as it is, or refused', async t => {
  const runs = t.testdir({})
  t.equal(freeRunName(runs, {asked: 'pr-214', folder: '/shop'}), 'pr-214')
  await called(runs, 'pr-214')
  t.throws(() => freeRunName(runs, {asked: 'pr-214', folder: '/shop'}), {
    message: `a run is called "pr-214" already (pid ${process.pid})`,
    explanation: 'Choose another --name, or end that run: pillion down --name pr-214'
  })
  for (const name of ['a', 'Pr_214.b', 'ünter', '日本'.repeat(10)]) t.doesNotThrow(() => checkRunName(name), name)
  for (const name of ['', '.', '-a', 'a/b', 'a b', 'a\n', '日本'.repeat(11), 'x'.repeat(64)])
    t.throws(() => checkRunName(name), {message: `no run can be called ${JSON.stringify(name)}`}, name)
})

t.test('runs choose their names one after the other', async t => {
  const runs = t.testdir({})
  const order: string[] = []
  const first = Promise.withResolvers<undefined>()
  const all = [
    oneByOne(runs, async () => {
      order.push('a')
      await first.promise
      order.push('a is done')
    }),
    oneByOne(runs, async () => order.push('b'))
  ]
  await new Promise(setImmediate)
  t.strictSame(order, ['a'])
  first.resolve(undefined)
  await Promise.all(all)
  t.strictSame(order, ['a', 'a is done', 'b'])
  await t.rejects(oneByOne(runs, async () => Promise.reject(new Error('no'))))
})
