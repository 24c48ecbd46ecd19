import t from 'tap'
import {openAppLogs} from '../../../../src/observe/logging/app-log.ts'
import type {LogLevel} from '../../../../src/model/plan.ts'
import {Console} from '../../../../src/observe/logging/console.ts'
import {RunLog} from '../../../../src/observe/logging/run-log.ts'
import {shuttingDown, upAndRunning} from '../../../../src/observe/logging/status-lines.ts'

/** The logs of an app that are on the console only. */
async function rig(options: {isTerminal?: boolean; consolePrefix?: string; level?: LogLevel} = {}) {
  let shown = ''
  const output = {
    write: (text: string) => {
      shown += text
      return undefined
    },
    get midLine() {
      return shown !== '' && !shown.endsWith('\n')
    }
  }
  const logs = await openAppLogs({
    id: 'shop',
    plan: {app: 'console', sidecar: 'console', folder: '/nonexistent', keep: 0, size: 0},
    level: 'info',
    source: {appId: 'shop', instance: 'laptop', version: '1.18.0', isJson: false},
    hasCommand: true,
    runLog: new RunLog().writer('shop'),
    startedAt: new Date(2026, 0, 1),
    console: new Console(output),
    isTerminal: false,
    warn: text => t.fail(text),
    ...options
  })
  return {...logs, shown: () => Buffer.from(shown, 'latin1').toString('utf8')}
}

t.test('both streams of an app carry its prefix, status lines none, in the order in which they came', async t => {
  const {app, shown} = await rig()
  app.sink({app: 'shop', stream: 'stdout', text: 'one\ntwo\n'})
  app.sink({app: 'shop', stream: 'stderr', text: 'oops\n'})
  app.sink({app: 'shop', stream: 'status', text: 'Exited App successfully\n'})
  app.sink({app: 'shop', stream: 'stdout', text: 'late\n'})
  t.equal(
    shown(),
    '== APP - shop == one\n== APP - shop == two\n== APP - shop == oops\nExited App successfully\n== APP - shop == late\n'
  )
  t.equal(app.path, '')
  await app.close()
})

t.test('colours are kept only where the console wants them', async t => {
  const text = '\x1b[31mred\x1b[0m\n'
  const plain = await rig()
  plain.app.sink({app: 'shop', stream: 'stdout', text})
  t.equal(plain.shown(), '== APP - shop == red\n')
  const coloured = await rig({isTerminal: true, consolePrefix: '\x1b[94m== APP - shop ==\x1b[0m '})
  coloured.app.sink({app: 'shop', stream: 'stdout', text})
  coloured.app.sink({app: 'shop', stream: 'stdout', text: 'a long '})
  coloured.app.sink({app: 'shop', stream: 'stdout', text: 'line\n'})
  t.equal(
    coloured.shown(),
    '\x1b[94m== APP - shop ==\x1b[0m \x1b[31mred\x1b[0m\n\x1b[94m== APP - shop ==\x1b[0m a long line\n'
  )
})

t.test('of its own lines the log of a sidecar has those of its level and above', async t => {
  for (const [level, expected] of [
    ['debug', 'debug\ninfo\nwarn\n'],
    ['info', 'info\nwarn\n'],
    ['warn', 'warn\n'],
    ['fatal', '']
  ] as const) {
    const {sidecar, shown} = await rig({level})
    for (const each of ['debug', 'info', 'warn'] as const) sidecar.write(`${each}\n`, each)
    t.equal(shown(), expected, level)
    sidecar.say(upAndRunning)
    t.match(shown(), "You're up and running", 'what the CLI says has no level')
  }
})

t.test("a sidecar that has only the console writes there with Dapr's signs, its own lines without", async t => {
  const {sidecar, shown} = await rig()
  sidecar.say(upAndRunning)
  sidecar.write('time="2026" level=info\n', 'info')
  sidecar.say(shuttingDown)
  t.equal(
    shown(),
    '✅  You\'re up and running! Dapr logs will appear here.\n\ntime="2026" level=info\nℹ️  \ntermination signal received: shutting down\n'
  )
  t.equal(sidecar.path, '')
  await sidecar.close()
})
