import t, {type Test} from 'tap'
import {COMPLETED} from '../../../../src/work/workflow/status.ts'
import {answer, end, openHouse, order, TestWorker, type House} from '../../../rig/workflow-house.ts'

/** A run with an app, and a worker of that. */
async function runWith(t: Test, app: string): Promise<{readonly house: House; readonly worker: TestWorker}> {
  const house = await openHouse(t, undefined, {hasApp: each => each === app})
  const worker = new TestWorker(Infinity, app)
  house.workflows.connect(app, worker)
  return {house, worker}
}

const detached = (id: number): object => {
  const none = {version: undefined, input: undefined, scheduledStart: undefined, parentTraceContext: undefined}
  return {id, createDetached: {instanceId: 'd-1', name: 'pay', ...none}, router: {sourceAppID: '', targetAppID: 'bank'}}
}

t.test('a detached workflow that is over does not run again where the other run had lost the answer', async t => {
  const [shop, bank] = [await runWith(t, 'shop'), await runWith(t, 'bank')]
  const quiet = async (): Promise<void> => {
    for (let round = 0; round < 10; round++)
      for (const {house} of [shop, bank]) {
        await new Promise(resolve => setImmediate(resolve))
        await house.workflows.settled()
      }
  }
  /** The bank's run does what the shop's asks for; `answered` gets its answers. */
  const lend = (answered: (bytes: Uint8Array) => void): (() => void) => {
    const client = bank.house.workflows.remoteClients.register('bank', {onAnswer: answered, end: () => undefined})
    const gone = shop.house.workflows.connectRun('bank', {send: item => void client.ask(item)})
    return () => {
      client.leave()
      gone()
    }
  }
  await shop.house.workflows.start('shop', order())
  await shop.house.workflows.completeTurn('shop', answer('o-1', [detached(0)]))
  const leave = lend(() => undefined)
  await quiet()
  t.match(bank.worker.seen(), [/^d-1:/])
  leave()
  await bank.house.workflows.completeTurn('bank', answer('d-1', [end(COMPLETED, '"paid"')]))
  lend(bytes => void shop.house.workflows.completeFar('bank', bytes))
  await quiet()
  t.same(bank.worker.seen(), [])
  t.match(bank.house.workflows.find('bank', 'd-1'), {status: COMPLETED})
  await shop.house.workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
  await shop.house.workflows.completeTurn('shop', answer('o-1', [detached(1)]))
  await quiet()
  t.match(bank.worker.seen(), [/^d-1:/], 'another one of its ID begins')
})
