import {execFileSync} from 'node:child_process'
import {constants, openSync, readdirSync, readFileSync} from 'node:fs'
import {Socket} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {openTerminal} from '../../../../src/clients/cli/terminal.ts'
import {type AppLogsOptions, openAppLogs} from '../../../../src/observe/logging/app-log.ts'
import {Console} from '../../../../src/observe/logging/console.ts'
import {RunLog} from '../../../../src/observe/logging/run-log.ts'
import {appEnded, exitedDapr, plainly, startingDapr} from '../../../../src/observe/logging/status-lines.ts'
import type {LogDestination} from '../../../../src/model/plan.ts'

const startedAt = new Date(2026, 0, 1, 2, 3, 4)

/** A console that takes everything. */
function openConsole() {
  let shown = ''
  const output = {
    write: (text: string) => {
      shown += text
      return undefined
    },
    midLine: false
  }
  return {console: new Console(output), shown: () => shown}
}

function optionsFor(folder: string, console: Console, more: Partial<AppLogsOptions> = {}): AppLogsOptions {
  const plan = {app: 'fileAndConsole', sidecar: 'file', folder, keep: 0, size: 0} as const
  return {
    id: 'shop',
    plan,
    level: 'info',
    source: {appId: 'shop', instance: 'laptop', version: '1.18.0', isJson: false},
    hasCommand: true,
    runLog: new RunLog().writer('shop'),
    startedAt,
    console,
    isTerminal: false,
    warn: text => void t.fail(text),
    ...more
  }
}

const APP = '== APP - shop == one\n== APP - shop == two\n== APP - shop == oops\nExited App successfully\n'
const SIDECAR = 'Starting Dapr with id shop. HTTP Port: 1. gRPC Port: 2\nExited Dapr successfully\n'
const SIDECAR_SIGNED = 'ℹ️  Starting Dapr with id shop. HTTP Port: 1. gRPC Port: 2\n✅  Exited Dapr successfully\n'

const destinations: [app: LogDestination, sidecar: LogDestination, console: string, files: string[]][] = [
  ['fileAndConsole', 'file', APP, ['shop_app_20260101020304.log', 'shop_daprd_20260101020304.log']],
  ['file', 'file', '', ['shop_app_20260101020304.log', 'shop_daprd_20260101020304.log']],
  ['console', 'console', APP + SIDECAR_SIGNED, []],
  ['console', 'fileAndConsole', APP + SIDECAR, ['shop_daprd_20260101020304.log']],
  ['file', 'console', SIDECAR_SIGNED, ['shop_app_20260101020304.log']]
]
for (const [app, sidecar, onConsole, files] of destinations)
  t.test(`app to ${app}, sidecar to ${sidecar}: console and files have what Dapr's have`, async t => {
    const folder = join(t.testdir(), 'logs')
    const {console, shown} = openConsole()
    const logs = await openAppLogs(optionsFor(folder, console, {plan: {app, sidecar, folder, keep: 0, size: 0}}))
    logs.app.sink({app: 'shop', stream: 'stdout', text: 'one\ntwo\n'})
    logs.app.sink({app: 'shop', stream: 'stderr', text: '\x1b[31moops\x1b[0m\n'})
    logs.app.sink({app: 'shop', stream: 'status', text: plainly(appEnded({kind: 'code', code: 0}))})
    logs.sidecar.say(startingDapr('shop', 1, 2))
    logs.sidecar.say(exitedDapr)
    await Promise.all([logs.app.close(), logs.sidecar.close()])
    t.equal(Buffer.from(shown(), 'latin1').toString('utf8'), onConsole)
    t.same(files.length === 0 ? [] : readdirSync(folder).toSorted(), files)
    if (logs.app.path !== '') t.equal(readFileSync(logs.app.path, 'utf8'), APP)
    if (logs.sidecar.path !== '') t.equal(readFileSync(logs.sidecar.path, 'utf8'), SIDECAR)
    t.equal(logs.app.path, app === 'console' ? '' : join(folder, 'shop_app_20260101020304.log'))
  })

t.test('an entry without a command has no file of an app', async t => {
  const folder = t.testdir()
  const logs = await openAppLogs(optionsFor(folder, openConsole().console, {hasCommand: false}))
  t.equal(logs.app.path, '')
  t.same(readdirSync(folder), ['shop_daprd_20260101020304.log'])
  await Promise.all([logs.app.close(), logs.sidecar.close()])
})

t.test('where no file can be made there is one warning, and the console goes on', async t => {
  const folder = join(t.testdir({file: ''}), 'file', 'logs')
  const warnings: string[] = []
  const {console, shown} = openConsole()
  const logs = await openAppLogs(optionsFor(folder, console, {warn: text => void warnings.push(text)}))
  logs.app.sink({app: 'shop', stream: 'stdout', text: 'x\n'})
  logs.sidecar.say(exitedDapr)
  t.equal(shown(), '== APP - shop == x\n')
  t.same(warnings, [`cannot write log files in ${folder}: not a directory`])
  await Promise.all([logs.app.close(), logs.sidecar.close()])
})

t.test('a line in pieces stays one line in the file, while the console shows what came between', async t => {
  const folder = t.testdir()
  const rig = openPipe(folder)
  const logs = await openAppLogs(optionsFor(folder, rig.console))
  logs.app.sink({app: 'shop', stream: 'stdout', text: 'lo'})
  logs.app.sink({app: 'shop', stream: 'stderr', text: 'oops\n'})
  logs.app.sink({app: 'shop', stream: 'stdout', text: 'ng\n'})
  await logs.app.close()
  await logs.sidecar.close()
  await rig.terminal.flush()
  t.equal(readFileSync(logs.app.path, 'utf8'), '== APP - shop == long\n== APP - shop == oops\n')
  t.equal(await rig.readUntil(/ng\n/), '== APP - shop == lo\n== APP - shop == oops\n== APP - shop == ng\n')
  rig.close()
})

/** A clock that is quicker than ours. */
const afterShort = (ms: number, task: () => void) => {
  const timer = setTimeout(task, ms / 100)
  return () => clearTimeout(timer)
}

/** A console that is a real pipe, with a reader that reads when told, and a patience of 50 ms. */
function openPipe(folder: string) {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = new Socket({fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true})
  const fd = openSync(path, 'w')
  const terminal = openTerminal({stdout: fd, stderr: 2})
  let text = ''
  reader.pause()
  reader.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  return {
    terminal,
    console: new Console(terminal.out, afterShort),
    readUntil: async (pattern: RegExp): Promise<string> => {
      reader.resume()
      while (!pattern.test(text.slice(-200))) await new Promise(resolve => reader.once('data', resolve))
      return text
    },
    readWhile: async (isWanting: (text: string) => boolean): Promise<string> => {
      reader.resume()
      while (isWanting(text)) await new Promise(resolve => reader.once('data', resolve))
      return text
    },
    close: () => reader.destroy()
  }
}

t.test('with a stuck reader the app goes on, memory is bounded, and shown + dropped = what the file has', async t => {
  const folder = t.testdir()
  const rig = openPipe(folder)
  const logs = await openAppLogs(optionsFor(folder, rig.console))
  const line = `${'x'.repeat(99)}\n`
  const write = () => logs.app.sink({app: 'shop', stream: 'stdout', text: line.repeat(100)})
  let written = 0
  for (let i = 0; i < 2000; i++) {
    await write()
    written += 100
  }
  // it may get stuck more than once; what was dropped is told each time
  const told = /\xe2\x80\xa6 (\d+) lines dropped from the console, they are in the log files\n/g
  const accounted = (text: string): number => {
    const drops = [...text.matchAll(told)].map(([, count]) => Number(count))
    return text.split('\n').length - 1 - drops.length + drops.reduce((sum, count) => sum + count, 0)
  }
  const shown = await rig.readWhile(text => accounted(text) < written)
  t.ok(shown.length < 1.3 * 1024 * 1024, `${shown.length} bytes waited for the reader, of 24 MB`)
  t.equal(accounted(shown), written)
  t.match(shown, told)
  await logs.app.close()
  await logs.sidecar.close()
  t.equal(readFileSync(logs.app.path, 'latin1'), `== APP - shop == ${line}`.repeat(written))
  rig.close()
})

t.test('lines of a sidecar in JSON have their characters, those in free form, too', async t => {
  const {console, shown} = openConsole()
  const plan = {app: 'console', sidecar: 'console', folder: '', keep: 0, size: 0} as const
  const source = {appId: 'shop', instance: 'laptop', version: '1.18.0', isJson: true}
  const {sidecar} = await openAppLogs({...optionsFor('', console), plan, source})
  sidecar.log({level: 'warn', message: 'größe', scope: 'dapr.runtime'})
  sidecar.write(Buffer.from('größe “1” là\n').toString('latin1'), 'warn')
  const lines = Buffer.from(shown(), 'latin1').toString().trimEnd().split('\n')
  t.same(
    lines.map(line => (JSON.parse(line) as {msg: string}).msg),
    ['größe', 'größe “1” là']
  )
})
