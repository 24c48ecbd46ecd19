import fs, {renameSync, statSync, writeFileSync, type WatchListener} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'
import {join} from 'node:path'
import t from 'tap'
import {Watch} from '../../../../src/files/watcher/watcher.ts'

/** Replaces a file as editors do, until the system's coarse clock has gone on. */
function save(file: string): void {
  const before = statSync(file).ctimeMs
  while (statSync(file).ctimeMs === before) {
    writeFileSync(`${file}.new`, 'version: 2\n')
    renameSync(`${file}.new`, file)
  }
}

t.test('certain files: a save after the look at them and before the watch of their folder is told', async t => {
  const folder = t.testdir({'dapr.yaml': 'version: 1\n'})
  const file = join(folder, 'dapr.yaml')
  const {watch: original} = fs
  let saves = 0
  // the library is loaded with the first watch
  fs.watch = ((path: string, ...rest: []) => {
    if (saves++ === 0) save(file)
    return original(path, ...rest)
  }) as typeof original
  syncBuiltinESMExports()
  const told = Promise.withResolvers<readonly string[]>()
  const watch = new Watch({
    folder,
    watch: {files: [file]},
    since: statSync(file).ctimeMs,
    changed: told.resolve,
    polls: why => told.reject(new Error(why)),
    givesUp: why => told.reject(new Error(why))
  })
  t.teardown(async () => {
    fs.watch = original
    syncBuiltinESMExports()
    await watch.close()
  })
  await watch.open()
  t.equal(saves, 1)
  t.same(await told.promise, ['dapr.yaml'])
})

t.test('certain files: one save of which a busy machine tells twice is reported once', async t => {
  const folder = t.testdir({'dapr.yaml': 'version: 1\n', 'other.yaml': 'version: 1\n'})
  const {watch: original} = fs
  const listeners: WatchListener<string>[] = []
  fs.watch = ((path: string, options: object, listener: WatchListener<string>) => {
    listeners.push(listener)
    return original(path, options, listener)
  }) as typeof original
  syncBuiltinESMExports()
  const told: (readonly string[])[] = []
  let next = Promise.withResolvers<void>()
  const watch = new Watch({
    folder,
    watch: {files: [join(folder, 'dapr.yaml'), join(folder, 'other.yaml')]},
    since: Date.now() + 60_000,
    changed: paths => {
      told.push(paths)
      next.resolve()
    },
    polls: why => t.fail(why),
    givesUp: why => t.fail(why)
  })
  t.teardown(async () => {
    fs.watch = original
    syncBuiltinESMExports()
    await watch.close()
  })
  await watch.open()
  save(join(folder, 'dapr.yaml'))
  await next.promise
  // the library leaves out what comes too soon after the event before
  while (!watch.isSettling) {
    for (const listener of listeners) listener('change', 'dapr.yaml')
    await new Promise(setImmediate)
  }
  while (watch.isSettling) await new Promise(setImmediate)
  next = Promise.withResolvers()
  save(join(folder, 'other.yaml'))
  await next.promise
  t.same(told, [['dapr.yaml'], ['other.yaml']])
})
