import t from 'tap'
import {loadFfi} from '../../../src/platform/experimental.ts'
import {KeptMemory, trimArenas} from '../../../src/platform/heap.ts'

const MB = 1024 * 1024

t.test('memory is given back as soon as a run is idle, and within a minute while something polls', async t => {
  const memory = new KeptMemory(0)
  t.notOk(memory.isWorthCollecting(0.9, 200 * MB, 3000), 'busy')
  t.notOk(memory.isWorthCollecting(0.1, 200 * MB, 3000), 'it has just started')
  t.ok(memory.isWorthCollecting(0.01, 200 * MB, 3000), 'idle')
  t.ok(memory.isWorthCollecting(0.1, 200 * MB, 60_000), 'polled')
  t.notOk(memory.isWorthCollecting(0.5, 200 * MB, 60_000), 'busy for a minute')

  memory.collected(100 * MB, 60_000)
  t.notOk(memory.isWorthCollecting(0.01, 110 * MB, 63_000), 'idle, and nothing has come')
  t.ok(memory.isWorthCollecting(0.01, 120 * MB, 63_000))
  t.notOk(memory.isWorthCollecting(0.1, 200 * MB, 63_000), 'polled: not that often')
  t.notOk(memory.isWorthCollecting(0.1, 120 * MB, 120_000), 'polled: not for so little')
  t.ok(memory.isWorthCollecting(0.1, 140 * MB, 120_000))
})

t.test('the arenas of malloc are given back where Node can call glibc, without a warning', async t => {
  const warnings: string[] = []
  const listener = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const report = process.report.getReport() as unknown as {readonly header: {readonly glibcVersionRuntime?: string}}
  const canCall = loadFfi() !== undefined && report.header.glibcVersionRuntime !== undefined
  t.equal(trimArenas(), canCall)
  t.equal(trimArenas(), canCall, 'a second time')
  await new Promise(resolve => setImmediate(resolve))
  t.same(warnings, [])
})
