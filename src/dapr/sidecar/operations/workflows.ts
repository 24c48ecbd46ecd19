import type {WORKFLOWS} from '../../../model/dapr/api/blocks.ts'
import {
  GetWorkflowRequest,
  GetWorkflowResponse,
  PauseWorkflowRequest,
  PurgeWorkflowRequest,
  RaiseEventWorkflowRequest,
  ResumeWorkflowRequest,
  StartWorkflowRequest,
  StartWorkflowResponse,
  TerminateWorkflowRequest
} from '../../../model/dapr/messages/workflow.generated.ts'
import {decode} from '../../../proxy/net/grpc/message-codec.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {FAILURE_DETAILS, timeOf} from '../../../work/workflow/messages.ts'
import {PENDING, statusName} from '../../../work/workflow/status.ts'
import {notFound, type InstanceName, type WorkflowCalls} from '../blocks/workflow-calls.ts'
import {headerOf, queryOf, type BlockRequest} from './block-request.ts'
import {sentTrace} from '../grpc/grpc-trace.ts'
import {workParent} from '../http/trace.ts'
import {bufferOf, grpc, grpcDone, type BlockOperation, type OperationsOf} from './operation.ts'

/** Returns the instance that a request names. Ignores the name of the component in the path. */
const named = (request: BlockRequest): InstanceName => ({
  id: request.params[1] ?? '',
  appId: queryOf(request).get('appID') ?? ''
})

/** Returns JSON without empty fields, as Go's protojson writes it. */
const json = (value: unknown, status: number): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
  lines: ''
})

const ACCEPTED = json({}, 202)

/** Returns a time as protojson writes it: RFC 3339, with milliseconds only if there are any. */
const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

/** Returns the properties of an instance besides its status (Dapr: pkg/runtime/wfengine/client.go). */
function propertiesOf({customStatus, input, output, failure, status}: Instance): Record<string, string> {
  const properties = new Map<string, string | undefined>([
    ['custom_status', customStatus],
    ['input', status === PENDING ? undefined : input],
    ['output', output]
  ])
  if (failure !== undefined) {
    const {errorType, errorMessage, stackTrace} = decode(FAILURE_DETAILS, failure)
    properties.set('failure.error_type', errorType)
    properties.set('failure.error_message', errorMessage)
    properties.set('failure.stack_trace', stackTrace?.value)
  }
  return Object.fromEntries(
    [...properties].flatMap(([name, value]) => (value === undefined ? [] : [[`dapr.workflow.${name}`, value]]))
  )
}

/** Returns the name of a workflow; '': it has not started. */
const nameOf = ({status, name}: Instance): string => (status === PENDING ? '' : name)

function instanceJson(instance: Instance): object {
  const properties = propertiesOf(instance)
  return {
    instanceID: instance.id,
    workflowName: nameOf(instance) || undefined,
    createdAt: rfc3339(instance.created),
    lastUpdatedAt: rfc3339(instance.updated),
    runtimeStatus: statusName(instance.status),
    properties: Object.keys(properties).length > 0 ? properties : undefined
  }
}

/** Makes the operation for a command to an instance, whose response is empty. */
const command = (
  request: typeof PauseWorkflowRequest,
  tell: 'pause' | 'resume' | 'terminate' | 'purge'
): BlockOperation => {
  const act = async (calls: WorkflowCalls, name: InstanceName): Promise<void> =>
    tell === 'purge' ? calls.purge(name) : calls.tell(tell, name)
  return {
    http: async ({workflows}, sent) => {
      await act(workflows, named(sent))
      return ACCEPTED
    },
    grpc: grpcDone(request, async ({workflows}, {instanceId: id, appId = ''}) => act(workflows, {id, appId}))
  }
}

/** Workflows (Dapr: pkg/api/http/workflow.go, pkg/api/universal/workflow.go). */
export const WORKFLOW_OPERATIONS: OperationsOf<typeof WORKFLOWS> = {
  StartWorkflow: {
    http: async ({workflows}, request) => {
      const query = queryOf(request)
      const instanceID = await workflows.start({
        id: query.get('instanceID') ?? '',
        appId: query.get('appID') ?? '',
        name: request.params[1] ?? '',
        input: request.body.toString(),
        options: {},
        trace: workParent(headerOf({lines: request.trace}, 'traceparent'), headerOf(request, 'traceparent'))
      })
      return json({instanceID}, 202)
    },
    grpc: grpc(
      StartWorkflowRequest,
      StartWorkflowResponse,
      async (
        {workflows},
        {appId = '', instanceId: id, workflowName: name, input: bytes, options},
        {head, trace: own}
      ) => {
        const trace = workParent(own.traceparent, sentTrace(head))
        const input = bufferOf(bytes).toString()
        return {instanceId: await workflows.start({id, appId, name, input, options, trace})}
      }
    )
  },
  GetWorkflow: {
    http: async ({workflows}, request) => {
      const name = named(request)
      const instance = await workflows.get(name)
      if (instance === undefined) throw notFound(name.id)
      return json(instanceJson(instance), 200)
    },
    // for an unknown instance the reply has only the id
    grpc: grpc(GetWorkflowRequest, GetWorkflowResponse, async ({workflows}, {instanceId, appId = ''}) => {
      const instance = await workflows.get({id: instanceId, appId})
      if (instance === undefined) return {instanceId}
      return {
        instanceId,
        workflowName: nameOf(instance),
        createdAt: timeOf(instance.created),
        lastUpdatedAt: timeOf(instance.updated),
        runtimeStatus: statusName(instance.status),
        properties: propertiesOf(instance)
      }
    })
  },
  RaiseEventWorkflow: {
    http: async ({workflows}, request) => {
      await workflows.raise(named(request), request.params[2] ?? '', request.body.toString())
      return ACCEPTED
    },
    grpc: grpcDone(
      RaiseEventWorkflowRequest,
      async ({workflows}, {instanceId: id, appId = '', eventName, eventData}) => {
        const data = eventData.length === 0 ? undefined : bufferOf(eventData).toString()
        return workflows.raise({id, appId}, eventName, data)
      }
    )
  },
  PauseWorkflow: command(PauseWorkflowRequest, 'pause'),
  ResumeWorkflow: command(ResumeWorkflowRequest, 'resume'),
  TerminateWorkflow: command(TerminateWorkflowRequest, 'terminate'),
  PurgeWorkflow: command(PurgeWorkflowRequest, 'purge')
}
