import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {endBySignal, ownStart, startingRuns} from '../../../src/control/starting-runs.ts'
import {startOf} from '../../../src/platform/process-table.ts'

t.test('a start that is about to write who it is stays; that of a killed process does not', async t => {
  const folder = t.testdir({})
  chmodSync(folder, 0o700)
  const [own, killed] = [join(folder, `starting-${process.pid}`), join(folder, 'starting-999999999')]
  const look = (): readonly string[] => startingRuns({PILLION_RUNTIME_DIR: folder}).map(({name}) => name)
  for (const file of [own, killed]) writeFileSync(file, '')
  t.strictSame([look(), existsSync(own), existsSync(killed)], [[], true, false])
  const start = ownStart('/work/my shop/dapr.yaml')
  writeFileSync(own, JSON.stringify(start))
  t.strictSame([look(), existsSync(own)], [['my-shop'], true])
  writeFileSync(own, JSON.stringify({...start, started: start.started - 100}))
  t.strictSame([look(), existsSync(own)], [[], false], 'the pid came again')
})

t.test('a process that has got the pid of a run since gets no signal', async t => {
  const other = spawn('sleep', ['60'])
  t.teardown(() => other.kill('SIGKILL'))
  const {pid = 0} = other
  await endBySignal([{...ownStart('/x/dapr.yaml'), pid, started: startOf(pid) - 1e6}], () => undefined)
  await new Promise(resolve => setTimeout(resolve, 100))
  t.equal(other.signalCode, null)
})

t.test('a signal ends a start that nothing else guards yet, and leaves nothing in the runtime folder', async t => {
  const module = join(import.meta.dirname, '../../../src/control/starting-runs.ts')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'starting-')) // short enough for a socket
    t.teardown(() => rmSync(folder, {recursive: true}))
    const env = JSON.stringify({PILLION_RUNTIME_DIR: folder})
    const begin = `m.announceStart(${env}, m.ownStart('/x/dapr.yaml'))`
    const code = `import('${module}').then(async m => { await ${begin}; await ${begin}; process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000) })`
    const start = spawn(process.execPath, ['-e', code], {stdio: ['ignore', 'ignore', 'inherit']})
    await once(start, 'exit')
    t.same([start.signalCode, readdirSync(folder).filter(name => name.startsWith('starting-'))], [signal, []], signal)
  }
})
