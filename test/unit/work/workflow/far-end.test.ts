import t, {type Test} from 'tap'
import {DEFAULT_WORKFLOWS} from '../../../../src/files/resources/defaults.ts'
import {TERMINATED} from '../../../../src/work/workflow/status.ts'
import {answer, call, childOf, end, openHouse, order, TestWorker, type House} from '../../../rig/workflow-house.ts'

/** A run with an app, and a worker of that. */
async function runWith(t: Test, app: string): Promise<{readonly house: House; readonly worker: TestWorker}> {
  const house = await openHouse(t, undefined, {hasApp: each => each === app})
  const worker = new TestWorker(Infinity, app)
  house.workflows.connect(app, worker)
  return {house, worker}
}

t.test('a child in another run is ended though that run comes when the retention of its parent is over', async t => {
  const [{house: shop}, {house: bank, worker}] = [await runWith(t, 'shop'), await runWith(t, 'bank')]
  const quiet = async (): Promise<void> => {
    for (let round = 0; round < 10; round++)
      for (const {workflows} of [shop, bank]) {
        await new Promise(resolve => setImmediate(resolve))
        await workflows.settled()
      }
  }
  const pass = async (ms: number): Promise<void> => {
    shop.clock.pass(ms)
    await quiet()
  }
  const lend = (): (() => void) => {
    const onAnswer = (bytes: Uint8Array): void => void shop.workflows.completeFar('bank', bytes)
    const client = bank.workflows.remoteClients.register('bank', {onAnswer, end: () => undefined})
    const gone = shop.workflows.connectRun('bank', {send: item => void client.ask(item)})
    return () => {
      client.leave()
      gone()
    }
  }
  shop.settings = {...DEFAULT_WORKFLOWS, retention: {anyTerminal: 5000}}
  const leave = lend()
  await shop.workflows.start('shop', order())
  const router = {sourceAppID: '', targetAppID: 'bank'}
  await shop.workflows.completeTurn('shop', answer('o-1', [{id: 1, createChild: childOf('c-1'), router}]))
  await quiet()
  await bank.workflows.completeTurn('bank', answer('c-1', [call(1, 'charge')]))
  leave()
  worker.seen()
  await shop.workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  await shop.workflows.completeTurn('shop', answer('o-1', [end(TERMINATED)]))
  await pass(60_000)
  t.match(shop.workflows.find('shop', 'o-1'), {status: TERMINATED})
  lend()
  await quiet()
  t.match(worker.seen(), [/workflowStarted executionTerminated$/])
  await pass(4000)
  t.match(shop.workflows.find('shop', 'o-1'), {status: TERMINATED})
  await pass(2000)
  t.equal(shop.workflows.find('shop', 'o-1'), undefined, 'the policy removes it then')
})

t.test('the policy of a parent counts, too, once the app of a child that is to end comes to its run', async t => {
  const apps = new Set(['shop'])
  const house = await openHouse(t, undefined, {hasApp: app => apps.has(app)})
  const {workflows, clock} = house
  workflows.connect('shop', new TestWorker(Infinity, 'shop'))
  house.settings = {...DEFAULT_WORKFLOWS, retention: {anyTerminal: 5000}}
  await workflows.start('shop', order())
  const router = {sourceAppID: '', targetAppID: 'bank'}
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createChild: childOf('c-1'), router}]))
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  await workflows.completeTurn('shop', answer('o-1', [end(TERMINATED)]))
  clock.pass(60_000)
  await workflows.settled()
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED})
  apps.add('bank')
  workflows.connect('bank', new TestWorker(Infinity, 'bank'))
  await workflows.settled()
  clock.pass(6000)
  await workflows.settled()
  t.equal(workflows.find('shop', 'o-1'), undefined)
})
