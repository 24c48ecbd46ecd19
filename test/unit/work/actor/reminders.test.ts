import t, {type Test} from 'tap'
import {Reminders} from '../../../../src/work/actor/reminders.ts'
import {WakeUps} from '../../../../src/work/wake-ups.ts'
import {WorkFile} from '../../../../src/work/work-file.ts'
import {openActorHouse, TestHost, types, type ActorHouse} from '../../../rig/actor-house.ts'
import {TestClock} from '../../../rig/clock.ts'

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
}

interface ReminderHouse extends ActorHouse {
  readonly reminders: Reminders
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly host: TestHost
  /** What the logs of sidecars have got. */
  readonly lines: string[]
  /** Answers all that the host has, until it has nothing; how much that was. */
  readonly answerAll: () => Promise<number>
}

async function openReminders(t: Test, {catchesUp = false} = {}): Promise<ReminderHouse> {
  const clock = new TestClock()
  const house = openActorHouse(clock)
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const lines: string[] = []
  const log = (app: string, _level: string, text: string): void => void lines.push(`${app} ${text}`)
  const reminders = new Reminders({file, wakeUps, clock, catchesUp, log}, house.actors.run)
  const host = new TestHost('carts')
  house.actors.host(host, types(['Cart']))
  t.teardown(() => {
    reminders.close()
    house.actors.close()
    wakeUps.close()
    file.close()
  })
  const answerAll = async (): Promise<number> => {
    let count = 0
    for (await settled(); host.open.length > 0; await settled()) {
      await host.open[0]?.answer()
      count++
    }
    return count
  }
  return Object.assign(house, {reminders, file, wakeUps, host, lines, answerAll})
}

const REQUEST = {dueTime: '', ttl: '', callback: '', data: undefined, overwrites: true}

t.test('of firings that were missed the latest comes, or all, one after the other', async t => {
  for (const catchesUp of [false, true]) {
    const {actors, reminders, host, clock, lines, answerAll} = await openReminders(t, {catchesUp})
    await reminders.set('carts', {type: 'Cart', id: '1', name: 'often'}, {...REQUEST, period: '10s'})
    host.state = 'held'
    clock.pass(45_000)
    await settled()
    host.state = 'open'
    actors.look()
    t.equal(await answerAll(), 1)
    clock.pass(1)
    t.equal(await answerAll(), catchesUp ? 1 : 0)
    clock.pass(1)
    t.equal(await answerAll(), catchesUp ? 1 : 0)
    clock.pass(1)
    t.equal(await answerAll(), catchesUp ? 1 : 0)
    clock.pass(4990)
    t.equal(await answerAll(), 0, 'the plan goes on')
    clock.pass(10)
    t.equal(await answerAll(), 1)
    t.strictSame(lines, catchesUp ? [] : ['carts reminder Cart||1||often: 3 firings were missed and passed over'])
  }
})

t.test('a reminder whose app has no such route, or fails, is tried three more times, a second apart', async t => {
  for (const failure of [{kind: 'unknown'}, {kind: 'failed', status: 500, text: 'no'}] as const) {
    const {reminders, host, clock} = await openReminders(t)
    await reminders.set('carts', {type: 'Cart', id: '1', name: 'once'}, {...REQUEST, dueTime: '1s', period: ''})
    for (let tries = 0; tries < 4; tries++) {
      clock.pass(1000)
      await settled()
      t.equal(host.open.length, 1, `${failure.kind} ${tries}`)
      await host.open[0]?.answer('', failure)
      await settled()
    }
    clock.pass(5000)
    await settled()
    t.equal(host.open.length, 0)
  }
})

t.test('when a reminder fires: without a due time, repetitions, time to live, its end, set again', async t => {
  const rows: readonly (readonly [request: object, firings: readonly number[]])[] = [
    [{period: '2s'}, [2, 4, 6]],
    [{dueTime: '1s', period: ''}, [1]],
    [{dueTime: '1s', period: 'R2/PT2S'}, [1, 3]],
    [{dueTime: '1s', period: '1s', ttl: '2s'}, [1, 2, 3]],
    [{dueTime: '1s', period: '1s', ttl: '0s'}, [1]],
    [{period: '2s', ttl: '5s'}, [2, 4]],
    [{period: '2s', ttl: '1s'}, []],
    [{period: '2s', ttl: '-1s'}, []]
  ]
  for (const [request, expected] of rows) {
    const {reminders, clock, lines, answerAll} = await openReminders(t)
    const name = {type: 'Cart', id: '1', name: 'wake'}
    await reminders.set('carts', name, {...REQUEST, dueTime: '1ms', period: ''})
    await reminders.set('carts', name, {...REQUEST, period: '', ...request})
    const seen: number[] = []
    for (let second = 0; second <= 6; second++) {
      clock.pass(second === 0 ? 0 : 1000)
      for (let count = await answerAll(); count > 0; count--) seen.push(second)
    }
    t.strictSame(seen, expected, JSON.stringify(request))
    t.strictSame(lines, seen.length > 0 ? [] : ['carts reminder Cart||1||wake: its ttl ends before it fires'])
  }
})

const NAME = {type: 'Cart', id: '1', name: 'again'}

t.test('a try that failed is followed by the next one in the next run', async t => {
  const {reminders, actors, file, wakeUps, host, clock, lines, answerAll} = await openReminders(t)
  await reminders.set('carts', NAME, {...REQUEST, dueTime: '1s', period: ''})
  clock.pass(1000)
  await settled()
  await host.open[0]?.answer('', {kind: 'failed', status: 500, text: 'no'})
  await settled()
  t.match(await reminders.get(NAME), {attempts: 1, isDue: false})
  t.strictSame(lines, ['carts reminder Cart||1||again failed: 500 no; it is tried again'])
  reminders.close()
  const next = new Reminders({file, wakeUps, clock, log: () => undefined}, actors.run)
  clock.pass(999)
  t.equal(await answerAll(), 0)
  clock.pass(1)
  t.equal(await answerAll(), 1)
  t.strictSame(await next.list(), [])
})

t.test('a reminder that its own callback sets again fires each time that it was set', async t => {
  const {reminders, host, clock, answerAll} = await openReminders(t)
  await reminders.set('carts', NAME, {...REQUEST, dueTime: '0s', period: ''})
  clock.pass(0)
  await settled()
  await reminders.set('carts', NAME, {...REQUEST, dueTime: '0s', period: ''})
  clock.pass(600)
  await settled()
  await host.open[0]?.answer()
  await settled()
  t.strictSame(host.inside, ['Cart/1 again'], 'the second time')
  await reminders.set('carts', NAME, {...REQUEST, dueTime: '3s', period: ''})
  await host.open[0]?.answer()
  await settled()
  t.match(await reminders.get(NAME), {dueTime: '3s'})
  clock.pass(3000)
  t.equal(await answerAll(), 1)
  t.equal(await reminders.get(NAME), undefined)
})

t.test('a repeating reminder goes on after the file could not be written', async t => {
  const {reminders, file, host, clock, answerAll} = await openReminders(t)
  await reminders.set('carts', NAME, {...REQUEST, period: '1s'})
  clock.pass(1000)
  await settled()
  file.database.exec('PRAGMA query_only = 1')
  await host.open[0]?.answer()
  clock.pass(500)
  await settled()
  file.database.exec('PRAGMA query_only = 0')
  clock.pass(500)
  t.equal(await answerAll(), 0, 'it is told when it is kept that the first one is over')
  clock.pass(1000)
  t.ok((await answerAll()) >= 1)
  clock.pass(1000)
  t.equal(await answerAll(), 1)
})

t.test('another change of the tick that is undone takes no firing with it', async t => {
  const {reminders, file, clock, answerAll} = await openReminders(t)
  await reminders.set('carts', NAME, {...REQUEST, dueTime: '1s', period: ''})
  clock.pass(1000)
  await t.rejects(
    file.change(() => {
      file.database.exec("INSERT INTO wake_ups (kind) VALUES ('test')")
      throw new Error('refused')
    })
  )
  t.equal(await answerAll(), 1)
})

t.test('what falls due while no host is there fires when one is, though nobody calls the actor', async t => {
  for (const period of ['2s', '']) {
    const {actors, reminders, host, clock, answerAll} = await openReminders(t)
    await reminders.set('carts', NAME, {...REQUEST, dueTime: '1s', period})
    actors.leave(host)
    clock.pass(3000)
    await settled()
    t.strictSame(host.inside, [])
    actors.host(host, types(['Cart']))
    t.equal(await answerAll(), 1)
    t.equal((await reminders.list()).length, period === '' ? 0 : 1)
  }
})

t.test('names of 1,000 letters, and a due time in the year 9999', async t => {
  const {reminders, clock, answerAll} = await openReminders(t)
  const long = {type: 'Cart', id: 'i'.repeat(1000), name: 'n'.repeat(1000)}
  await reminders.set('carts', long, {...REQUEST, dueTime: '1s', period: ''})
  await reminders.set('carts', NAME, {...REQUEST, dueTime: '9999-12-31T23:59:59Z', period: ''})
  clock.pass(1000)
  t.equal(await answerAll(), 1)
  t.match(await reminders.list(), [{name: 'again', due: Date.parse('9999-12-31T23:59:59Z')}])
})

t.test('a reminder for more firings than can be counted holds up no other, and can be read', async t => {
  const {reminders, clock, answerAll} = await openReminders(t)
  await reminders.set('carts', NAME, {...REQUEST, period: 'R9999999999999999/PT1S'})
  await reminders.set('carts', {...NAME, name: 'other'}, {...REQUEST, dueTime: '1s', period: ''})
  t.equal((await reminders.list()).length, 2)
  clock.pass(1000)
  t.equal(await answerAll(), 2)
  t.ok(await reminders.delete(NAME))
})

t.test('firings that were missed are counted to the end of the reminder, also where the first try fails', async t => {
  const {reminders, actors, host, clock, lines} = await openReminders(t)
  await reminders.set('carts', NAME, {...REQUEST, period: '10s', ttl: '30s'})
  host.state = 'held'
  clock.pass(3_600_000)
  await settled()
  host.state = 'open'
  actors.look()
  await settled()
  await host.open[0]?.answer('', {kind: 'failed', status: 500, text: 'no'})
  await settled()
  clock.pass(1000)
  await settled()
  await host.open[0]?.answer()
  await settled()
  t.strictSame(lines, [
    'carts reminder Cart||1||again failed: 500 no; it is tried again',
    'carts reminder Cart||1||again: 2 firings were missed and passed over'
  ])
  t.strictSame(await reminders.list(), [])
})

t.test('a reminder that is deleted, or set again, while it waits for a host is waited for no more', async t => {
  for (const isSetAgain of [false, true]) {
    const {reminders, host, clock, wakeUps, actors, answerAll} = await openReminders(t)
    const name = {type: 'Cart', id: '1', name: 'once'}
    await reminders.set('carts', name, {...REQUEST, dueTime: '1s', period: ''})
    host.state = 'held'
    clock.pass(1000)
    await settled()
    t.equal(await wakeUps.settled(0), false)
    if (isSetAgain) await reminders.set('carts', name, {...REQUEST, dueTime: '1h', period: ''})
    else await reminders.delete(name)
    await settled()
    t.equal(await wakeUps.settled(0), true)
    host.state = 'open'
    actors.look()
    t.equal(await answerAll(), 0)
  }
})
