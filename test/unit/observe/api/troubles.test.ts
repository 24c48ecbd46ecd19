import t from 'tap'
import type * as Api from '../../../../src/model/api.generated.ts'
import type {RunFacts} from '../../../../src/observe/api/run-facts.ts'
import {troublesOf} from '../../../../src/observe/api/troubles.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Deaths, type Ended} from '../../../../src/observe/telemetry/recorder/deaths.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {appOf, runOf} from '../../../rig/listed.ts'
import {tableOf} from '../../../rig/table-of.ts'
import {aCall, aRecord, aRequest} from '../../../rig/made-call.ts'

/** A call that began and ended so many ms ago, but after the start of this process; `endedAgo` undefined: it is under way. */
interface Made {
  readonly from?: string
  readonly to: string
  readonly path?: string
  readonly status?: number
  readonly startedAgo: number
  readonly endedAgo?: number
}

function make(
  recorder: CallRecorder,
  {from = 'shop', to, path = '/', status = 200, startedAgo, endedAgo}: Made,
  now = performance.now()
): number {
  const call = aCall({caller: from, callee: to, method: 'POST', path})
  const request = aRequest(call)
  recorder.started(call, request, now - startedAgo)
  if (endedAgo === undefined) return call.number ?? 0
  recorder.ended(aRecord({call, request, status, startedAt: now - startedAgo, endedAt: now - endedAgo}))
  return call.number ?? 0
}

/** An exit half a minute ago. */
const exitOf = (app: string, more: Partial<Ended> = {}): Ended => ({
  app,
  name: app,
  exit: {kind: 'code', code: 1},
  reason: 'TypeError: no cents',
  at: Date.now() - 20_000,
  version: '0.0.0',
  livedMs: 12_449,
  files: [],
  inside: [],
  work: [],
  lines: async () => Promise.resolve([]),
  place: async () => Promise.resolve('svc.mjs:10'),
  ...more
})

interface Scene {
  readonly apps?: readonly Partial<Api.App>[]
  readonly reasons?: Readonly<Record<string, string>>
  readonly calls?: readonly Made[]
  readonly exits?: (recorder: CallRecorder) => readonly Ended[]
}

async function troubles({
  apps = [],
  reasons = {},
  calls = [],
  exits = () => []
}: Scene): Promise<readonly Api.Trouble[]> {
  const recorder = new CallRecorder(() => 1000, 4096, 65_536)
  const now = performance.now()
  for (const call of calls) make(recorder, call, now)
  const deaths = new Deaths(recorder)
  for (const ended of exits(recorder)) deaths.add(ended)
  const listed = apps.map(appOf)
  const facts = {
    control: {list: () => runOf('0'.repeat(32), 1, listed)},
    deaths,
    recorder,
    apps: () =>
      listed.map(({id, version}) => {
        return {id, version, name: id, availability: 'waiting', waiting: 0, reason: reasons[`${id}@${version}`] ?? ''}
      })
  } as unknown as RunFacts
  return troublesOf(facts, new Masking([]))
}

const DOWN = {state: 'backoff', exit: 'exited with code 1', exitCode: 1, availability: 'never'} as const
const READY = {state: 'running', isReady: true, availability: 'ready'} as const

/** A run for each row of the table, by its kind. */
const SCENES: Readonly<Record<string, Scene>> = {
  exit: {
    apps: [{id: 'payments', ...DOWN}],
    exits: recorder => {
      const number = make(recorder, {from: 'orders', to: 'payments', path: '/charge', startedAgo: 98})
      return [exitOf('payments', {inside: [{number, forMs: 98}]})]
    }
  },
  loop: {
    apps: [{id: 'sync', ...READY, loop: {exits: 8, overMs: 60_000, shortestMs: 2000, longestMs: 2000}}],
    exits: () => [exitOf('sync')]
  },
  blocked: {
    apps: [{id: 'api', availability: 'never', state: 'exited'}],
    reasons: {'api@0.0.0': '"api" is not started: "db" exited with code 1'}
  },
  slow: {apps: [{id: 'api', state: 'running', startedAt: new Date(Date.now() - 125_000).toISOString()}]},
  breaker: {apps: [{id: 'shop', ...READY, circuitBreakers: [{name: 'stock:items', state: 'open'}]}]},
  work: {apps: [{id: 'orders', ...READY, waitingWork: 3}]},
  events: {apps: [{id: 'orders', ...READY, waitingEvents: 2000}]},
  calls: {
    calls: [
      {to: 'stock', startedAgo: 90, endedAgo: 80},
      {to: 'stock', status: 500, startedAgo: 70, endedAgo: 60},
      {to: 'stock', status: 503, startedAgo: 50, endedAgo: 40}
    ]
  }
}

t.test('each trouble has the sentence and the first action of the manual', async t => {
  const rows = tableOf('states.md', 'What needs a person')
  t.same(
    rows.map(([kind]) => kind),
    Object.keys(SCENES)
  )
  for (const [kind = '', text, action] of rows) {
    const found = await troubles(SCENES[kind] ?? {})
    t.same(
      found.map(trouble => [trouble.kind, trouble.text, trouble.action.text]),
      [[kind, text, action]]
    )
  }
})

t.test('an exit brings its error, its place, its request, and what failed because of it: one trouble', async t => {
  const calls = [
    {from: 'web', to: 'orders', status: 500, startedAgo: 90, endedAgo: 80},
    {from: 'orders', to: 'payments', status: 500, startedAgo: 88, endedAgo: 82},
    {from: 'orders', to: 'payments', status: 500, startedAgo: 70, endedAgo: 65},
    {from: 'web', to: 'mail', status: 500, startedAgo: 60, endedAgo: 50}
  ]
  const [exit, mail, ...others] = await troubles({...SCENES['exit'], calls})
  t.same(others, [])
  t.match(exit, {
    key: 'exit payments',
    isBad: true,
    isOver: false,
    error: 'TypeError: no cents',
    place: 'svc.mjs:10',
    death: 1,
    request: {from: 'orders', method: 'POST', path: '/charge', ms: 98, status: ''},
    failed: [
      {from: 'orders', to: 'payments', calls: 2},
      {from: 'web', to: 'orders', calls: 1}
    ],
    failedCalls: 3,
    action: {kind: 'request', command: 'pillion trace 5'}
  })
  t.match(mail, {
    kind: 'calls',
    text: '1 of 1 calls to "mail" failed in the last minute',
    request: {number: 4, status: '500'}
  })
})

t.test('the failed calls of the last minute are counted as in the app’s row, also if no longer kept', async t => {
  const calls = Array.from({length: 200}, (_, at) => ({
    to: 'stock',
    status: at % 2 === 0 ? 500 : 200,
    startedAgo: 90,
    endedAgo: 80
  }))
  t.match(await troubles({calls}), [{text: '100 of 200 calls to "stock" failed in the last minute'}])
})

const twoExits = (): readonly Ended[] => [exitOf('a'), exitOf('c', {at: Date.now() - 31_000})]

t.test('an app that is well again is told of for half a minute, and last', async t => {
  const apps = [
    {id: 'a', ...READY},
    {id: 'b', ...READY, waitingWork: 1},
    {id: 'c', ...READY}
  ]
  t.same(
    (await troubles({apps, exits: twoExits})).map(({key, isOver}) => [key, isOver]),
    [
      ['work b', false],
      ['exit a', true]
    ]
  )
  t.same(await troubles({apps: [{id: 'a', ...READY}]}), [])
})

t.test('the exit of one version of a service is no trouble of the other', async t => {
  const apps = [
    {id: 'hello', version: '1.0.0', ...READY},
    {id: 'hello', version: '1.1.0', ...DOWN}
  ]
  const found = await troubles({apps, exits: () => [exitOf('hello', {version: '1.1.0'})]})
  t.match(found, [{kind: 'exit', version: '1.1.0', isOver: false}])
  const reasons = {'hello@1.0.0': '"hello" has no port', 'hello@1.1.0': '"hello" has no folder'}
  const never = apps.map(({id, version}) => ({id, version, availability: 'never', state: 'exited'}) as const)
  t.same(
    (await troubles({apps: never, reasons})).map(({key, text}) => [key, text]),
    Object.entries(reasons).map(([app, text]) => [`blocked ${app}`, text])
  )
})

t.test('the lines of an exit, which may be long, are not read for a trouble', async t => {
  const found = await troubles({
    apps: [{id: 'shop', ...DOWN}],
    exits: () => [exitOf('shop', {lines: async () => Promise.reject(new Error('the log is read'))})]
  })
  t.match(found, [{key: 'exit shop', place: 'svc.mjs:10', error: 'TypeError: no cents'}])
})

t.test('a shadow that is down has not made the calls of the main version fail', async t => {
  const down = {state: 'backoff', availability: 'never', exit: 'exited 1', exitCode: 1} as const
  const [shadow, main] = await troubles({
    apps: [
      {id: 'hello', version: '1.0.0', state: 'running', isReady: true, availability: 'ready'},
      {id: 'hello', version: '2.0.0', isMain: false, ...down}
    ],
    calls: [
      {to: 'hello', status: 500, startedAgo: 50, endedAgo: 40},
      {to: 'hello', status: 500, startedAgo: 50, endedAgo: 40},
      {to: 'hello@2.0.0', status: 503, startedAgo: 50, endedAgo: 40}
    ],
    exits: () => [exitOf('hello', {version: '2.0.0'})]
  })
  t.match(shadow, {kind: 'exit', version: '2.0.0', failedCalls: 1, failed: [{to: 'hello@2.0.0', calls: 1}]})
  t.match(main, {kind: 'calls', app: 'hello', failedCalls: 2, failed: [{to: 'hello', calls: 2}]})
})

t.test('a trouble counts more than 500 failed calls', async t => {
  const failed = {startedAgo: 50, endedAgo: 40, status: 500}
  const outer = Array.from({length: 700}, () => ({...failed, from: 'web', to: 'orders', startedAgo: 60, endedAgo: 30}))
  const inner = Array.from({length: 700}, () => ({...failed, from: 'orders', to: 'payments'}))
  const [trouble, ...others] = await troubles({calls: [...outer, ...inner]})
  t.match(trouble, {app: 'payments', failedCalls: 1400})
  t.same(others, [])
})
