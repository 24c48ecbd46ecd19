import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'

const READINESS = join(import.meta.dirname, '../../../../src/supervisor/process/readiness.ts')

/** Two apps begin while no file can be opened: one is ready with its first line, one once its command, which has to be loaded, succeeds. */
const SCRIPT = `
process.on('unhandledRejection', () => undefined) // as a run does where no file can be opened
const {closeSync, openSync, readFileSync} = await import('node:fs')
const {setTimeout: pause} = await import('node:timers/promises')
const {Readiness} = await import(${JSON.stringify(READINESS)})
const runCommand = async () => readFileSync('/dev/null', 'utf8')
const rest = {target: {addresses: [], port: 0, isSecure: false}, isApp: async () => true, slow: () => undefined, runCommand}
const open = []
try {
  for (;;) open.push(openSync('/dev/null'))
} catch {}
const byLine = new Readiness({...rest, ready: {kind: 'log', pattern: '^up$', timeoutMs: 60_000}})
const byCommand = new Readiness({...rest, ready: {kind: 'command', command: ['true'], timeoutMs: 60_000}})
const {signal} = new AbortController()
const ready = [byLine, byCommand].map(async each => Promise.race([each.reached(signal), pause(5000, 'late')]))
byLine.see('stdout', 'up\\n')
await pause(100)
for (const each of open) closeSync(each)
console.log(JSON.stringify(await Promise.all(ready.map(async each => each.catch(({code}) => code)))))
process.exit(0)
`

t.test('an app that begins while no file can be opened is ready all the same', t => {
  const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"'
  const {stdout, stderr} = spawnSync('sh', ['-c', limited, process.execPath, SCRIPT], {encoding: 'utf8'})
  t.same(JSON.parse(stdout || JSON.stringify([stderr])), [true, true])
  t.end()
})

const module = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../..', path))

t.test('a process that is replaced while no file can be opened has a next one once one can', async t => {
  await t.resolves(
    withFewDescriptors(`
      const {SupervisedApp} = await import(${module('src/supervisor/process/supervised-app.ts')})
      const {planOf} = await import(${module('test/rig/plan.ts')})
      const states = []
      const app = new SupervisedApp({
        plan: planOf({command: ['sleep', '1000']}),
        environment: () => ({PATH: process.env.PATH, PILLION_LIFE: 'of-no-files'}),
        processMarker: () => 'of-no-files',
        appPort: 0,
        moved: ({phase}) => states.push(phase),
        noted: () => undefined,
        lines: () => undefined
      })
      const moved = async count => {
        while (states.length < count) await new Promise(resolve => setTimeout(resolve, 5))
      }
      await app.start()
      await moved(2)
      fill()
      app.restart('watch')
      await moved(3)
      await new Promise(resolve => setTimeout(resolve, 500)) // the process has ended, and left too few descriptors
      free()
      await moved(5)
      await app.stop('user')
      equal(states.join(' '), 'starting running stopping starting running stopping exited')
    `)
  )
})
