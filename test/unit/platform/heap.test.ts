import t from 'tap'
import {loadFfi} from '../../../src/platform/experimental.ts'
import {KeptMemory, trimArenas, type GiveBack} from '../../../src/platform/heap.ts'

const MB = 1024 * 1024

t.test('memory is given back as soon as a run is idle, and within a minute while something polls', async t => {
  const memory = new KeptMemory(0)
  const workFor = (utilization: number, own: number, now: number): GiveBack =>
    memory.workFor(utilization, {own: own * MB, ofFiles: 0}, now)
  t.equal(workFor(0.9, 200, 3000), 'none', 'busy')
  t.equal(workFor(0.1, 200, 3000), 'none', 'it has just started')
  t.equal(workFor(0.01, 200, 3000), 'collect', 'idle')
  t.equal(workFor(0.1, 200, 60_000), 'collect', 'polled')
  t.equal(workFor(0.5, 200, 60_000), 'none', 'busy for a minute')

  memory.done('collect', {own: 100 * MB, ofFiles: 0}, 60_000)
  t.equal(workFor(0.01, 110, 63_000), 'none', 'idle, and nothing has come')
  t.equal(workFor(0.01, 120, 63_000), 'collect')
  t.equal(workFor(0.1, 200, 63_000), 'none', 'polled: not that often')
  t.equal(workFor(0.1, 120, 120_000), 'none', 'polled: not for so little')
  t.equal(workFor(0.1, 140, 120_000), 'collect')

  memory.done('collect', {own: 200 * MB, ofFiles: 0}, 180_000)
  t.equal(workFor(0.01, 60, 183_000), 'none', 'what was in use then is not any more')
  t.equal(workFor(0.01, 70, 186_000), 'none')
  t.equal(workFor(0.01, 120, 189_000), 'collect', 'and has come since')
})

t.test('pages of the program alone are let go when it is idle, as soon as many have been read again', async t => {
  const memory = new KeptMemory(0)
  const workFor = (utilization: number, ofFiles: number): GiveBack =>
    memory.workFor(utilization, {own: 10 * MB, ofFiles: ofFiles * MB}, 3000)
  t.equal(workFor(0.2, 40), 'none', 'busy')
  t.equal(workFor(0.01, 40), 'drop')
  memory.done('drop', {own: 10 * MB, ofFiles: 8 * MB}, 3000)
  t.equal(workFor(0.01, 20), 'none')
  t.equal(workFor(0.01, 25), 'drop')
  t.equal(memory.workFor(0.01, {own: 20 * MB, ofFiles: 0}, 3000), 'collect', 'garbage counts from the last collection')
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
