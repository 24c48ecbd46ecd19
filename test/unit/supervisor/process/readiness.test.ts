import {test} from 'tap'
import {Readiness, probeTargetOf} from '../../../../src/supervisor/process/readiness.ts'
import type {AppPlan, ChannelPlan, ReadyPlan} from '../../../../src/model/plan.ts'

const never = new AbortController().signal

const planWith = (channel: Partial<ChannelPlan>, ready: ReadyPlan): AppPlan =>
  ({
    channel: {protocol: 'http', address: '', port: 3000, autoPort: false, maxConcurrency: 0, ...channel},
    ready
  }) as AppPlan

const byLog = (pattern: string): {readiness: Readiness; slow: string[]} => {
  const slow: string[] = []
  const readiness = new Readiness({
    ready: {kind: 'log', pattern, timeoutMs: 60_000},
    target: {addresses: [], port: 0, isSecure: false},
    isApp: async () => true,
    runCommand: async () => '',
    slow: tried => slow.push(tried)
  })
  return {readiness, slow}
}

const tcp = {kind: 'tcp', port: 3000, timeoutMs: 1} as const

const isSecure = (protocol: ChannelPlan['protocol']): boolean => probeTargetOf(planWith({protocol}, tcp), 1).isSecure

test('an app is looked for on the loopback of both kinds, or where its template says', async t => {
  t.same(probeTargetOf(planWith({}, tcp), 3000), {addresses: ['127.0.0.1', '::1'], port: 3000, isSecure: false})
  t.same(probeTargetOf(planWith({address: 'host.docker'}, tcp), 3000).addresses, ['host.docker'])
})

test('a port that was allocated takes the place of the one in the template', async t => {
  t.equal(probeTargetOf(planWith({port: 0, autoPort: true}, {...tcp, port: 0}), 41_000).port, 41_000)
  t.equal(
    probeTargetOf(planWith({}, {...tcp, port: 9090}), 3000).port,
    9090,
    'but not of one that is only for readiness'
  )
})

test('the protocol tells whether it speaks TLS', async t => {
  t.same((['http', 'h2c', 'grpc', 'https', 'grpcs'] as const).map(isSecure), [false, false, false, true, true])
})

test('a line that comes in pieces is tried when it is whole', async t => {
  const {readiness} = byLog('^ready$')
  readiness.see('stdout', 'rea')
  readiness.see('stderr', 'dy\n')
  readiness.see('stdout', 'dy and waiting\nnot ready\n')
  const reached = readiness.reached(never)
  t.equal(await Promise.race([reached, Promise.resolve('not yet')]), 'not yet')
  readiness.see('stdout', 'more\nready\r\nmore')
  t.equal(await reached, true)
})

test('a line that came before it was asked for counts', async t => {
  const {readiness} = byLog('listening on \\d+')
  readiness.see('stderr', 'listening on 3000\n')
  t.equal(await readiness.reached(never), true)
})

test('of many lines that came before, each takes no longer: for a while there may be no file to open', async t => {
  const {readiness} = byLog('^ready$')
  for (let at = 0; at < 150_000; at++) {
    readiness.see('stdout', `${at}\n`)
    if (at % 1000 === 0) await new Promise(setImmediate) // it is given up in time
  }
  readiness.see('stdout', 'ready\n')
  t.equal(await readiness.reached(never), true)
})

test('when the signal is aborted the answer is no', async t => {
  const {readiness, slow} = byLog('never')
  const controller = new AbortController()
  const reached = readiness.reached(controller.signal)
  controller.abort()
  t.equal(await reached, false)
  t.same(slow, [])
})

test('a line that the engine of the language would look at for ever is passed over at once', async t => {
  const {readiness} = byLog('^(a+)+$')
  readiness.see('stdout', `${'a'.repeat(60_000)}!\n`)
  readiness.see('stdout', `${'\x1b]'.repeat(32_000)}\n`)
  readiness.see('stdout', '\x1b[1;32maaa\x1b[0m\n')
  t.equal(await readiness.reached(never), true)
})

test('of a pattern that RE2 does not take it is said why', async t => {
  const told = Promise.withResolvers<string>()
  const readiness = new Readiness({
    ready: {kind: 'log', pattern: '((a{100}){100}){100}', timeoutMs: 100},
    target: {addresses: [], port: 0, isSecure: false},
    isApp: async () => true,
    runCommand: async () => '',
    slow: told.resolve
  })
  const controller = new AbortController()
  const reached = readiness.reached(controller.signal)
  t.match(await told.promise, /^a line that matches \/.*\/ \(error parsing regexp: invalid repeat count: .*\)$/)
  controller.abort()
  t.equal(await reached, false)
})
