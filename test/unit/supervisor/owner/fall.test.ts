import t from 'tap'
import {open, READY, settle} from './fake-app.ts'

const quiet = (): boolean => false

t.test('an idle app gives up its work and its process, and calls wait until it sleeps', async t => {
  const {runtime, owner, work, told, warned} = open()
  const fell = owner.fall(quiet)
  t.notOk(owner.isChanging, 'it is not reloaded')
  await settle()
  t.same(runtime.asked, ['fallAsleep'])
  runtime.move({phase: 'stopping', pid: 1, why: 'idle'})
  t.notOk(runtime.queue.isOpen)
  runtime.move({phase: 'asleep', last: undefined})
  t.equal(await fell, true)
  t.same(work, ['finish', 'resume', 'keep'])
  t.same([told, warned, runtime.idle], [[], [], {kind: 'no'}])
})

t.test('one that is needed before its work is done keeps its process', async t => {
  const released = Promise.withResolvers<boolean>()
  const {runtime, owner, work} = open('replace', async () => released.promise)
  const fell = owner.fall(quiet)
  await settle()
  runtime.idle = {kind: 'needed', cause: 'shop: GET /'}
  owner.look()
  released.resolve(true)
  t.equal(await fell, false)
  t.same(runtime.asked, ['wake: shop: GET /'], 'which it need not be')
  t.same(work, ['finish', 'resume', 'keep'])
  t.ok(runtime.queue.isOpen)
})

t.test('one that is needed while its process ends is woken as soon as it sleeps, with the latest code', async t => {
  const {runtime, owner} = open()
  const fell = owner.fall(quiet)
  await settle()
  runtime.move({phase: 'stopping', pid: 1, why: 'idle'})
  owner.want('user')
  await settle()
  t.same(runtime.asked, ['fallAsleep'])
  runtime.move({phase: 'asleep', last: undefined})
  await fell
  t.same(runtime.asked, ['fallAsleep', 'wake: restart'])
  t.notOk(owner.isChanging)
})

t.test('a save keeps an app awake that is about to sleep, and replaces its process', async t => {
  const {runtime, owner, told} = open()
  const inside = runtime.call('/slow')
  const fell = owner.fall(quiet)
  owner.want('watch')
  inside.leave()
  await settle()
  t.same(runtime.asked, ['replace: watch'])
  runtime.move({phase: 'starting', pid: 2})
  runtime.move(READY)
  t.equal(await fell, false)
  t.match(told, [{number: 1}])
})

t.test('one that is busy again, has exited, or does not release its work in time stays as it is', async t => {
  const busy = open()
  t.equal(await busy.owner.fall(() => true), false)
  const ended = open()
  ended.runtime.call('/slow')
  const fell = ended.owner.fall(quiet)
  ended.runtime.move({phase: 'backoff', failures: 1, until: 0, last: {kind: 'code', code: 3}})
  ended.clock.pass(5000)
  t.equal(await fell, false)
  const late = Promise.withResolvers<boolean>()
  const deaf = open('replace', async () => late.promise)
  const kept = deaf.owner.fall(quiet)
  deaf.clock.pass(5000)
  late.resolve(false)
  t.equal(await kept, false)
  for (const {runtime, warned} of [busy, ended, deaf]) t.same([runtime.asked, warned], [[], []])
})
