import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'

const SRC = join(import.meta.dirname, '../../../../src')

/** The first reload with overlap is asked for while no file can be opened. */
const SCRIPT = `
process.on('unhandledRejection', () => undefined) // as a run does where no file can be opened
const {closeSync, openSync} = await import('node:fs')
const {setTimeout: pause} = await import('node:timers/promises')
const {Reloads} = await import(${JSON.stringify(join(SRC, 'supervisor/reload/reload.ts'))})
const {UserError} = await import(${JSON.stringify(join(SRC, 'model/errors.ts'))})
const plan = {reload: 'overlap', channel: {autoPort: true}, ready: {timeoutMs: 1000}, stop: {timeoutMs: 1000}}
const candidate = async () => Promise.reject(new UserError('a second process was wanted', {explanation: ''}))
const said = []
const reloads = new Reloads({
  runtime: {plan, wanted: plan, isDebugged: false, app: {state: {phase: 'running', ready: true}}, candidate},
  reporter: {warn: (_, text) => said.push(text)},
  letGo: () => async () => true,
  letGoMs: () => 0,
  finishWork: () => async () => true
})
const open = []
try {
  for (;;) open.push(openSync('/dev/null'))
} catch {}
void reloads.ask('watch')
await pause(100)
for (const each of open) closeSync(each)
for (let at = 0; at < 50 && said.length === 0; at++) await pause(100)
console.log(JSON.stringify(said))
process.exit(0)
`

t.test('a save while no file can be opened is acted on once one can', t => {
  const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"'
  const {stdout, stderr} = spawnSync('sh', ['-c', limited, process.execPath, SCRIPT], {encoding: 'utf8'})
  t.match(JSON.parse(stdout || JSON.stringify([stderr])), [/^a second process was wanted/])
  t.end()
})

t.test('a run that begins while no file can be opened follows its template once one can', async t => {
  const template = join(t.testdir({'dapr.yaml': ''}), 'dapr.yaml')
  await t.resolves(
    withFewDescriptors(`
      const {Changes} = await import(${JSON.stringify(join(SRC, 'supervisor/reload/changes.ts'))})
      const changes = new Changes({
        plan: {file: ${JSON.stringify(template)}, apps: []},
        since: Date.now(),
        reread: async () => Promise.reject(new Error('it was not saved')),
        runtimes: () => [],
        reporter: {warn: (_, text) => { throw new Error(text) }}
      })
      fill()
      const begun = changes.begin()
      begun.catch(() => undefined)
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
      free()
      await begun
      equal(changes.isTemplateChanging, false)
      changes.end()
    `)
  )
})
