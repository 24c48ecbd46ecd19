import {ROUTER, TEXT, TIME, TRACE} from '../messages.ts'

/* Requests and responses of TaskHubSidecarService (orchestrator_service.proto), with the fields that Dapr reads. `router`: app of the instance. */

export const START_INSTANCE = {
  instanceId: [1, 'string'],
  name: [2, 'string'],
  input: [4, {message: TEXT}],
  scheduledStart: [5, {message: TIME}],
  trace: [9, {message: TRACE}],
  router: [11, {message: ROUTER}]
} as const

export const INSTANCE_ID = {instanceId: [1, 'string']} as const

export const GET_INSTANCE = {
  instanceId: [1, 'string'],
  withPayloads: [2, 'bool'],
  router: [3, {message: ROUTER}]
} as const

export const FOUND_INSTANCE = {
  exists: [1, 'bool'],
  state: [
    2,
    {
      message: {
        instanceId: [1, 'string'],
        name: [2, 'string'],
        version: [3, {message: TEXT}],
        status: [4, 'int32'],
        created: [6, {message: TIME}],
        updated: [7, {message: TIME}],
        input: [8, {message: TEXT}],
        output: [9, {message: TEXT}],
        customStatus: [10, {message: TEXT}],
        failureDetails: [11, 'bytes'],
        parentInstanceId: [14, {message: TEXT}],
        parentAppId: [16, {message: TEXT}],
        started: [17, {message: TIME}]
      }
    }
  ]
} as const

export const RAISE_EVENT = {
  instanceId: [1, 'string'],
  name: [2, 'string'],
  input: [3, {message: TEXT}],
  router: [4, {message: ROUTER}]
} as const

/** SuspendRequest and ResumeRequest; `text` is the reason. */
export const TELL = {instanceId: [1, 'string'], text: [2, {message: TEXT}], router: [3, {message: ROUTER}]} as const

/** TerminateRequest; `text` is the output. */
export const TERMINATE = {
  instanceId: [1, 'string'],
  text: [2, {message: TEXT}],
  isRecursive: [3, 'bool'],
  router: [4, {message: ROUTER}]
} as const

export const PURGE = {
  instanceId: [1, 'string'],
  filter: [2, {message: {}}],
  isRecursive: [3, 'bool'],
  isForced: [4, 'bool'],
  router: [5, {message: ROUTER}]
} as const

export const PURGED = {count: [1, 'int32']} as const

export const RERUN = {
  source: [1, 'string'],
  eventId: [2, 'int32'],
  newId: [3, 'string', 'optional'],
  input: [4, {message: TEXT}],
  isOverwritten: [5, 'bool'],
  newChildId: [6, 'string', 'optional'],
  router: [7, {message: ROUTER}]
} as const

export const LIST = {continuationToken: [1, 'string'], pageSize: [2, 'int32']} as const
export const LISTED = {instanceIds: [1, 'strings'], continuationToken: [2, 'string']} as const

export const HISTORY = {events: [1, 'chunks']} as const
