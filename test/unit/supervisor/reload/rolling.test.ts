import t from 'tap'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {Rolling} from '../../../../src/supervisor/reload/rolling.ts'

/** An instance whose exchanges are ended by hand: up or not. */
class Instance {
  readonly name: string
  readonly queue = {state: 'open'}
  readonly app = {state: {phase: 'running'}}
  /** The changes that were tried, in order. */
  readonly tried: string[] = []
  #over: PromiseWithResolvers<void> | undefined

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

  async comes(state: 'open' | 'shut'): Promise<void> {
    this.queue.state = state
    this.#over?.resolve()
    this.#over = undefined
    await new Promise(setImmediate)
  }
}

const shop = (): {readonly rolling: Rolling; readonly all: readonly Instance[]; readonly kept: string[]} => {
  const kept: string[] = []
  const rolling = new Rolling({
    isElsewhere: () => false,
    stopped: (down, waiting) => kept.push(`${down.name}: ${waiting.map(({name}) => name).join(' ')}`)
  })
  return {rolling, kept, all: ['a', 'a.2', 'a.3'].map(name => new Instance(name))}
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
