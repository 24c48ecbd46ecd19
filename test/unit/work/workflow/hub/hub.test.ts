import t from 'tap'
import {callHub} from '../../../../../src/work/workflow/hub/hub.ts'
import {START_INSTANCE, TELL} from '../../../../../src/work/workflow/hub/hub-messages.ts'
import {encode} from '../../../../../src/proxy/net/grpc/message-codec.ts'
import {RUNNING, STALLED, SUSPENDED} from '../../../../../src/work/workflow/status.ts'
import {answer, call, openHouse, order, TestWorker} from '../../../../rig/workflow-house.ts'

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

t.test(
  'who suspends or resumes is answered once that was done, also where the opposite has come meanwhile',
  async t => {
    const {workflows} = await openHouse(t)
    workflows.connect('shop', new TestWorker())
    const tell = async (name: string): Promise<unknown> => {
      const asked = encode(TELL, {instanceId: 'o-1', text: undefined, isRecursive: false})
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
  }
)

t.test('who suspends an instance that stalls is told so', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1'))
  const asked = encode(TELL, {instanceId: 'o-1', text: undefined, isRecursive: false})
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
  const asked = encode(TELL, {instanceId: 'o-1', text: undefined, isRecursive: false})
  const answered = callHub(workflows, 'SuspendInstance', asked, {app: 'shop', trace: '', onGone: () => undefined})
  await workflows.settled()
  const big = {...call(0, 'a').scheduleTask, input: {value: 'x'.repeat(4000)}} as never
  const toSmall = {id: 0, scheduleTask: big, router: {sourceAppID: '', targetAppID: 'small'}}
  await workflows.completeTurn('shop', answer('o-1', [toSmall]))
  t.match(workflows.find('shop', 'o-1'), {status: STALLED})
  t.strictSame(await answered, new Uint8Array(0))
})
