import {mock} from 'node:test'
import t from 'tap'
import {EventLog} from '../../../../../src/observe/api/events/event-log.ts'
import {readCondition} from '../../../../../src/observe/api/wait/condition.ts'
import type {WaitContext, WaitedApp} from '../../../../../src/observe/api/wait/wait-context.ts'
import {waitFor} from '../../../../../src/observe/api/wait/wait.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'

t.test('a condition that is wrong only for an app of the run leaves none of the others behind', async t => {
  let reading = 0
  const log = new RunLog()
  const tap = log.tap.bind(log)
  log.tap = take => {
    reading++
    const off = tap(take)
    return () => {
      reading--
      off()
    }
  }
  const app: Partial<WaitedApp> = {id: 'shop', name: 'shop'}
  const context: Partial<WaitContext> = {
    apps: () => [app as WaitedApp],
    runLog: log,
    onEvent: () => () => undefined,
    ended: new AbortController().signal,
    events: async () => ({mark: () => 1, timeOf: () => undefined})
  }
  const conditions = ['log:shop:a+', 'log:shop:?x'].map(readCondition)
  await t.rejects(waitFor(context as WaitContext, {conditions, timeoutMs: 1000}), /not a JavaScript regular expression/)
  t.equal(reading, 0)
})

t.test('a line that was written in the millisecond before does not count from then on', async t => {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['Date'], now: 1_000_000})
  const log = new RunLog()
  const events = new EventLog(1, () => log.next)
  const context = {
    apps: () => [{id: 'shop', name: 'shop', writer: 'shop', hasProcess: true}],
    runLog: log,
    onEvent: () => () => undefined,
    lastLine: () => '',
    ended: new AbortController().signal,
    events: async () => ({mark: () => events.mark(), timeOf: (id: number) => events.momentOf(id)})
  } as unknown as WaitContext
  const outcome = async (from: 'start' | 'now' | number, timeoutMs = 30_000): Promise<string> =>
    (await waitFor(context, {conditions: [readCondition('log:saved')], timeoutMs, from})).outcome
  const shop = log.writer('shop')
  const before = events.mark()
  shop.write('stdout', 'saved\n', 1, 0)
  const after = events.mark()
  mock.timers.setTime(500_000) // the clock is set back
  t.equal(await outcome('start'), 'met')
  t.equal(await outcome(before), 'met')
  t.equal(await outcome(after, 30), 'timeout')
  t.equal(await outcome('now', 30), 'timeout')
  shop.write('stdout', 'saved\n', 1, 0)
  t.equal(await outcome(after), 'met')
})

const helloOf = (version: string, more: Partial<WaitedApp>): Partial<WaitedApp> => ({
  id: 'hello',
  name: 'hello',
  home: `hello@${version}`,
  isReady: true,
  ...more
})

t.test('of several versions of an app, an exit or a reload of one is not that of another', async t => {
  const history = {
    exit: {text: 'exited with code 0', at: performance.now()},
    reload: {files: [], tookMs: 5, at: performance.now()}
  }
  const apps = [helloOf('1.0.0', {hasProcess: false}), helloOf('2.0.0', {hasProcess: true})]
  const context = {
    apps: () => apps,
    historyOf: (home: string) => (home === 'hello@1.0.0' ? history : {}),
    onEvent: () => () => undefined,
    lastLine: (home: string) => `the last line of ${home}`,
    stopping: new AbortController().signal,
    ended: new AbortController().signal,
    events: async () => ({mark: () => 1, timeOf: () => undefined})
  } as unknown as WaitContext
  const look = async (condition: string): Promise<object | undefined> =>
    (await waitFor(context, {conditions: [readCondition(condition)], timeoutMs: 1})).conditions[0]
  t.match(await look('exit:hello'), {
    state: 'waiting',
    reason: 'hello@2.0.0 has not exited',
    apps: [{app: 'hello', lastLine: 'the last line of hello@2.0.0'}]
  })
  t.match(await look('reloaded:hello'), {state: 'waiting', reason: /^hello@2.0.0 was not reloaded/})
})
