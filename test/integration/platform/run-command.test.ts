import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setImmediate} from 'node:timers/promises'
import t from 'tap'
import {runCommand} from '../../../src/platform/run-command.ts'

const folder = t.testdir({})
const shell = (script: string): readonly string[] => ['sh', '-c', script]

/** What is said of a command; it is cancelled when `cancelled` exists in its folder. */
async function run(command: readonly string[], {timeoutMs = 60_000, signal = new AbortController().signal} = {}) {
  return runCommand({command, folder, env: {PATH: '/usr/bin:/bin'}, timeoutMs, signal})
}

/** Neither gone nor ended and waiting to be reaped. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

t.test('how a command ended', async t => {
  const ends: Readonly<Record<string, readonly string[]>> = {
    '': shell('pwd; echo trouble >&2'),
    'exited with 3': shell('exit 3'),
    'was ended by SIGTERM': shell('kill $$'),
    'could not be started: no such file or directory': ['nonesuch-program']
  }
  for (const [end, command] of Object.entries(ends)) t.equal(await run(command), end)
})

t.test('it has no input, its folder and nothing else in its environment', async t => {
  t.equal(await run(shell('test -z "$(cat)" && test "$(pwd -P)" = "$PWD" && test -z "$HOME"')), '')
})

t.test('at the timeout it is killed with its children', async t => {
  const child = shell('sleep 60 & echo $! > child; wait')
  t.equal(await run(child, {timeoutMs: 500}), 'did not exit within 0.5 s')
  const pid = readFileSync(join(folder, 'child'), 'utf8').trim()
  while (isRunning(pid)) await setImmediate()
})

t.test('it is killed when it is cancelled, also before it began', async t => {
  const cancel = new AbortController()
  const running = run(shell('sleep 60'), {signal: cancel.signal})
  cancel.abort()
  t.equal(await running, 'was cancelled')
  t.equal(await run(shell('sleep 60'), {signal: cancel.signal}), 'was cancelled')
})
