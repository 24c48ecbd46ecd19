import t from 'tap'
import {FIRING_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/actor-firings.ts'
import {ACTOR_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/actors.ts'
import {BINDING_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/bindings.ts'
import {CONVERSATION_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/conversation.ts'
import {JOB_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/jobs.ts'
import {LOCK_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/lock.ts'
import {STATE_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/state.ts'
import type {BlockOperation} from '../../../../../src/dapr/sidecar/operations/operation.ts'
import type {Blocks} from '../../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {BlockRequest} from '../../../../../src/dapr/sidecar/operations/block-request.ts'

/** What an operation makes of a body: the call of its block, or the error of the caller. */
async function callOf({http}: BlockOperation, body: string, query = ''): Promise<unknown> {
  let called: unknown
  const note = async (...given: unknown[]): Promise<unknown> => {
    called = given
    return []
  }
  const ask = async (_: unknown, question: unknown): Promise<unknown> => {
    called = question
    return {choices: []}
  }
  const blocks = {
    locks: {lock: note},
    state: {bulkGet: note, save: note, transact: note, check: async () => undefined},
    bindings: {invoke: async (...given: unknown[]) => ({metadata: {}, given: await note(...given)})},
    actorFirings: {setReminder: note},
    actorState: {transact: note},
    jobs: {schedule: note},
    conversations: {find: async () => ({model: {model: ''}}), ask, context: {observer: undefined}}
  }
  const request: BlockRequest = {
    protocol: 'HTTP/1.1',
    params: ['it'],
    query,
    lines: '',
    trace: '',
    body: Buffer.from(body),
    onGone: () => undefined
  }
  await http?.(blocks as unknown as Blocks, request)
  return called
}

const errorOf = async (operation: BlockOperation, body: string): Promise<unknown> =>
  callOf(operation, body).catch((error: unknown) => error)

const REFUSED = {status: 400, errorCode: 'ERR_MALFORMED_REQUEST'}

t.test('whole numbers of 32 bits, also as texts; names in either form', async t => {
  const {TryLock} = LOCK_OPERATIONS
  const wanted = {resourceId: 'a', lockOwner: 'b', expiryInSeconds: 10}
  for (const body of [
    '{"resourceId":"a","lockOwner":"b","expiryInSeconds":10}',
    '{"resource_id":"a","lock_owner":"b","expiry_in_seconds":"10"}'
  ])
    t.match(await callOf(TryLock, body), ['it', wanted])
  for (const wrong of ['1.5', '1e300', '2147483648', '"x"', '""', 'true'])
    t.match(await errorOf(TryLock, `{"expiryInSeconds":${wrong}}`), REFUSED)
})

t.test('a parallelism that is no whole number is refused: no key would be read', async t => {
  const {GetBulkState} = STATE_OPERATIONS
  t.match(await callOf(GetBulkState, '{"keys":["a"],"parallelism":2}'), ['it', ['a'], {parallelism: 2}])
  for (const wrong of ['0.5', '1e300', '"2"'])
    t.match(await errorOf(GetBulkState, `{"keys":["a"],"parallelism":${wrong}}`), REFUSED)
})

t.test('the failure policy of a job', async t => {
  const {ScheduleJob} = JOB_OPERATIONS
  const withPolicy = async (policy: string): Promise<unknown> =>
    errorOf(ScheduleJob, `{"schedule":"@yearly","repeats":"3","failure_policy":${policy}}`)
  t.match(await withPolicy('{"constant":{"interval":"1.5s","max_retries":2}}'), [
    {name: 'it', schedule: '@yearly', repeats: 3, policy: {kind: 'constant', intervalMs: 1500, maxRetries: 2}}
  ])
  t.match(await withPolicy('{"drop":{}}'), [{policy: {kind: 'drop'}}])
  t.match(await withPolicy('null'), [{policy: undefined}])
  for (const wrong of [
    '{"drop":{},"constant":{}}',
    '{"constant":{"interval":"1m"}}',
    `{"constant":{"interval":"${'9'.repeat(400)}s"}}`,
    '{"constant":{"interval":"315576000001s"}}',
    '{"constant":{"maxRetries":-1}}'
  ])
    t.match(await withPolicy(wrong), REFUSED, wrong)
})

t.test('a role that no model has is that of a user, also one that objects inherit', async t => {
  for (const role of ['constructor', '__proto__', 'unknown'])
    t.match(await callOf(CONVERSATION_OPERATIONS.ConverseAlpha1, `{"inputs":[{"content":"a","role":"${role}"}]}`), {
      messages: [{role: 'user'}]
    })
})

t.test('metadata in the query of a transaction take precedence over those of items, as in a save', async t => {
  const {SaveState, ExecuteStateTransaction} = STATE_OPERATIONS
  const item = '{"key":"a","value":1,"metadata":{"ttlInSeconds":"100","other":"b"}}'
  const query = '?metadata.ttlInSeconds=5'
  const metadata = {ttlInSeconds: '5', other: 'b'}
  t.match(await callOf(SaveState, `[${item}]`, query), ['it', [{metadata}]])
  const steps = `{"operations":[{"operation":"upsert","request":${item}}]}`
  t.match(await callOf(ExecuteStateTransaction, steps, query), ['it', [{request: {metadata}}]])
})

t.test('keys are found in any capitals, as Go finds them: those of .NET begin with one', async t => {
  const {SaveState, GetBulkState, ExecuteStateTransaction} = STATE_OPERATIONS
  const item = '{"Key":"a","Value":{"B":1},"Etag":"2","Metadata":{"C":"d"},"Options":{"Concurrency":"first-write"}}'
  const read = {key: 'a', etag: '2', metadata: {C: 'd'}, concurrency: 'first-write'}
  const isValue = ({value}: {value: Buffer}, text: string) => t.equal(value.toString(), text)
  const [, [saved]] = (await callOf(SaveState, `[${item}]`)) as [string, [{value: Buffer}]]
  t.match(saved, read)
  isValue(saved, '{"B":1}')
  t.match(await callOf(GetBulkState, '{"Keys":["a"],"Parallelism":2}'), ['it', ['a'], {parallelism: 2}])
  const steps = `{"Operations":[{"Operation":"upsert","Request":${item}}]}`
  const [, [step]] = (await callOf(ExecuteStateTransaction, steps)) as [string, [{request: {value: Buffer}}]]
  t.match(step, {operation: 'upsert', request: read})
  isValue(step.request, '{"B":1}')
  const asked = '{"Operation":"create","Data":{"B":1},"Metadata":{"C":"d"}}'
  const [, call] = (await callOf(BINDING_OPERATIONS.InvokeBinding, asked)) as [string, {data: Buffer}]
  t.match(call, {operation: 'create', metadata: {C: 'd'}})
  isValue({value: call.data}, '{"B":1}')
  t.match(await callOf(FIRING_OPERATIONS.RegisterActorReminder, '{"DueTime":"1s","Data":{"B":1},"Overwrite":false}'), [
    {type: 'it'},
    {dueTime: '1s', data: '{"B":1}', overwrites: false}
  ])
  const turn = '[{"Operation":"upsert","Request":{"Key":"a","Value":{"B":1},"Metadata":{"C":"d"}}}]'
  const {ExecuteActorStateTransaction = {}} = ACTOR_OPERATIONS
  const [, , [change]] = (await callOf(ExecuteActorStateTransaction, turn)) as [string, string, [{value: Buffer}]]
  t.match(change, {operation: 'upsert', key: 'a', metadata: {C: 'd'}})
  isValue(change, '{"B":1}')
})
