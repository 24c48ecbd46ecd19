import t from 'tap'
import {callHub} from '../../../../../src/work/workflow/hub/hub.ts'
import {
  FOUND_INSTANCE,
  GET_INSTANCE,
  INSTANCE_ID,
  PURGE,
  PURGED,
  RAISE_EVENT,
  RERUN,
  START_INSTANCE,
  TELL,
  TERMINATE
} from '../../../../../src/work/workflow/hub/hub-messages.ts'
import {decode, encode} from '../../../../../src/proxy/net/grpc/message-codec.ts'
import type {Instance} from '../../../../../src/work/workflow/instance.ts'
import {PENDING, RUNNING, STALLED, SUSPENDED, TERMINATED} from '../../../../../src/work/workflow/status.ts'
import {answer, call, end, openHouse, order, TestWorker} from '../../../../rig/workflow-house.ts'

t.test('a method that there is not is refused, also where every object has one of its name', async t => {
  const {workflows} = await openHouse(t)
  const caller = {app: 'shop', trace: '', onGone: () => undefined}
  for (const name of ['Nothing', 'toString', 'constructor', 'hasOwnProperty', '__proto__', ''])
    t.strictSame(await callHub(workflows, name, new Uint8Array(0), caller), {
      code: 12,
      message: `unknown method ${name} for service TaskHubSidecarService`
    })
})

t.test('what cannot be read, or kept now, is a status of the call, and no error of the sidecar', async t => {
  const {workflows, file} = await openHouse(t)
  const caller = {app: 'shop', trace: '', onGone: () => undefined}
  const start = encode(START_INSTANCE, {instanceId: 'o-1', name: 'order'})
  for (const name of ['StartInstance', 'CompleteActivityTask'])
    t.match(await callHub(workflows, name, new Uint8Array([0xff]), caller), {code: 13, message: 'premature EOF'})
  file.database.exec('PRAGMA query_only = 1')
  t.match(await callHub(workflows, 'StartInstance', start, caller), {code: 13, message: /cannot be written/})
})

t.test('who suspends or resumes is answered once it is done, also where the opposite has come meanwhile', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const tell = async (name: string): Promise<unknown> => {
    const asked = encode(TELL, {instanceId: 'o-1', text: undefined})
    const answered = callHub(workflows, name, asked, {app: 'shop', trace: '', onGone: () => undefined})
    await workflows.settled()
    return answered
  }
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1'))
  for (const [names, status, turns] of [
    [['SuspendInstance', 'ResumeInstance'], RUNNING, 2],
    [['SuspendInstance'], SUSPENDED, 2],
    [['ResumeInstance', 'SuspendInstance'], SUSPENDED, 3]
  ] as const) {
    // what comes while a worker has a turn is in the next one; a suspension begins one
    await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'go', input: undefined}})
    let isAnswered = false
    const first = tell(names[0]).then(() => (isAnswered = true))
    await workflows.settled()
    if (names[1] !== undefined) await tell(names[1])
    t.notOk(isAnswered, `${names.join(', ')}: no worker has it yet`)
    for (let turn = 0; turn < turns; turn++) await workflows.completeTurn('shop', answer('o-1'))
    await first
    t.match(workflows.find('shop', 'o-1'), {status})
  }
})

t.test('who suspends an instance that stalls is told so', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1'))
  const asked = encode(TELL, {instanceId: 'o-1', text: undefined})
  const caller = {app: 'shop', trace: '', onGone: () => undefined}
  const answered = callHub(workflows, 'SuspendInstance', asked, caller)
  await workflows.settled()
  await t.rejects(workflows.completeTurn('shop', answer('o-1', [{id: 7}])), {name: 'DecodeError'})
  const soon = new Promise(resolve => setImmediate(resolve))
  t.match(await Promise.race([answered, soon]), {code: 2, message: /'o-1': actor is stalled/})
})

t.test('who suspends an instance that stalls as it hears of that is answered: it is suspended', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1'))
  const asked = encode(TELL, {instanceId: 'o-1', text: undefined})
  const answered = callHub(workflows, 'SuspendInstance', asked, {app: 'shop', trace: '', onGone: () => undefined})
  await workflows.settled()
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  const toSmall = {id: 0, scheduleTask: big, router: {sourceAppID: '', targetAppID: 'small'}}
  await workflows.completeTurn('shop', answer('o-1', [toSmall]))
  t.match(workflows.find('shop', 'o-1'), {status: STALLED})
  t.strictSame(await answered, new Uint8Array(0))
})

t.test('the router of a request names the app whose instance it means', async t => {
  const house = await openHouse(t)
  const {workflows} = house
  workflows.connect('bank', new TestWorker(Infinity, 'bank'))
  await workflows.start('shop', order('p-1'))
  const ask = async (name: string, message: Uint8Array, app = 'shop'): Promise<Uint8Array> => {
    const answered = await callHub(workflows, name, message, {app, trace: '', onGone: () => undefined})
    if (!(answered instanceof Uint8Array)) throw new Error(`${name}: ${answered.message}`)
    return answered
  }
  const router = {sourceAppID: '', targetAppID: 'bank'}
  const meant = {instanceId: 'p-1', router}
  const turn = async (): Promise<void> => {
    await workflows.settled()
    await workflows.completeTurn('bank', answer('p-1'))
  }
  const [id] = await Promise.all([ask('StartInstance', encode(START_INSTANCE, {...meant, name: 'pay'})), turn()])
  t.match(decode(INSTANCE_ID, id), {instanceId: 'p-1'})
  const bank = (): Instance | undefined => workflows.find('bank', 'p-1')
  t.match(bank(), {name: 'pay', status: RUNNING})
  const begun = [bank() ?? []]
    .flat()
    .flatMap(each => workflows.events(each))
    .find(each => each.executionStarted)
  t.match(begun?.router, {sourceAppID: 'shop', targetAppID: 'bank'})
  for (const name of ['GetInstance', 'WaitForInstanceStart'])
    t.match(decode(FOUND_INSTANCE, await ask(name, encode(GET_INSTANCE, meant))), {state: {name: 'pay'}}, name)
  await ask('RaiseEvent', encode(RAISE_EVENT, {...meant, name: 'go', input: undefined}))
  await turn()
  await Promise.all([ask('SuspendInstance', encode(TELL, meant)), turn()])
  t.match(bank(), {status: SUSPENDED})
  await Promise.all([ask('ResumeInstance', encode(TELL, meant)), turn()])
  t.match(bank(), {status: RUNNING})
  await Promise.all([ask('TerminateInstance', encode(TERMINATE, meant)), turn()])
  t.match(bank(), {status: TERMINATED})
  const done = await ask('WaitForInstanceCompletion', encode(GET_INSTANCE, meant))
  t.match(decode(FOUND_INSTANCE, done), {state: {status: TERMINATED}})
  t.match(decode(PURGED, await ask('PurgeInstances', encode(PURGE, meant))), {count: 1})
  t.equal(bank(), undefined)

  await workflows.start('bank', order('p-1'))
  await workflows.completeTurn('bank', answer('p-1', [call(0, 'charge'), end()]))
  const rerun = encode(RERUN, {source: 'p-1', eventId: 0, newId: 'p-2', input: undefined, router})
  t.match(decode(INSTANCE_ID, await ask('RerunWorkflowFromEvent', rerun)), {instanceId: 'p-2'})
  t.match(workflows.find('bank', 'p-2'), {name: 'order'})
  t.match(workflows.find('shop', 'p-1'), {name: 'order', status: PENDING}, 'the own instance of this ID is as it was')

  house.isAllowed = (app, {caller, operation}) => app === caller || operation === 'get'
  t.match(decode(FOUND_INSTANCE, await ask('GetInstance', encode(GET_INSTANCE, meant))), {exists: true})
  await t.rejects(
    ask('RaiseEvent', encode(RAISE_EVENT, {...meant, name: 'go'})),
    /access denied by workflow access policy/
  )
  const dotted = {...meant, router: {sourceAppID: '', targetAppID: 'a.b'}}
  await t.rejects(ask('GetInstance', encode(GET_INSTANCE, dotted)), /workflow app ID 'a\.b' is invalid/)
})
