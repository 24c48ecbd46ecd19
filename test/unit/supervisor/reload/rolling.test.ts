import t from 'tap'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {Rolling} from '../../../../src/supervisor/reload/rolling.ts'
import {TestClock} from '../../../rig/clock.ts'

/** An instance whose exchanges are ended by hand: up or not. */
class Instance {
  readonly name: string
  readonly queue = {state: 'open'}
  readonly app = {state: {phase: 'running'}}
  /** The changes that were tried, in order. */
  readonly tried: string[] = []
  readonly wanted = {ready: {timeoutMs: 3000}, stop: {timeoutMs: 5000}}
  #over: PromiseWithResolvers<void> | undefined
  readonly #listeners = new Set<() => void>()

  constructor(name: string) {
    this.name = name
  }

  ask(rolling: Rolling, change: string): Promise<void> {
    return rolling.take(this as unknown as AppRuntime, async () => {
      this.tried.push(change)
      this.#over ??= Promise.withResolvers()
      await this.#over.promise
    })
  }

  onMove(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  starts(): void {
    this.moves('starting')
  }

  moves(phase: string): void {
    this.app.state.phase = phase
    for (const listener of this.#listeners) listener()
  }

  async comes(state: 'open' | 'shut'): Promise<void> {
    this.queue.state = state
    this.#over?.resolve()
    this.#over = undefined
    await new Promise(setImmediate)
  }
}

const nameAll = (down: AppRuntime, waiting: readonly AppRuntime[]): string =>
  `${down.name}: ${waiting.map(({name}) => name).join(' ')}`

const shop = () => {
  const kept: string[] = []
  const clock = new TestClock()
  const rolling = new Rolling({
    isElsewhere: () => false,
    stopped: (down, waiting) => kept.push(nameAll(down, waiting)),
    onLate: (late, waiting) => kept.push(`late ${nameAll(late, waiting)}`),
    clock
  })
  return {rolling, kept, clock, all: ['a', 'a.2', 'a.3'].map(name => new Instance(name))}
}

t.test('when one does not come up, those that wait keep what they have', async t => {
  const {rolling, kept, all} = shop()
  for (const instance of all) void instance.ask(rolling, 'edit')
  await all[0]?.comes('open')
  await all[1]?.comes('shut')
  t.same(
    all.map(({tried}) => tried),
    [['edit'], ['edit'], []]
  )
  t.same(kept, ['a.2: a.3'])
})

t.test('when one does not come up, those that sleep have their turn: they have no process to keep', async t => {
  const {rolling, kept, all} = shop()
  const [a, second, third] = all
  for (const instance of all) void instance.ask(rolling, 'edit')
  if (third !== undefined) third.app.state.phase = 'asleep'
  await a?.comes('shut')
  t.same(kept, ['a: a.2'])
  t.same([second?.tried, third?.tried], [[], ['edit']])
})

t.test('a change that came after the one that failed is tried, whoever hears of it first', async t => {
  const {rolling, kept, all} = shop()
  const [a, second, third] = all
  for (const instance of all) void instance.ask(rolling, 'edit')
  void second?.ask(rolling, 'save') // each instance hears of a save by itself
  await a?.comes('shut')
  t.same(kept, ['a: a.3'])
  void third?.ask(rolling, 'save')
  void a?.ask(rolling, 'save')
  await second?.comes('open')
  await third?.comes('open')
  await a?.comes('open')
  t.same(
    all.map(({tried}) => tried),
    [['edit', 'save'], ['save'], ['save']]
  )
})

t.test('what fails with the latest change was asked for it in its turn: the others keep what they have', async t => {
  const {rolling, kept, all} = shop()
  for (const change of ['edit', 'save']) for (const instance of all) void instance.ask(rolling, change)
  await all[0]?.comes('shut')
  t.same(
    all.map(({tried}) => tried),
    [['edit', 'save'], [], []]
  )
  t.same(kept, ['a: a.2 a.3'])
})

t.test('one that is not ready in time answers who waits; the others have their turn once it is ready', async t => {
  const {rolling, kept, clock, all} = shop()
  const [a, second] = all
  const answers = all.map(async instance => instance.ask(rolling, 'restart'))
  a?.starts()
  clock.pass(3000)
  await Promise.all(answers)
  t.same(kept, ['late a: a.2 a.3'])
  const secondAnswer = a?.ask(rolling, 'restart')
  a?.starts()
  clock.pass(3000)
  await secondAnswer
  t.equal(kept.length, 2, 'once for each restart')
  await a?.comes('open')
  second?.starts()
  await second?.comes('open')
  await all[2]?.comes('open')
  t.same(
    all.map(({tried}) => tried),
    [['restart', 'restart'], ['restart'], ['restart']]
  )
  clock.pass(60_000)
  t.equal(kept.length, 2, 'who is ready is not late')
})

t.test('who asks again in the middle of a turn is answered with who asked first', async t => {
  const {rolling, clock, all} = shop()
  const answers = all.map(async instance => instance.ask(rolling, 'restart'))
  all[0]?.starts()
  answers.push(all[0]?.ask(rolling, 'restart') ?? Promise.reject(new Error('none')))
  clock.pass(3000)
  t.equal((await Promise.all(answers)).length, 4)
})

t.test('one that is late and then ends stops those that wait', async t => {
  const {rolling, kept, clock, all} = shop()
  for (const instance of all) void instance.ask(rolling, 'restart')
  all[0]?.starts()
  clock.pass(3000)
  await all[0]?.comes('shut')
  t.same(kept, ['late a: a.2 a.3', 'a: a.2 a.3'])
})

t.test('one that crashes and is restarted, again and again, is late', async t => {
  const {rolling, kept, clock, all} = shop()
  const answers = all.map(async instance => instance.ask(rolling, 'restart'))
  all[0]?.moves('stopping')
  for (let crash = 0; crash < 3; crash++) {
    all[0]?.moves('starting')
    clock.pass(2000)
    all[0]?.moves('backoff')
  }
  t.same(kept, ['late a: a.2 a.3'])
  if (kept.length > 0) await Promise.all(answers)
})

t.test('one whose new process starts beside the old one is late, too', async t => {
  const {rolling, kept, clock, all} = shop()
  const answers = all.map(async instance => instance.ask(rolling, 'restart'))
  clock.pass(7999)
  t.same(kept, [])
  clock.pass(1)
  await Promise.all(answers)
  t.same(kept, ['late a: a.2 a.3'])
})
