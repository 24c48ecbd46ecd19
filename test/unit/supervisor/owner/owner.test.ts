import t from 'tap'
import type {AppState} from '../../../../src/model/app-state.ts'
import {UserError} from '../../../../src/model/errors.ts'
import {open, READY, settle} from './fake-app.ts'

t.test('replace: calls inside end, the process is restarted, and who waited is let in once it is ready', async t => {
  const {runtime, clock, reloads, told, warned} = open()
  const inside = runtime.call('/old')
  const done = reloads.ask('watch')
  const waiting = runtime.queue.admit({caller: 'client', method: 'GET', path: '/new'})
  await settle()
  t.same(runtime.asked, [], 'a call is inside')
  inside.leave()
  await settle()
  t.same(runtime.asked, ['replace: watch'])
  runtime.move({phase: 'stopping', pid: 1, why: 'watch'})
  clock.pass(300)
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  await done
  t.match(waiting, {outcome: Promise})
  t.match(typeof waiting === 'object' && 'outcome' in waiting && (await waiting.outcome), {leave: Function})
  t.match(told, [{id: 'shop', tookMs: 300, held: 1, lost: 0}])
  t.same(warned, [])
})

t.test('replace: changes that come before the restart are one, one that comes in the middle is another', async t => {
  const {runtime, reloads, told} = open()
  const inside = runtime.call('/old')
  const done = Promise.all([reloads.ask('watch'), reloads.ask('watch')])
  inside.leave()
  await settle()
  t.equal(runtime.asked.filter(change => change.startsWith('replace')).length, 1)
  runtime.move({phase: 'starting', pid: 2})
  const again = reloads.ask('watch')
  await settle()
  t.equal(runtime.asked.filter(change => change.startsWith('replace')).length, 2)
  runtime.move({phase: 'stopping', pid: 2, why: 'watch'})
  runtime.move({phase: 'starting', pid: 3})
  runtime.move(READY)
  await Promise.all([done, again])
  t.equal(told.length, 1)
})

t.test(
  'replace: a change that comes while the old process ends is in the next one, unless that has another plan',
  async t => {
    for (const edit of [{}, {command: ['other']}]) {
      const {runtime, reloads} = open()
      const ended = Promise.withResolvers<void>()
      runtime.ending = ended.promise
      const done = Promise.all([reloads.ask('watch'), settle().then(async () => reloads.ask('watch'))])
      await settle()
      if ('command' in edit) runtime.wanted = {...runtime.plan, ...edit}
      await settle()
      ended.resolve()
      await settle()
      t.equal(runtime.asked.length, 'command' in edit ? 2 : 1)
      runtime.move({phase: 'starting', pid: 2})
      runtime.move(READY)
      await done
    }
  }
)

t.test('replace: an end between two processes admits nobody', async t => {
  const {runtime, owner, reloads} = open()
  runtime.ending = Promise.withResolvers<void>().promise
  void reloads.ask('watch')
  await settle()
  runtime.queue.admit({caller: 'client', method: 'GET', path: '/new'})
  await owner.close('reopens', async () => Promise.resolve())
  t.match(runtime.queue, {waiting: 1, state: 'held'})
})

t.test('replace: calls that do not end within the grace are named and cut', async t => {
  const {runtime, clock, reloads, told, warned} = open()
  const stuck = runtime.call('/stream')
  const done = reloads.ask('watch')
  clock.pass(4999)
  await settle()
  t.same(runtime.asked, [])
  clock.pass(1)
  await settle()
  t.match(warned, [
    /^"shop": 1 call was still in flight 5 s after the change and was cancelled: GET \/stream from client$/
  ])
  t.same(runtime.asked, ['cut calls', 'replace: watch'])
  stuck.leave(true)
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  await done
  t.match(told, [{lost: 1}])
})

t.test('replace: an app that does not come up again is told, with the calls that it cost', async t => {
  const {runtime, reloads, told, warned} = open()
  const done = reloads.ask('watch')
  await settle()
  const waiting = runtime.queue.admit({caller: 'client', method: 'GET', path: '/new'})
  runtime.move({phase: 'starting', pid: 2})
  runtime.move({phase: 'exited', exit: {kind: 'code', code: 1}, asked: false})
  await done
  t.equal(typeof waiting === 'object' && 'outcome' in waiting && (await waiting.outcome), 'it has ended')
  t.same(warned, ['"shop" did not become ready after the reload; 1 of 1 queued calls were rejected'])
  t.same(told, [])
})

t.test('replace: one that has ended is started anew, one that was never started is left alone', async t => {
  const {runtime, reloads} = open()
  runtime.move({phase: 'exited', exit: undefined, asked: true})
  const done = reloads.ask('user')
  await settle()
  t.same(runtime.asked, ['replace: user'])
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  await done
  const other = open()
  other.runtime.state = {phase: 'idle'}
  await other.reloads.ask('watch')
  t.same(other.runtime.asked, [])
})

t.test('replace: workers get nothing until the process is exchanged, or not: debugged, or without one', async t => {
  const {runtime, reloads, work} = open()
  const done = reloads.ask('watch')
  await settle()
  runtime.move({phase: 'starting', pid: 2})
  t.same(work, ['finish'])
  runtime.move(READY)
  await done
  t.same(work, ['finish', 'resume', 'keep'])
  const debugged = open()
  Object.assign(debugged.runtime, {isDebugged: true, person: 'debugs'})
  await debugged.reloads.ask('watch')
  t.same(debugged.work, ['finish', 'resume', 'keep'])
})

t.test('nothing is started after the end, whatever was waited for', async t => {
  const {runtime, clock, reloads} = open()
  runtime.call('/stream')
  const done = reloads.ask('watch')
  reloads.end()
  await done
  await reloads.ask('watch')
  clock.pass(60_000)
  t.same(runtime.asked, [])
  t.doesNotThrow(() => runtime.call('/again'), 'its pause is over')
})

t.test('overlap: no call waits; the new process takes over when it is ready and healthy, the old drains', async t => {
  const {runtime, clock, reloads, told, work} = open('overlap')
  const inside = runtime.call('/old')
  const done = reloads.ask('watch')
  clock.pass(200)
  runtime.coming.ready.resolve(true)
  await settle()
  t.same(runtime.asked, ['candidate'])
  runtime.call('/meanwhile').leave()
  runtime.coming.healthy.resolve(true)
  await done
  t.same(runtime.asked, ['candidate', 'promote'])
  t.match(told, [{id: 'shop', tookMs: 200, held: 0, lost: 0}])
  inside.leave()
  await settle()
  t.same(runtime.asked.slice(2), ['stop previous'])
  t.same(work, ['finish', 'resume', 'keep'], 'what its workers have in hand is waited for, too')
})

t.test('overlap: work goes on when all old processes have ended, not while a later one is still finishing', async t => {
  for (const next of ['overlap', 'replace'] as const) {
    const {runtime, reloads, work} = open('overlap')
    runtime.coming.ready.resolve(true)
    runtime.coming.healthy.resolve(true)
    const first = runtime.call('/first')
    await reloads.ask('watch')
    const second = runtime.call('/second')
    if (next === 'replace') runtime.wanted = {...runtime.plan}
    const done = reloads.ask('watch')
    await settle()
    first.leave()
    await settle()
    t.same(work, ['finish', 'finish'], `${next}: the second still finishes its own`)
    second.leave()
    await settle()
    reloads.end()
    await done
    await settle()
    t.same(work, ['finish', 'finish', 'resume', 'keep'], next)
  }
})

t.test('overlap: an old process that ends does not give back the actors that the current one releases', async t => {
  const released = Promise.withResolvers<boolean>()
  const {runtime, reloads, work} = open('overlap', async ({asked}) =>
    asked.includes('promote') ? released.promise : Promise.resolve(true)
  )
  const inside = runtime.call('/old')
  runtime.candidateState = READY
  runtime.coming.ready.resolve(true)
  runtime.coming.healthy.resolve(true)
  await reloads.ask('watch')
  const next = reloads.ask('watch')
  await settle()
  inside.leave()
  await settle()
  t.match(runtime.asked, ['candidate', 'promote', 'candidate', 'stop previous'])
  t.notOk(work.includes('keep'))
  released.resolve(true)
  await next
  await settle()
  t.equal(work.at(-1), 'keep')
})

t.test('overlap: a process whose leader has ended does not take over while what it left behind is ending', async t => {
  const {runtime, reloads, warned, work} = open('overlap', async app => {
    app.candidateState = {phase: 'running', pid: 2, ready: false}
    return Promise.resolve(true)
  })
  runtime.candidateState = READY
  runtime.coming.ready.resolve(true)
  runtime.coming.healthy.resolve(true)
  const done = reloads.ask('watch')
  await settle()
  t.same([runtime.asked, work], [['candidate'], ['keep']], 'its actors do not wait for that')
  runtime.candidateState = {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false}
  runtime.candidateEnded.resolve(runtime.candidateState)
  await done
  t.same(runtime.asked, ['candidate', 'drop'])
  t.match(warned, [/^the new process of "shop" .*3.*: the old process continues$/])
})

t.test('overlap: an old process that cannot be ended is reported, and work goes on', async t => {
  const {runtime, reloads, warned, work} = open('overlap')
  runtime.ended = Promise.reject(new Error('no descriptor is free'))
  runtime.ended.catch(() => undefined)
  runtime.coming.ready.resolve(true)
  runtime.coming.healthy.resolve(true)
  await reloads.ask('watch')
  await settle()
  t.same(warned, ['cannot end the old process of "shop": no descriptor is free'])
  t.same(work, ['finish', 'resume', 'keep'])
})

t.test('overlap: calls in the old process are cut after its grace', async t => {
  const {runtime, clock, reloads, warned} = open('overlap')
  runtime.call('/stream')
  const done = reloads.ask('watch')
  runtime.coming.ready.resolve(true)
  runtime.coming.healthy.resolve(true)
  await done
  clock.pass(5000)
  await settle()
  t.match(warned, [/cancelled: GET \/stream from client/])
  t.same(runtime.asked.slice(2), ['cut previous', 'stop previous'])
})

t.test('overlap: a new process that ends, or is not healthy in time, leaves the old one where it is', async t => {
  const ended = open('overlap')
  ended.runtime.candidateState = {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false}
  ended.runtime.coming.ready.resolve(false)
  await ended.reloads.ask('watch')
  t.same(ended.runtime.asked, ['candidate', 'drop'])
  t.match(ended.warned, [/^the new process of "shop" .*3.*: the old process continues$/])
  const ill = open('overlap')
  ill.runtime.candidateState = READY
  const done = ill.reloads.ask('watch')
  ill.runtime.coming.ready.resolve(true)
  await settle()
  ill.clock.pass(60_000)
  await done
  t.same(ill.runtime.asked, ['candidate', 'drop'])
  t.match(ill.reloads.failure, /was not healthy within 60 s: the old process continues$/)
  ill.runtime.coming.healthy.resolve(true)
  t.equal(await ill.reloads.ask('watch').then(() => ill.reloads.failure), '', 'the next one has taken over')
  const late = open('overlap', async runtime => {
    if (runtime.asked.includes('promote'))
      runtime.candidateState = {phase: 'exited', exit: {kind: 'code', code: 3}, asked: false}
    return Promise.resolve(true)
  })
  late.runtime.call('/drained meanwhile')
  late.runtime.coming.ready.resolve(true)
  late.runtime.coming.healthy.resolve(true)
  await late.reloads.ask('watch')
  await late.reloads.ask('watch')
  t.same(late.runtime.asked.slice(2), ['candidate', 'drop'], 'it ended while the old one let its actors go')
  t.same(late.work, ['finish', 'keep'], 'which stay, though the one before is still drained')
})

t.test('overlap: without a port for a new process, the old one stays, and the next change tries again', async t => {
  const {runtime, reloads, warned} = open('overlap')
  runtime.noCandidate = new UserError('no port is free for it', {explanation: 'End programs.'})
  await reloads.ask('watch')
  t.same(warned, ['no port is free for it: the old process continues. End programs.'])
  await reloads.ask('watch')
  t.same(runtime.asked, ['candidate', 'candidate'])
  runtime.noCandidate = new Error('a defect')
  await reloads.ask('watch')
  t.same(warned.slice(2), ['cannot reload "shop": a defect'])
})

t.test('overlap: the next change, or the end, makes a candidate unwanted without a word', async t => {
  const {runtime, reloads, warned} = open('overlap')
  const done = reloads.ask('watch')
  await settle()
  void reloads.ask('watch')
  await settle()
  t.same(runtime.asked, ['candidate', 'drop', 'candidate'])
  reloads.end()
  await done
  t.same(runtime.asked.slice(3), ['drop'])
  t.same(warned, [])
})

t.test('an app goes to a debugger once its calls have ended, also during a reload; then saves do nothing', async t => {
  const {runtime, reloads, told} = open()
  const first = reloads.ask('watch')
  await settle()
  t.same(runtime.asked, ['replace: watch'])
  Object.assign(runtime, {person: 'debugs', hasOtherStarter: true})
  const done = reloads.ask('user')
  await Promise.all([first, done])
  t.same(runtime.asked.slice(1), ['hand over', 'replace: user'])
  await reloads.ask('watch')
  t.equal(runtime.asked.length, 3)
  Object.assign(runtime, {person: 'none', hasOtherStarter: true})
  const back = reloads.ask('user')
  await settle()
  t.same(runtime.asked.slice(3), ['take back', 'replace: user'])
  runtime.move({phase: 'starting', pid: 3})
  runtime.move(READY)
  await back
  t.equal(told.length, 1, 'of the two reloads the one that came up')
})

t.test('who waits for the next process is answered when one of this round is spawned, not by one before', async t => {
  const {runtime, clock, owner, reloads} = open()
  const first = reloads.ask('watch')
  await settle()
  owner.want('user')
  const begun = owner.reached('begun').then(() => 'begun')
  runtime.move({phase: 'starting', pid: 2})
  t.equal(await Promise.race([begun, settle()]), undefined, 'that is the process of the save')
  runtime.move({phase: 'stopping', pid: 2, why: 'user'})
  runtime.move({phase: 'starting', pid: undefined})
  t.equal(await Promise.race([begun, settle()]), undefined, 'without a pid it could not be spawned')
  runtime.move({phase: 'starting', pid: 3})
  t.equal(await begun, 'begun', 'whether it becomes ready or not')
  runtime.move(READY)
  await first
  runtime.call('/stuck')
  owner.want('user')
  const late = owner.reached('begun')
  clock.pass(65_000)
  await late
  t.ok(owner.isChanging, 'after the time in which it should be ready, too')
})

const crash = {kind: 'code', code: 1} as const

for (const state of [
  {phase: 'asleep', last: undefined},
  {phase: 'backoff', failures: 1, until: 100, last: crash}
] satisfies AppState[])
  t.test(`an app that has kept its process takes the plan that it has not once it is in ${state.phase}`, async t => {
    const {runtime} = open()
    runtime.wanted = {...runtime.plan}
    runtime.move(state)
    await settle()
    t.same(runtime.asked, ['replace: watch'])
  })
