import t from 'tap'
import type {AppState} from '../../../../src/model/app-state.ts'
import type {AppOwner} from '../../../../src/supervisor/owner/owner.ts'
import {TestClock} from '../../../rig/clock.ts'
import {FakeRuntime, ownerOf, READY, settle} from './fake-app.ts'

/** An instance whose processes move as the test says. */
class Instance extends FakeRuntime {
  override readonly name: string
  /** The changes that were tried, in order. */
  readonly tried: string[] = []
  #change = ''

  constructor(name: string) {
    super()
    this.name = name
    this.plan = this.wanted = {...this.plan, ready: {...this.plan.ready, timeoutMs: 3000}}
  }

  override async replace(): Promise<void> {
    this.tried.push(this.#change)
    return Promise.resolve()
  }

  async ask(owner: AppOwner, change: string): Promise<void> {
    this.#change = change
    owner.want('user')
    return owner.reached('settled')
  }

  async moves(state: AppState): Promise<void> {
    this.move(state)
    await settle()
  }

  /** Its next process starts. */
  async starts(): Promise<void> {
    await settle()
    await this.moves({phase: 'starting', pid: 1})
  }

  async comes(state: 'open' | 'shut'): Promise<void> {
    if (this.state.phase !== 'starting') await this.starts()
    await this.moves(state === 'open' ? READY : ENDED)
  }
}

const ENDED: AppState = {phase: 'exited', exit: {kind: 'code', code: 1}, asked: false}

const shop = () => {
  const told: string[] = []
  const clock = new TestClock()
  const all = [new Instance('a'), new Instance('a.2'), new Instance('a.3')] as const
  const owners: readonly AppOwner[] = all.map(instance => ownerOf(instance, clock, told, () => owners))
  /** Asks some of them, all without names. */
  const ask = (change: string, of: readonly Instance[] = all): readonly Promise<void>[] =>
    of.map(async each => each.ask(owners[all.indexOf(each as never)] as AppOwner, change))
  return {told, clock, all, owners, ask, tried: () => all.map(({tried}) => tried)}
}

const LATE = '"a.2", "a.3" keep their processes until "a" is ready'

t.test('when one does not become ready, those that wait keep their processes', async t => {
  const {told, all, ask, tried, owners} = shop()
  const [a, second] = all
  const answers = ask('edit')
  await a.comes('open')
  await second.comes('shut')
  t.same(tried(), [['edit'], ['edit'], []])
  t.same(told, ['"a.2" did not become ready: "a.3" keeps its process'])
  t.equal((await Promise.all(answers)).length, 3)
  t.notOk(owners.some(({isChanging}) => isChanging))
})

t.test('when one does not become ready, those that sleep have their turn: they have no process to keep', async t => {
  const {told, all, ask, tried} = shop()
  const [a, , third] = all
  void ask('edit')
  third.state = {phase: 'asleep', last: undefined}
  await a.comes('shut')
  t.same(told, ['"a" did not become ready: "a.2" keeps its process'])
  t.same(tried(), [['edit'], [], ['edit']])
})

t.test('a change that came after the one that failed is tried, whoever hears of it first', async t => {
  const {told, all, ask, tried} = shop()
  const [a, second, third] = all
  void ask('edit')
  void ask('save', [second]) // each instance hears of a save by itself
  await a.comes('shut')
  t.same(told, ['"a" did not become ready: "a.3" keeps its process'])
  void ask('save', [third, a])
  await second.comes('open')
  await third.comes('open')
  await a.comes('open')
  t.same(tried(), [['edit', 'save'], ['save'], ['save']])
})

t.test('what fails with the latest change was asked for it in its turn: the others keep what they have', async t => {
  const {told, all, ask, tried} = shop()
  void ask('edit')
  await all[0].starts()
  void ask('save')
  await all[0].comes('shut')
  await all[0].comes('shut')
  t.same(tried(), [['edit', 'save'], [], []])
  t.same(told, ['"a" did not become ready: "a.2", "a.3" keep their processes'])
})

t.test('one that is not ready in time answers who waits; the others have their turn once it is ready', async t => {
  const {told, clock, all, ask, tried} = shop()
  const [a, second, third] = all
  const answers = ask('restart')
  await a.starts()
  clock.pass(3000)
  await Promise.all(answers)
  t.same(told, [LATE])
  const again = ask('restart', [a])
  await a.starts()
  clock.pass(3000)
  await Promise.all(again)
  t.equal(told.length, 2, 'once for each restart')
  await a.comes('open')
  await second.comes('open')
  await third.comes('open')
  t.same(tried(), [['restart', 'restart'], ['restart'], ['restart']])
  clock.pass(60_000)
  t.equal(told.length, 2, 'who is ready is not late')
})

t.test('one that is late and then ends stops those that wait', async t => {
  const {told, clock, all, ask} = shop()
  void ask('restart')
  await all[0].starts()
  clock.pass(3000)
  await all[0].comes('shut')
  t.same(told, [LATE, '"a" did not become ready: "a.2", "a.3" keep their processes'])
})

t.test('one that crashes and is restarted, again and again, is late', async t => {
  const {told, clock, all, ask} = shop()
  const answers = ask('restart')
  await all[0].moves({phase: 'stopping', pid: 1, why: 'user'})
  for (let crash = 0; crash < 3; crash++) {
    await all[0].starts()
    clock.pass(2000)
    await all[0].moves({phase: 'backoff', failures: 1, until: 0, last: {kind: 'code', code: 1}})
  }
  t.same(told, [LATE])
  if (told.length > 0) await Promise.all(answers)
})

t.test('one whose new process does not even start is late, too', async t => {
  const {told, clock, ask} = shop()
  const answers = ask('restart')
  await settle()
  clock.pass(7999)
  t.same(told, [])
  clock.pass(1)
  await Promise.all(answers)
  t.same(told, [LATE])
})

t.test('the turn goes on when the instance that has it, or waits first, leaves the run', async t => {
  const {all, ask, owners, tried} = shop()
  const [a, second, third] = all
  void ask('restart')
  await a.starts()
  owners[1]?.end()
  t.same(tried(), [['restart'], [], []])
  owners[0]?.end()
  await third.comes('open')
  t.same(tried(), [['restart'], [], ['restart']])
  t.equal(second.queue.isOpen, true)
  t.notOk(owners.some(({isChanging}) => isChanging))
})
