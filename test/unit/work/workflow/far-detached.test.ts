import t, {type Test} from 'tap'
import {DEFAULT_WORKFLOWS} from '../../../../src/files/resources/defaults.ts'
import {COMPLETED, CONTINUED_AS_NEW} from '../../../../src/work/workflow/status.ts'
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

/** How many requests a run keeps to know them again. */
const noted = ({house}: {readonly house: House}): unknown =>
  house.file.database.prepare('SELECT count(*) AS count FROM begun').get()?.['count']

interface Runs {
  readonly shop: Awaited<ReturnType<typeof runWith>>
  readonly bank: Awaited<ReturnType<typeof runWith>>
  readonly quiet: () => Promise<void>
  /** The bank's run does what the shop's asks for; `answered` gets its answers. */
  readonly lend: (answered: (bytes: Uint8Array) => void) => () => void
}

/** Two runs; the shop's has asked the bank's for `d-1`, which has begun, and has not heard its answer. */
async function askedOnce(t: Test): Promise<Runs> {
  const [shop, bank] = [await runWith(t, 'shop'), await runWith(t, 'bank')]
  const quiet = async (): Promise<void> => {
    for (let round = 0; round < 10; round++)
      for (const {house} of [shop, bank]) {
        await new Promise(resolve => setImmediate(resolve))
        await house.workflows.settled()
      }
  }
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
  return {shop, bank, quiet, lend}
}

/** The shop's run asks for it again, and hears the answer. */
async function askAgain({shop, quiet, lend}: Runs): Promise<void> {
  lend(bytes => void shop.house.workflows.completeFar('bank', bytes))
  await quiet()
}

t.test('a detached workflow that is over does not run again where the other run had lost the answer', async t => {
  const runs = await askedOnce(t)
  const {shop, bank, quiet} = runs
  await bank.house.workflows.completeTurn('bank', answer('d-1', [end(COMPLETED, '"paid"')]))
  await askAgain(runs)
  t.same(bank.worker.seen(), [])
  t.match(bank.house.workflows.find('bank', 'd-1'), {status: COMPLETED})
  await shop.house.workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
  await shop.house.workflows.completeTurn('shop', answer('o-1', [detached(1)]))
  await quiet()
  t.match(bank.worker.seen(), [/^d-1:/], 'another one of its ID begins')
  t.equal(noted(bank), 2)
  bank.house.clock.pass(10_000)
  await quiet()
  t.equal(noted(bank), 0, 'the other run has kept the answers')
})

t.test('nor does one that was removed since, at the end of its retention', async t => {
  const runs = await askedOnce(t)
  const {bank} = runs
  bank.house.settings = {...DEFAULT_WORKFLOWS, retention: {anyTerminal: 5000}}
  await bank.house.workflows.completeTurn('bank', answer('d-1', [end(COMPLETED, '"paid"')]))
  bank.house.clock.pass(5000)
  await bank.house.workflows.settled()
  t.equal(bank.house.workflows.find('bank', 'd-1'), undefined)
  await askAgain(runs)
  t.same(bank.worker.seen(), [])
  t.equal(bank.house.workflows.find('bank', 'd-1'), undefined)
})

t.test('nor one that has continued as new, whether it is over or not', async t => {
  for (const isOver of [false, true]) {
    const runs = await askedOnce(t)
    const {bank} = runs
    await bank.house.workflows.completeTurn('bank', answer('d-1', [end(CONTINUED_AS_NEW)]))
    t.match(bank.worker.seen(), [/^d-1:/])
    if (isOver) await bank.house.workflows.completeTurn('bank', answer('d-1', [end(COMPLETED, '"paid"')]))
    await askAgain(runs)
    t.same(bank.worker.seen(), [])
    t.same(bank.house.said, [], 'nothing has gone wrong')
  }
})

t.test('a request whose answer was never heard is forgotten after a week', async t => {
  const {shop, bank, quiet, lend} = await askedOnce(t)
  t.equal(noted(bank), 1)
  bank.house.clock.pass(7 * 86_400_000 + 1)
  await bank.house.workflows.completeTurn('bank', answer('d-1', [end(COMPLETED, '"paid"')]))
  await shop.house.workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
  await shop.house.workflows.completeTurn('shop', answer('o-1', [detached(1)]))
  lend(() => undefined)
  await quiet()
  t.match(bank.worker.seen(), [/^d-1:/])
  t.equal(noted(bank), 1, 'that of the second one')
})
