import {setImmediate as pause} from 'node:timers/promises'
import t from 'tap'
import type {App} from '../../../../src/model/api.generated.ts'
import {tellLateStart} from '../../../../src/clients/cli/late-start.ts'
import {TestClock} from '../../../rig/clock.ts'

const app = (id: string, availability: App['availability'], more: Partial<App> = {}): App =>
  ({id, version: '0.0.0', instance: 1, availability, state: 'starting', restarts: 0, isReady: availability === 'ready', waitsFor: [], loop: null, ...more}) as App // prettier-ignore

/** What is told of these apps within a minute. */
async function toldOf(apps: readonly App[], {isCalledOff = false} = {}): Promise<readonly string[]> {
  const told: string[] = []
  const clock = new TestClock()
  const callOff = tellLateStart({control: {list: () => ({apps})}}, text => told.push(text), clock)
  clock.pass(9_999)
  t.strictSame(told, [], 'most starts take less')
  if (isCalledOff) callOff()
  clock.pass(60_000)
  await import('../../../../src/clients/cli/app-table.ts') // which is loaded then
  await pause()
  return told
}

t.test('what is not ready after 10 s is told once', async t => {
  const api = app('api', 'waiting', {state: 'idle', waitsFor: ['db']})
  t.strictSame(await toldOf([app('web', 'ready'), app('db', 'waiting'), api]), [
    'not ready after 10 s: db (starting), api (waits for db); "pillion why" says what is waited for'
  ])
  const many = Array.from({length: 9}, (_, n) => app(`a${n}`, 'waiting'))
  t.match(await toldOf(many), [/^not ready after 10 s: a0 \(starting\), .*a4 \(starting\), 4 more; /])
})

t.test('nothing is told where all is ready, failed or stopped, or the run has ended before', async t => {
  const settled = [app('web', 'ready'), app('job', 'finished'), app('db', 'never'), app('old', 'stopped')]
  const changing = [app('saved', 'waiting', {state: 'running'}), app('again', 'waiting', {restarts: 1})]
  t.strictSame(await toldOf([...settled, ...changing]), [], 'a reload, a restart')
  t.strictSame(await toldOf(settled), [])
  t.strictSame(await toldOf([app('db', 'waiting')], {isCalledOff: true}), [])
})
