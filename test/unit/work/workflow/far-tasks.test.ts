import {join} from 'node:path'
import t, {type Test} from 'tap'
import {
  answer,
  call,
  childOf,
  done,
  end,
  openHouse,
  order,
  TestWorker,
  type House
} from '../../../rig/workflow-house.ts'
import type {Event} from '../../../../src/work/workflow/messages.ts'
import {DEFAULT_WORKFLOWS} from '../../../../src/files/resources/defaults.ts'
import {failureOf} from '../../../../src/work/workflow/failure.ts'
import {COMPLETED, CONTINUED_AS_NEW, STALLED, TERMINATED} from '../../../../src/work/workflow/status.ts'

const far = {sourceAppID: '', targetAppID: 'bank'}
const child = (id: number, name = 'pay'): object => ({
  id,
  createChild: childOf('c-1', name, {value: '7'}),
  router: far
})

const detached = (id: number, instanceId: string): object => {
  const none = {version: undefined, input: undefined, scheduledStart: undefined, parentTraceContext: undefined}
  return {id, createDetached: {instanceId, name: 'pay', ...none}, router: far}
}

interface Side {
  readonly house: House
  readonly worker: TestWorker
}

/** A run with an app, and a worker of that. */
async function side(t: Test, app: string, path?: string): Promise<Side> {
  const house = await openHouse(t, path, {hasApp: each => each === app})
  const worker = new TestWorker(Infinity, app)
  house.workflows.connect(app, worker)
  return {house, worker}
}

/** The other run does what workflows of the shop's ask for, until the returned function is called. */
function lend({house: shop}: Side, {house: bank}: Side, app = 'bank'): () => void {
  const client = bank.workflows.remoteClients.register(app, {
    onAnswer: bytes => void shop.workflows.completeFar(app, bytes),
    end: () => leave()
  })
  const gone = shop.workflows.connectRun(app, {send: item => void client.ask(item)})
  const leave = (): void => {
    client.leave()
    gone()
  }
  return leave
}

/** Who asks the shop's run for the end of a workflow asks the bank's for that of its children there. */
function purging({house: shop}: Side, {house: bank}: Side): void {
  shop.purgeFar = async (child, isForced) => bank.workflows.purgeChild(child, isForced)
}

const quiet = async (...sides: readonly Side[]): Promise<void> => {
  for (let round = 0; round < 10; round++)
    for (const {house} of sides) {
      await new Promise(resolve => setImmediate(resolve))
      await house.workflows.settled()
    }
}

t.test(
  'an activity and a child of an app of another run: both are done there, and what came of them is told',
  async t => {
    const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
    lend(shop, bank)
    await shop.house.workflows.start('shop', order())
    shop.worker.seen()
    await shop.house.workflows.completeTurn('shop', answer('o-1', [call(1, 'charge', 'bank'), child(2)]))
    await quiet(shop, bank)
    t.strictSame(bank.worker.seen(), ['charge 1', 'c-1: | workflowStarted executionStarted'])
    t.match(bank.house.workflows.find('bank', 'c-1'), {
      name: 'pay',
      input: '7',
      parent: {app: 'shop', id: 'o-1', task: 2}
    })
    await bank.house.workflows.completeActivity('bank', done('o-1', 1))
    await bank.house.workflows.completeTurn('bank', answer('c-1', [end(COMPLETED, '"paid"')]))
    await quiet(shop, bank)
    const came: Event[] = []
    const hear = (): unknown => came.push(...shop.worker.items.splice(0).flatMap(({turn}) => turn?.fresh ?? []))
    hear()
    await shop.house.workflows.completeTurn('shop', answer('o-1', []))
    await quiet(shop, bank)
    hear()
    t.match(
      came.find(event => event.taskCompleted),
      {taskCompleted: {taskScheduledId: 1, result: {value: '2'}}}
    )
    t.match(
      came.find(event => event.childCompleted),
      {
        childCompleted: {taskScheduledId: 2, result: {value: '"paid"'}},
        router: {sourceAppID: 'bank', targetAppID: 'shop'}
      }
    )
    t.strictSame([...shop.house.said, ...bank.house.said], [])
  }
)

t.test('whichever of the two runs ends, the other waits: it is asked again, and a child is begun once', async t => {
  const folder = t.testdir()
  const paths = [`${folder}/shop.db`, `${folder}/bank.db`] as const
  let [shop, bank] = [await side(t, 'shop', paths[0]), await side(t, 'bank', paths[1])]
  let leave = lend(shop, bank)
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [call(1, 'charge', 'bank'), child(2)]))
  await quiet(shop, bank)
  t.equal(bank.worker.seen().length, 2)
  // the bank's run is killed: what was not answered is asked of the next one
  leave()
  bank.house.close()
  bank = await side(t, 'bank', paths[1])
  leave = lend(shop, bank)
  await quiet(shop, bank)
  t.strictSame(bank.worker.seen().toSorted(), ['c-1: | workflowStarted executionStarted', 'charge 1'])
  t.equal(bank.house.workflows.list('bank', 0, 10).length, 1)
  // the shop's run is killed: the child ends meanwhile
  leave()
  shop.house.close()
  await bank.house.workflows.completeTurn('bank', answer('c-1', [end(COMPLETED, '"paid"')]))
  await bank.house.workflows.completeActivity('bank', done('o-1', 1))
  shop = await side(t, 'shop', paths[0])
  await quiet(shop, bank)
  t.strictSame(shop.worker.seen(), [])
  lend(shop, bank)
  await quiet(shop, bank)
  t.strictSame(bank.worker.seen(), ['charge 1'], 'nobody has heard of its result')
  t.match(shop.worker.seen(), [/workflowStarted childCompleted$/])
  await bank.house.workflows.completeActivity('bank', done('o-1', 1))
  await shop.house.workflows.completeTurn('shop', answer('o-1'))
  await quiet(shop, bank)
  t.match(shop.worker.seen(), [/workflowStarted taskCompleted$/])
  t.equal(bank.house.workflows.list('bank', 0, 10).length, 1)
  t.equal(shop.house.file.database.prepare('SELECT count(*) AS count FROM activities').get()?.['count'], 0)
})

t.test('a termination reaches a child in another run, also one that was not there when it was said', async t => {
  for (const isThere of [true, false]) {
    const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
    let leave = lend(shop, bank)
    await shop.house.workflows.start('shop', order())
    await shop.house.workflows.completeTurn('shop', answer('o-1', [child(2)]))
    await quiet(shop, bank)
    await bank.house.workflows.completeTurn('bank', answer('c-1'))
    if (!isThere) leave()
    await shop.house.workflows.tell('shop', 'o-1', 'terminate', {
      executionTerminated: {input: {value: '"enough"'}, recurse: true}
    })
    await shop.house.workflows.completeTurn('shop', answer('o-1', [end(TERMINATED, '"enough"')]))
    await quiet(shop, bank)
    if (!isThere) leave = lend(shop, bank)
    await quiet(shop, bank)
    t.match(bank.worker.seen().at(-1), /executionTerminated$/)
    await bank.house.workflows.completeTurn('bank', answer('c-1', [end(TERMINATED, '"enough"')]))
    await quiet(shop, bank)
    t.match(bank.house.workflows.find('bank', 'c-1'), {status: TERMINATED, output: '"enough"'})
    t.equal(shop.house.file.database.prepare('SELECT count(*) AS count FROM activities').get()?.['count'], 0)
    leave()
  }
})

t.test(
  'a detached workflow is begun in another run that comes later, whatever has become of who asked for it',
  async t => {
    const path = join(t.testdir(), 'work.db')
    const before = await side(t, 'shop', path)
    const {workflows} = before.house
    await workflows.start('shop', order())
    await workflows.completeTurn('shop', answer('o-1', [detached(0, 'd-1'), detached(1, 'd-2')]))
    await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
    await workflows.completeTurn('shop', answer('o-1', [end(CONTINUED_AS_NEW, '1')]))
    await workflows.completeTurn('shop', answer('o-1', [detached(0, 'd-3'), end()]))
    await workflows.start('shop', order())
    await workflows.completeTurn('shop', answer('o-1', [detached(0, 'd-4'), end()]))
    await workflows.purge('shop', 'o-1', {isRecursive: true, isForced: false})
    before.house.close()
    const [shop, bank] = [await side(t, 'shop', path), await side(t, 'bank')]
    lend(shop, bank)
    await quiet(shop, bank)
    t.strictSame(
      bank.worker.seen().map(each => each.split(':')[0]),
      ['d-1', 'd-2', 'd-3', 'd-4']
    )
    lend(shop, bank)()
    await quiet(shop, bank)
    t.strictSame([bank.worker.seen(), await shop.house.workflows.quiet(0)], [[], true], 'once')
  }
)

t.test('a purge removes children in another run, with those below them; gone ones are none', async t => {
  const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
  const gently = {isRecursive: true, isForced: false}
  const ids = (): readonly string[] => bank.house.workflows.list('bank', 0, 10).map(({id}) => id)
  lend(shop, bank)
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [child(2), end()]))
  await quiet(shop, bank)
  const below = childOf('c-2', 'book')
  await bank.house.workflows.completeTurn('bank', answer('c-1', [{id: 1, createChild: below}, end()]))
  await bank.house.workflows.start('bank', order('own'))
  await quiet(shop, bank)
  await t.rejects(shop.house.workflows.purge('shop', 'o-1', gently), {
    message: `failed to purge child workflow "c-1": no run has its app 'bank' now`
  })
  purging(shop, bank)
  await t.rejects(shop.house.workflows.purge('shop', 'o-1', gently), {message: /has not yet completed$/}, 'c-2 runs')
  t.strictSame([...ids()], ['c-1', 'c-2', 'own'])
  t.ok(shop.house.workflows.find('shop', 'o-1'))
  await bank.house.workflows.completeTurn('bank', answer('c-2', [end()]))
  bank.house.isAllowed = (app, {operation}) => !(app === 'bank' && operation === 'purge')
  await t.rejects(shop.house.workflows.purge('shop', 'o-1', gently), {
    message: /access denied by workflow access policy/
  })
  bank.house.isAllowed = () => true
  t.equal(await shop.house.workflows.purge('shop', 'o-1', gently), 3)
  t.strictSame([ids(), shop.house.workflows.find('shop', 'o-1')], [['own'], undefined])
  // the child is gone already, and another one has its id
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [child(2), end()]))
  await quiet(shop, bank)
  await bank.house.workflows.purge('bank', 'c-1', {isRecursive: true, isForced: true})
  await bank.house.workflows.start('bank', order('c-1'))
  t.equal(await shop.house.workflows.purge('shop', 'o-1', gently), 1)
  t.strictSame([...ids()], ['own', 'c-1'])
  // by force also what runs, and without those that nobody can be asked for
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [child(2)]))
  shop.house.purgeFar = async () => Promise.resolve(undefined)
  t.equal(await shop.house.workflows.purge('shop', 'o-1', {isRecursive: true, isForced: true}), 1)
  t.strictSame(shop.house.said, ["shop: workflow 'c-1' is not removed: no run has its app 'bank' now"])
})

t.test('an ID is free again when all below it is over, in other runs, too', async t => {
  const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
  lend(shop, bank)
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [child(2), end()]))
  await quiet(shop, bank)
  await t.rejects(shop.house.workflows.start('shop', order()), {
    message: "cannot recreate workflow with ID 'o-1': child workflow 'c-1': orchestration has not yet completed"
  })
  await bank.house.workflows.completeTurn('bank', answer('c-1', [end()]))
  await quiet(shop, bank)
  await shop.house.workflows.start('shop', order())
  t.match(shop.house.workflows.find('shop', 'o-1'), {status: 6})
})

t.test('what the other run refuses fails: a policy, an ID that is taken, an input that is too large', async t => {
  const [shop, bank, small] = [await side(t, 'shop'), await side(t, 'bank'), await side(t, 'small')]
  bank.house.isAllowed = (app, {caller, kind}) => !(app === 'bank' && caller === 'shop' && kind === 'activities')
  lend(shop, bank)
  lend(shop, small, 'small')
  const large = call(3, 'pack', 'small')
  Object.assign(large.scheduleTask ?? {}, {input: {value: 'x'.repeat(5000)}})
  await bank.house.workflows.start('bank', order('c-1'))
  await shop.house.workflows.start('shop', order())
  shop.worker.items.length = 0
  await shop.house.workflows.completeTurn('shop', answer('o-1', [call(1, 'charge', 'bank'), child(2), large]))
  await quiet(shop, bank)
  t.match(bank.house.said, [
    /^bank: workflow access policy denied app 'shop' operation 'schedule' on activity 'charge'/
  ])
  for (const _ of ['of the second', 'of the third']) {
    await shop.house.workflows.completeTurn('shop', answer('o-1', []))
    await quiet(shop, bank)
  }
  const failures = shop.worker.items
    .flatMap(({turn}) => turn?.fresh ?? [])
    .flatMap(({taskFailed, childFailed}) => taskFailed ?? childFailed ?? [])
    .map(({failureDetails}) => failureOf(failureDetails).type)
  t.strictSame(failures.toSorted(), [
    'PayloadSizeExceeded',
    'WorkflowAccessPolicyDenied',
    'WorkflowInstanceAlreadyExists'
  ])
  t.match(bank.house.workflows.find('bank', 'c-1'), {parent: undefined})
})

t.test('two instances of one ID that ask for a task of the same number are done one after the other', async t => {
  const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
  lend(shop, bank)
  await bank.house.workflows.start('bank', order())
  await bank.house.workflows.completeTurn('bank', answer('o-1', [call(1, 'own')]))
  bank.worker.seen()
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [call(1, 'charge', 'bank')]))
  await quiet(shop, bank)
  t.strictSame(bank.worker.seen(), [])
  shop.worker.seen()
  await bank.house.workflows.completeActivity('bank', done('o-1', 1))
  await quiet(shop, bank)
  t.match(bank.worker.seen().toSorted(), ['charge 1', /taskCompleted$/])
  t.strictSame(shop.worker.seen(), [])
  await bank.house.workflows.completeActivity('bank', done('o-1', 1))
  await quiet(shop, bank)
  t.match(shop.worker.seen(), [/taskCompleted$/])
})

t.test('an app that the template gets later does itself what waited for another run', async t => {
  const shop = await side(t, 'shop')
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [call(1, 'charge', 'bank'), child(2)]))
  t.equal(shop.house.said.length, 2)
  shop.house.hasApp = () => true
  const worker = new TestWorker(Infinity, 'bank')
  shop.house.workflows.connect('bank', worker)
  await quiet(shop)
  t.strictSame(worker.seen().toSorted(), ['c-1: | workflowStarted executionStarted', 'charge 1'])
  t.match(shop.house.workflows.find('bank', 'c-1'), {name: 'pay', parent: {app: 'shop'}})
})

t.test(
  'the ID of one that was terminated while it was stalled is free once its child in another run is over',
  async t => {
    const [small, bank] = [await side(t, 'small'), await side(t, 'bank')]
    const {workflows} = small.house
    const leave = lend(small, bank)
    await workflows.start('small', order())
    await workflows.completeTurn('small', answer('o-1', [child(2)]))
    await quiet(small, bank)
    await workflows.tell('small', 'o-1', 'event', {eventRaised: {name: 'x', input: {value: 'x'.repeat(5000)}}})
    t.match(workflows.find('small', 'o-1'), {status: STALLED})
    await workflows.tell('small', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
    t.match(workflows.find('small', 'o-1'), {status: TERMINATED})
    await t.rejects(workflows.start('small', order()), {message: /child workflow 'c-1'/})
    leave()
    lend(small, bank)
    await quiet(small, bank)
    await bank.house.workflows.completeTurn('bank', answer('c-1', [end()]))
    await quiet(small, bank)
    await workflows.start('small', order())
  }
)

t.test('what waits for an app that leaves the template is asked of another run that has it', async t => {
  const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
  shop.house.hasApp = () => true
  lend(shop, bank)
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [call(1, 'charge', 'bank')]))
  await quiet(shop, bank)
  t.strictSame(bank.worker.seen(), [])
  shop.house.hasApp = app => app === 'shop'
  shop.house.workflows.mayTakeMore()
  await quiet(shop, bank)
  t.strictSame(bank.worker.seen(), ['charge 1'])
  await bank.house.workflows.completeActivity('bank', done('o-1', 1))
  await quiet(shop, bank)
  t.match(shop.worker.seen().at(-1), /workflowStarted taskCompleted$/)
})

t.test('a child that is over is kept until the other run has heard of it: asked again, it would run twice', async t => {
  const [shop, bank] = [await side(t, 'shop'), await side(t, 'bank')]
  const {workflows, clock} = bank.house
  bank.house.settings = {...DEFAULT_WORKFLOWS, retention: {anyTerminal: 5000}}
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.pass(1000)
      await quiet(shop, bank)
    }
  }
  const leave = lend(shop, bank)
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [child(1)]))
  await quiet(shop, bank)
  leave()
  await workflows.completeTurn('bank', answer('c-1', [end(COMPLETED, '"paid"')]))
  await pass(60)
  t.match(workflows.find('bank', 'c-1'), {status: COMPLETED}, 'the other run is not there')
  // it is killed before it has kept the answer
  const client = workflows.remoteClients.register('bank', {onAnswer: () => client.leave(), end: () => undefined})
  shop.house.workflows.connectRun('bank', {send: item => void client.ask(item)})()
  await pass(60)
  t.match(workflows.find('bank', 'c-1'), {status: COMPLETED}, 'it may not have kept the answer')
  bank.worker.seen()
  lend(shop, bank)
  await quiet(shop, bank)
  t.strictSame(bank.worker.seen(), [], 'it does not run again')
  await shop.house.workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(shop.house.workflows.find('shop', 'o-1'), {status: COMPLETED})
  await pass(60)
  t.equal(workflows.find('bank', 'c-1'), undefined, 'the policy removes it then')
})
