import t, {type Test} from 'tap'
import {
  GetWorkflowRequest,
  GetWorkflowResponse,
  RaiseEventWorkflowRequest,
  StartWorkflowRequest,
  StartWorkflowResponse
} from '../../../../src/model/dapr/messages/workflow.generated.ts'
import {decode, encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {FAILURE_DETAILS} from '../../../../src/work/workflow/messages.ts'
import {answer, connected, end, type House, openHouse, TestWorker} from '../../../rig/workflow-house.ts'
import {ask} from './caller.ts'
import type {EchoClient} from './grpc/echo-client.ts'
import {echoClient, openTestGrpcPort} from './grpc/rig.ts'
import {noBlocks, openTestSidecar} from './rig.ts'

interface Ported extends House {
  /** `POST /w/start` of `/v1.0/workflows/dapr`: the status and the body. */
  readonly call: (line: string, body?: string) => Promise<string>
  readonly client: EchoClient
}

/** The app `a`, whose workflows are served at its ports. */
async function openPorts(t: Test): Promise<Ported> {
  const house = await openHouse(t)
  const blocks = noBlocks(
    () => '',
    async () => Promise.resolve(house.workflows)
  )
  const {port} = await openTestSidecar(t, {blocks})
  const {port: grpcPort} = await openTestGrpcPort(t, {blocks})
  const call = async (line: string, body = ''): Promise<string> => {
    const [method = '', path = ''] = line.split(' ')
    const full = path.startsWith('/v1.0') ? path : `/v1.0/workflows/dapr${path}`
    const head = `${method} ${full} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Buffer.byteLength(body)}`
    const found = await ask(t, port, `${head}\r\n\r\n${body}`)
    t.match(found?.headers, {'content-type': 'application/json'}, line)
    return `${String(found?.status)} ${Buffer.from(found?.body ?? '', 'latin1').toString()}`
  }
  return Object.assign(house, {call, client: echoClient(t, grpcPort)})
}

const error = (status: number, errorCode: string, message: string): string =>
  `${status} ${JSON.stringify({errorCode, message})}`

/** The answer to a get of `o-1`. */
const shown = (updated: string, status: string, properties: object): string =>
  `200 ${JSON.stringify({
    instanceID: 'o-1',
    workflowName: 'order',
    createdAt: '1970-01-01T00:00:00Z',
    lastUpdatedAt: `1970-01-01T00:00:${updated}Z`,
    runtimeStatus: status,
    properties
  })}`

t.test('start, get, events, pause, resume, terminate and purge over HTTP', async t => {
  const {workflows, call, clock} = await openPorts(t)
  workflows.connect('a', new TestWorker())
  t.equal(await call('POST /order/start?instanceID=o-1', '{"sum":<1>'), '202 {"instanceID":"o-1"}')
  const pending = '"createdAt":"1970-01-01T00:00:00Z","lastUpdatedAt":"1970-01-01T00:00:00Z","runtimeStatus":"PENDING"'
  t.equal(await call('GET /o-1'), `200 {"instanceID":"o-1",${pending}}`)
  clock.pass(1500)
  await workflows.completeTurn('a', {...answer('o-1'), customStatus: {value: 'packs'}})
  const running = {'dapr.workflow.custom_status': 'packs', 'dapr.workflow.input': '{"sum":<1>'}
  t.equal(await call('GET /o-1'), shown('01.500', 'RUNNING', running), 'what the body was, as it was')
  t.equal(await call('POST /v1.0-beta1/workflows/any/o-1/raiseEvent/Go', '"now"'), '202 {}')
  t.equal(await call('POST /v1.0-alpha1/workflows/any/o-1/pause'), '202 {}')
  await workflows.completeTurn('a', answer('o-1'))
  await workflows.completeTurn('a', answer('o-1'))
  const input = {'dapr.workflow.input': '{"sum":<1>'}
  t.equal(await call('GET /o-1'), shown('01.500', 'SUSPENDED', input))
  t.equal(await call('POST /o-1/resume'), '202 {}')
  await workflows.completeTurn('a', answer('o-1'))
  t.equal(await call('POST /o-1/terminate'), '202 {}')
  const failureDetails = encode(FAILURE_DETAILS, {errorType: 'E', errorMessage: 'why', stackTrace: {value: 'at'}})
  await workflows.completeTurn('a', answer('o-1', [{id: 9, complete: {...end(3).complete, failureDetails} as never}]))
  t.equal(
    await call('GET /o-1'),
    shown('01.500', 'FAILED', {
      ...input,
      'dapr.workflow.output': '"done"',
      'dapr.workflow.failure.error_type': 'E',
      'dapr.workflow.failure.error_message': 'why',
      'dapr.workflow.failure.stack_trace': 'at'
    })
  )
  t.equal(await call('POST /o-1/raiseEvent/late'), '202 {}', 'one that is over takes all')
  t.equal(await call('POST /o-1/purge'), '202 {}')
  const gone = 'unable to find workflow with the provided instance ID: o-1'
  t.equal(await call('GET /o-1'), error(404, 'ERR_INSTANCE_ID_NOT_FOUND', gone))
})

t.test('without an id one is made; without a body the input is an empty text', async t => {
  const {workflows, call} = await openPorts(t)
  const [, id = ''] = /^202 {"instanceID":"([0-9a-f-]{36})"}$/.exec(await call('POST /order/start')) ?? []
  t.equal(workflows.find('a', id)?.input, '')
  t.equal(await call('POST /order/start?instanceID=%C3%A4_1-Z'), '202 {"instanceID":"ä_1-Z"}')
  t.equal(await call('POST /order/start?instanceID=there&appID=b'), '202 {"instanceID":"there"}')
  t.match(workflows.find('b', 'there'), {name: 'order'})
})

t.test('refusals over HTTP, in Dapr’s words', async t => {
  const {call} = await openPorts(t)
  await call('POST /order/start?instanceID=busy')
  const unknown = error(404, 'ERR_INSTANCE_ID_NOT_FOUND', 'unable to find workflow with the provided instance ID: x')
  const none = 'no such instance exists'
  for (const [line, expected] of [
    [
      `POST /order/start?instanceID=${'i'.repeat(65)}`,
      error(400, 'ERR_INSTANCE_ID_TOO_LONG', 'workflow instance ID exceeds the max length of 64 characters')
    ],
    [
      'POST /order/start?instanceID=a.b',
      error(
        400,
        'ERR_INSTANCE_ID_INVALID',
        "workflow instance ID 'a.b' is invalid: only alphanumeric and underscore characters are allowed"
      )
    ],
    [
      'POST /order/start?instanceID=busy',
      error(
        500,
        'ERR_START_WORKFLOW',
        "error starting workflow 'order': unable to start workflow: failed to start workflow: rpc error: code = AlreadyExists desc = an active workflow with ID 'busy' already exists"
      )
    ],
    [
      'GET /x?appID=a.b',
      error(
        400,
        'ERR_WORKFLOW_APP_ID_INVALID',
        "workflow app ID 'a.b' is invalid: only alphanumeric, dash and underscore characters are allowed"
      )
    ],
    ['GET /x', unknown],
    ['POST /x/terminate', unknown],
    ['POST /x/purge', unknown],
    [
      'POST /x/raiseEvent/e',
      error(
        500,
        'ERR_RAISE_EVENT_WORKFLOW',
        `error raising event on workflow 'x': failed to raise event e on workflow x: failed to raise event: ${none}`
      )
    ],
    [
      'POST /x/pause',
      error(
        500,
        'ERR_PAUSE_WORKFLOW',
        `error pausing workflow x: failed to pause workflow x: failed to suspend workflow: ${none}`
      )
    ],
    [
      'POST /x/resume',
      error(
        500,
        'ERR_RESUME_WORKFLOW',
        `error resuming workflow x: failed to resume workflow x: failed to resume workflow: ${none}`
      )
    ],
    [
      'POST /busy/purge',
      error(
        500,
        'ERR_PURGE_WORKFLOW',
        'error purging workflow busy: failed to Purge workflow busy: failed to purge workflow state: orchestration has not yet completed'
      )
    ]
  ] as const)
    t.equal(await call(line), expected, line)
  for (const line of ['DELETE /x', 'GET /x/start', 'POST /v1.0-alpha2/workflows/dapr/w/start'])
    t.match(await call(line), /^404 \{"errorCode":"ERR_DIRECT_INVOKE"/, line)
})

t.test('over gRPC by both names of each method', async t => {
  const {workflows, client} = await openPorts(t)
  workflows.connect('a', new TestWorker())
  for (const version of ['Beta1', 'Alpha1']) {
    const id = `o-${version}`
    const instanceId = encode(GetWorkflowRequest, {instanceId: id})
    const input = Buffer.from('1')
    const begun = await client.dapr(
      `StartWorkflow${version}`,
      encode(StartWorkflowRequest, {instanceId: id, workflowName: 'order', input})
    )
    t.equal(decode(StartWorkflowResponse, Buffer.from(begun.answer, 'latin1')).instanceId, id)
    await workflows.completeTurn('a', answer(id))
    const event = encode(RaiseEventWorkflowRequest, {instanceId: id, eventName: 'Go', eventData: Buffer.from('2')})
    t.match(await client.dapr(`RaiseEventWorkflow${version}`, event), {code: 0, answer: ''})
    for (const name of ['Pause', 'Resume', 'Terminate'])
      t.match(await client.dapr(`${name}Workflow${version}`, instanceId), {code: 0, answer: ''}, name)
    await workflows.completeTurn('a', answer(id, [end(5)]))
    const found = await client.dapr(`GetWorkflow${version}`, instanceId)
    t.match(decode(GetWorkflowResponse, Buffer.from(found.answer, 'latin1')), {
      instanceId: id,
      workflowName: 'order',
      runtimeStatus: 'TERMINATED',
      properties: {'dapr.workflow.input': '1', 'dapr.workflow.output': '"done"'}
    })
    t.match(await client.dapr(`PurgeWorkflow${version}`, instanceId), {code: 0})
    const gone = await client.dapr(`GetWorkflow${version}`, instanceId)
    t.match(gone, {code: 0})
    t.match(decode(GetWorkflowResponse, Buffer.from(gone.answer, 'latin1')), {instanceId: id, createdAt: undefined})
  }
})

t.test('over gRPC the workflow of another app is meant by app_id', async t => {
  const {workflows, client} = await openPorts(t)
  const name = {instanceId: 'there', appId: 'b'}
  await client.dapr('StartWorkflowBeta1', encode(StartWorkflowRequest, {...name, workflowName: 'order'}))
  t.match(workflows.find('b', 'there'), {name: 'order'})
  t.equal(workflows.find('a', 'there'), undefined)
  const worker = connected(workflows, 'b')
  await workflows.completeTurn('b', answer('there'))
  await client.dapr('RaiseEventWorkflowBeta1', encode(RaiseEventWorkflowRequest, {...name, eventName: 'Go'}))
  await workflows.completeTurn('b', answer('there'))
  for (const told of ['Pause', 'Resume', 'Terminate']) {
    t.match(await client.dapr(`${told}WorkflowBeta1`, encode(GetWorkflowRequest, name)), {code: 0}, told)
    await workflows.completeTurn('b', answer('there', told === 'Terminate' ? [end(5)] : []))
  }
  t.match(worker.seen().at(-1), /executionTerminated$/)
  const found = await client.dapr('GetWorkflowBeta1', encode(GetWorkflowRequest, name))
  t.match(decode(GetWorkflowResponse, Buffer.from(found.answer, 'latin1')), {runtimeStatus: 'TERMINATED'})
  t.match(await client.dapr('PurgeWorkflowBeta1', encode(GetWorkflowRequest, name)), {code: 0})
  t.equal(workflows.find('b', 'there'), undefined)
  const bad = encode(GetWorkflowRequest, {instanceId: 'there', appId: 'b.c'})
  t.match(await client.dapr('GetWorkflowBeta1', bad), {code: 3, message: /^workflow app ID 'b\.c' is invalid/})
})

const startMessage = (fields: Parameters<typeof encode<typeof StartWorkflowRequest>>[1]): Uint8Array =>
  encode(StartWorkflowRequest, fields)
const idMessage = (instanceId: string): Uint8Array => encode(GetWorkflowRequest, {instanceId})

t.test('refusals over gRPC', async t => {
  const {client} = await openPorts(t)
  const at = {'dapr.workflow.start_time': 'soon'}
  for (const [name, message, code, words] of [
    ['GetWorkflowBeta1', idMessage(''), 3, 'no instance ID was provided'],
    ['PurgeWorkflowBeta1', idMessage(''), 3, 'no instance ID was provided'],
    ['StartWorkflowBeta1', startMessage({instanceId: 'x'}), 3, 'workflow name is not configured'],
    ['RaiseEventWorkflowBeta1', idMessage('x'), 3, 'missing workflow event name'],
    ['TerminateWorkflowBeta1', idMessage('x'), 5, 'unable to find workflow with the provided instance ID: x'],
    [
      'StartWorkflowBeta1',
      startMessage({workflowName: 'w', options: at}),
      13,
      'error starting workflow \'w\': start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")'
    ]
  ] as const)
    t.match(await client.dapr(name, message), {code, message: words}, `${name}: ${words}`)
})

t.test('a start time keeps it waiting', async t => {
  const {client, workflows, clock} = await openPorts(t)
  const worker = connected(workflows, 'a')
  const options = {'dapr.workflow.start_time': '1970-01-01T01:00:02+01:00'}
  await client.dapr('StartWorkflowBeta1', encode(StartWorkflowRequest, {instanceId: 'x', workflowName: 'w', options}))
  t.strictSame(worker.seen(), [])
  clock.pass(2000)
  await new Promise(resolve => setImmediate(resolve))
  t.equal(worker.seen().length, 1)
})

const denied = (operation: string, id: string): string =>
  `access denied by workflow access policy: app 'a' operation '${operation}' on workflow 'pay' (instance '${id}')`

t.test('what a policy of another app denies, with Dapr’s errors', async t => {
  const ported = await openPorts(t)
  const {workflows, call} = ported
  ported.isAllowed = (app, {caller}) => app === caller
  await workflows.start('b', {id: 'b-1', name: 'pay', input: undefined, startAt: undefined})
  t.equal(
    await call('POST /pay/start?instanceID=x&appID=b'),
    error(
      500,
      'ERR_START_WORKFLOW',
      `error starting workflow 'pay': unable to start workflow: failed to start workflow: rpc error: code = PermissionDenied desc = ${denied('schedule', 'x')}`
    )
  )
  for (const [line, operation] of [
    ['GET /b-1?appID=b', 'get'],
    ['POST /b-1/pause?appID=b', 'pause'],
    ['POST /b-1/resume?appID=b', 'resume'],
    ['POST /b-1/terminate?appID=b', 'terminate'],
    ['POST /b-1/raiseEvent/go?appID=b', 'raise'],
    ['POST /b-1/purge?appID=b', 'purge']
  ] as const) {
    const answered = await call(line)
    t.ok(answered.startsWith('500 ') && answered.includes(denied(operation, 'b-1')), answered)
  }
  t.equal(workflows.find('b', 'b-1')?.status, 6)
  t.equal(await call('POST /order/start?instanceID=own'), '202 {"instanceID":"own"}')
})
