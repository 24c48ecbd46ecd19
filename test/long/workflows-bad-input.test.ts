/** What workers and clients of workflows may send that no SDK sends, to the gRPC port of a run. */
import {Client, credentials, status} from '@grpc/grpc-js'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {decode, encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {
  INSTANCE_ID,
  LIST,
  LISTED,
  PURGE,
  PURGED,
  RAISE_EVENT,
  FOUND_INSTANCE,
  GET_INSTANCE,
  START_INSTANCE,
  TELL
} from '../../src/work/workflow/hub/hub-messages.ts'
import {ACTIVITY_ANSWER, TURN_ANSWER} from '../../src/work/workflow/messages.ts'
import {complete, instanceIn, openHub, startIn} from '../rig/hub.ts'
import {openRig} from '../rig/rig.ts'

t.setTimeout(180_000)

const METHODS = `StartInstance GetInstance WaitForInstanceStart WaitForInstanceCompletion RaiseEvent TerminateInstance
  SuspendInstance ResumeInstance PurgeInstances RerunWorkflowFromEvent ListInstanceIDs GetInstanceHistory CompleteWorkflowTask
  CompleteOrchestratorTask CompleteActivityTask`.split(/\s+/)
/** A field without a number, a length beyond the message, a text that ends too early, a group that nobody opened. */
const BROKEN = [[0x00, 1], [0x0a, 0xff, 0xff, 0xff, 0x7f], [0x0a, 5, 0x61], [0x0c]]
const COMPLETED = 1
const CONTINUED_AS_NEW = 2
const TERMINATED = 5
const STALLED = 8

t.test('what is no protobuf is refused by each method; answers to nothing, twice, and to another dispatch', async t => {
  const hub = await openHub(t)
  const {call} = hub
  const {started, turn} = await startIn(hub, 'o-1')
  for (const method of METHODS)
    for (const message of BROKEN) {
      const {code, text} = await call(method, Uint8Array.from(message))
      t.equal(code, status.INTERNAL, `${method}: ${text}`)
      t.notMatch(text, /\n {4}at /, method)
    }
  t.match(await call('StartEverything', new Uint8Array(0)), {code: status.UNIMPLEMENTED})
  t.equal((await call('CompleteWorkflowTask', complete('nobody', '1'))).code, 0, 'an unknown instance is ignored')
  const answer = encode(ACTIVITY_ANSWER, {instanceId: 'o-1', taskId: 77, result: {value: '1'}})
  t.equal((await call('CompleteActivityTask', answer)).code, 0, 'as is an activity that nobody has scheduled')
  const old = complete('o-1', '"old"', {completionToken: 'another'})
  t.equal((await call('CompleteWorkflowTask', old)).code, 0, 'and an answer to another dispatch')
  t.match(await instanceIn(hub, 'o-1'), {status: 6})
  const own = complete('o-1', '"done"', {completionToken: turn.token})
  t.equal((await call('CompleteWorkflowTask', own)).code, 0)
  t.equal((await call('CompleteWorkflowTask', complete('o-1', '"again"'))).code, 0, 'and a second one')
  t.match(await started, {code: 0})
  t.match(await instanceIn(hub, 'o-1'), {status: COMPLETED, output: {value: '"done"'}})
  const log = /workflow 'nobody' is ignored: it waits for none|activity 77 of workflow 'o-1' is ignored/
  await hub.rig.logged('shop', log)
  await hub.rig.logged('shop', /workflow 'o-1' is ignored: it is one to an earlier dispatch/)
})

t.test('payloads up to the limit of the app; beyond it an input is refused, and a history stalls', async t => {
  const hub = await openHub(t)
  const {call, rig} = hub
  const large = 'ä'.repeat(1_900_000)
  const {turn} = await startIn(hub, 'large', large)
  const began = turn.turn?.fresh.find(({executionStarted}) => executionStarted)?.executionStarted
  t.equal(began?.input?.value, large)
  await call('CompleteWorkflowTask', complete('large', large))
  const both = await call('GetInstance', encode(GET_INSTANCE, {instanceId: 'large', withPayloads: true}))
  t.match(both, {code: status.RESOURCE_EXHAUSTED, text: /larger than max/}, 'input and output together, as in Dapr')
  const {answer} = await call('GetInstance', encode(GET_INSTANCE, {instanceId: 'large'}))
  t.match(decode(FOUND_INSTANCE, answer).state, {status: COMPLETED})
  const over = {instanceId: 'over', name: 'order', input: {value: 'x'.repeat(4 << 20)}}
  t.match(await call('StartInstance', encode(START_INSTANCE, over)), {code: status.RESOURCE_EXHAUSTED})
  const near = {instanceId: 'near', name: 'order', input: {value: 'x'.repeat((4 << 20) - 1000)}}
  void call('StartInstance', encode(START_INSTANCE, near))
  await rig.logged('shop', /'near' is stalled: Workflow payload size \d+ bytes exceeds 95% of max gRPC body size/)
  t.match(await instanceIn(hub, 'near'), {status: STALLED})
  t.match(await call('TerminateInstance', encode(TELL, {instanceId: 'near'})), {code: 0})
  t.match(await instanceIn(hub, 'near'), {status: TERMINATED})
})

const same = (bytes: Buffer): Buffer => bytes

t.test('workflows with more data than a stream may have waiting all reach a worker that connects', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const {grpc: port} = await rig.pillion(['run', '-f', '.']).ports('shop')
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {'grpc.max_receive_message_length': -1})
  t.teardown(() => client.close())
  const call = async (method: string, message: Uint8Array): Promise<Buffer> =>
    new Promise(resolve => {
      const path = `/TaskHubSidecarService/${method}`
      client.makeUnaryRequest(path, same, same, Buffer.from(message), (_, answer = Buffer.alloc(0)) => resolve(answer))
    })
  const ids = Array.from({length: 10}, (_, index) => `large-${index}`)
  const input = {value: 'x'.repeat(2 << 20)}
  for (const instanceId of ids) {
    void call('StartInstance', encode(START_INSTANCE, {instanceId, name: 'order', input})) // answered after its first turn
    while ((await call('GetInstance', encode(INSTANCE_ID, {instanceId}))).length === 0) await pause(10)
  }
  const got = await new Promise<number | string>(resolve => {
    let count = 0
    client
      .makeServerStreamRequest('/TaskHubSidecarService/GetWorkItems', same, same, Buffer.alloc(0))
      .on('error', ({message}: Error) => resolve(message))
      .on('data', () => void (++count === ids.length && resolve(count)))
  })
  t.equal(got, ids.length)
})

t.test('ids of 10,000 bytes and of every character, in the hub and in verbs', async t => {
  const hub = await openHub(t)
  const {call, rig} = hub
  const escapes = '\u001B]52;c;aGk=\u0007\u001B[2J'
  const characters = String.fromCodePoint(...Array.from({length: 0x800}, (_, code) => code), 0x1f600)
  const ids = ['x'.repeat(10_000), characters, characters.slice(1), 'a\0b', 'a\0c', '../../x', escapes, '']
  for (const id of ids) {
    const {started, turn} = await startIn(hub, id)
    t.equal(turn.turn?.instanceId, id)
    await call('CompleteWorkflowTask', encode(TURN_ANSWER, {instanceId: id, actions: []}))
    t.match(await started, {code: 0})
    t.match(await call('RaiseEvent', encode(RAISE_EVENT, {instanceId: id, name: escapes})), {code: 0})
    await hub.item()
    await call('CompleteWorkflowTask', complete(id, '1'))
    t.match(await instanceIn(hub, id), {instanceId: id, status: COMPLETED})
  }
  const {answer} = await call('ListInstanceIDs', encode(LIST, {}))
  t.strictSame(decode(LISTED, answer).instanceIds, ids)
  for (const words of [['list'], ['history', escapes], ['timeline', characters.slice(1)]])
    t.match(await rig.run(['workflow', ...words]), {code: 0}, words.join(' '))
  for (const instanceId of ids) {
    const purged = await call('PurgeInstances', encode(PURGE, {instanceId}))
    t.equal(decode(PURGED, purged.answer).count, 1)
    t.match(await call('GetInstance', encode(INSTANCE_ID, {instanceId})), {answer: Buffer.alloc(0)})
  }
})

t.test('one that continues as new without an end leaves time for others, and may be terminated', async t => {
  const hub = await openHub(t)
  const {call, item} = hub
  void call('StartInstance', encode(START_INSTANCE, {instanceId: 'endless', name: 'loop'}))
  let rounds = 0
  const work = async (): Promise<void> => {
    for (;;) {
      const {turn} = await item()
      const {instanceId: id = '', fresh = []} = turn ?? {}
      if (id === 'endless') rounds++
      const isEnd = fresh.some(({executionTerminated}) => executionTerminated)
      const how = isEnd ? TERMINATED : id === 'endless' ? CONTINUED_AS_NEW : COMPLETED
      await call('CompleteWorkflowTask', complete(id, '1', {ended: how}))
    }
  }
  void work()
  const from = performance.now()
  for (let other = 0; other < 20; other++)
    await call('StartInstance', encode(START_INSTANCE, {instanceId: `other-${other}`, name: 'order'}))
  // between two rounds, or in the pause after twenty of them
  await call('TerminateInstance', encode(TELL, {instanceId: 'endless'}))
  const seconds = (performance.now() - from) / 1000
  t.ok(rounds <= 21 * (seconds + 2), `${rounds} rounds in ${seconds} s: it pauses after twenty`)
  t.match(await instanceIn(hub, 'endless'), {status: TERMINATED})
})
