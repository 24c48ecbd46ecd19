import type {OnGone} from '../../gateway/interceptors/resiliency/component-policies.ts'
import {eachField, readStrings} from '../../net/grpc/invoke-messages.ts'
import * as status from '../../net/grpc/status.ts'
import type {GrpcStatus} from '../../net/grpc/status.ts'
import type {Blocks} from '../blocks/blocks.ts'
import type {Facts} from '../http/metadata.ts'
import type {Trace} from '../http/trace.ts'
import type {Unbuilt} from '../unbuilt.ts'
import {metadataMessage} from './metadata-message.ts'
import {isMarked, type RequestHead} from './request-head.ts'

export interface OwnMethodsContext {
  readonly appId: string
  readonly facts: () => Facts
  /** Loads the building blocks of the app. */
  readonly blocks: () => Promise<Blocks>
  /** What was set over either API. */
  readonly customMetadata: Map<string, string>
  /** `isForced`: without a grace period, which counts as a failure. */
  readonly requestShutdown: (isForced: boolean) => void
  /** The app has asked for what is not built yet. */
  readonly askedUnbuilt: (what: Unbuilt) => void
}

/** The message of the answer, or the reason for its absence. */
export type Answer = Uint8Array | GrpcStatus
export type OwnMethod = (message: Buffer, context: OwnMethodsContext, call: OwnCall) => Answer | Promise<Answer>

/** A call that the sidecar answers itself. */
export interface OwnCall {
  readonly head: RequestHead
  readonly trace: Trace
  /** Calls the listener when the caller disconnects. */
  readonly onGone: OnGone
}

const EMPTY = new Uint8Array(0)

/** Throws where a message of which no field matters is no protobuf. */
const checkMessage = (message: Uint8Array): void => eachField(message, () => false)

const fixed =
  (code: number, message: string): OwnMethod =>
  request => {
    checkMessage(request)
    return {code, message}
  }

/** What the first string of a request names: a store, a broker, a binding. */
const named =
  (answer: (name: string, context: OwnMethodsContext) => GrpcStatus): OwnMethod =>
  (message, context) =>
    answer(readStrings(message, [1])[0] ?? '', context)

const subtle = fixed(status.UNIMPLEMENTED, 'this API is currently not implemented')
const conversation = named(name => ({
  code: status.INVALID_ARGUMENT,
  message: `failed finding conversation component ${name}`
}))
const all = (method: OwnMethod, names: string): readonly (readonly [string, OwnMethod])[] =>
  names.split(' ').map(name => [name, method])

let blockMethods: Promise<typeof import('./blocks/block-methods.ts')> | undefined

/** Calls to building blocks, which are loaded with the first one: an import in each call would cost a tenth of it. */
const blocks = (names: string): readonly (readonly [string, OwnMethod])[] =>
  names.split(' ').map(name => [
    name,
    async (message, context, call) => {
      blockMethods ??= import('./blocks/block-methods.ts')
      const {callBlock} = await blockMethods
      return callBlock(await context.blocks(), name, message, call)
    }
  ])

/** The methods of `dapr.proto.runtime.v1.Dapr` but InvokeService, as a Dapr without components answers them (pkg/api/grpc). */
const METHODS: readonly (readonly [name: string, OwnMethod])[] = [
  [
    'GetMetadata',
    (message, {appId, facts, customMetadata}) => {
      checkMessage(message)
      return metadataMessage(appId, facts(), customMetadata)
    }
  ],
  [
    'SetMetadata',
    (message, {customMetadata}) => {
      const [key = '', value = ''] = readStrings(message, [1, 2])
      if (key !== '') customMetadata.set(key, value)
      return EMPTY
    }
  ],
  [
    'Shutdown',
    (message, {requestShutdown}, {head}) => {
      checkMessage(message)
      setImmediate(requestShutdown, isMarked(head, 'dapr-force-shutdown'))
      return EMPTY
    }
  ],
  ...blocks(
    'GetState GetBulkState SaveState DeleteState DeleteBulkState ExecuteStateTransaction QueryStateAlpha1 GetSecret GetBulkSecret'
  ),
  ...blocks('PublishEvent BulkPublishEventAlpha1 BulkPublishEvent TryLockAlpha1 UnlockAlpha1 InvokeBinding'),
  ...blocks('GetConfigurationAlpha1 GetConfiguration UnsubscribeConfigurationAlpha1 UnsubscribeConfiguration'),
  ...all(
    subtle,
    'SubtleGetKeyAlpha1 SubtleEncryptAlpha1 SubtleDecryptAlpha1 SubtleWrapKeyAlpha1 SubtleUnwrapKeyAlpha1 SubtleSignAlpha1 SubtleVerifyAlpha1'
  ),
  ...all(conversation, 'ConverseAlpha1 ConverseAlpha2')
]

/** Methods of what is not built yet, by what they belong to. */
const UNBUILT: Readonly<Record<Unbuilt, string>> = {
  actors:
    'RegisterActorTimer UnregisterActorTimer RegisterActorReminder UnregisterActorReminder UnregisterActorRemindersByType GetActorReminder ListActorReminders GetActorState ExecuteActorStateTransaction InvokeActor SubscribeActorEventsAlpha1',
  workflows:
    'StartWorkflowAlpha1 GetWorkflowAlpha1 PurgeWorkflowAlpha1 TerminateWorkflowAlpha1 PauseWorkflowAlpha1 ResumeWorkflowAlpha1 RaiseEventWorkflowAlpha1 StartWorkflowBeta1 GetWorkflowBeta1 PurgeWorkflowBeta1 TerminateWorkflowBeta1 PauseWorkflowBeta1 ResumeWorkflowBeta1 RaiseEventWorkflowBeta1',
  jobs: 'ScheduleJob GetJob DeleteJob ListJobs DeleteJobsByPrefix ScheduleJobAlpha1 GetJobAlpha1 DeleteJobAlpha1 ListJobsAlpha1 DeleteJobsByPrefixAlpha1',
  cryptography: 'EncryptAlpha1 DecryptAlpha1'
}

/** The service through which workers of workflows and their clients speak (durabletask). */
const TASK_HUB = '/TaskHubSidecarService/'

const DAPR = '/dapr.proto.runtime.v1.Dapr/'
const BY_PATH: ReadonlyMap<string, OwnMethod> = new Map(METHODS.map(([name, method]) => [DAPR + name, method]))
const UNBUILT_BY_PATH: ReadonlyMap<string, Unbuilt> = new Map(
  Object.entries(UNBUILT).flatMap(([what, names]) => names.split(' ').map(name => [DAPR + name, what as Unbuilt]))
)

/** Serves a method of the sidecar's own API; undefined: it has no such method. */
export const ownMethod = (path: string): OwnMethod | undefined => BY_PATH.get(path)

/** What a method belongs to that is not built yet; undefined: to nothing of that. */
export const unbuiltAt = (path: string): Unbuilt | undefined =>
  path.startsWith(TASK_HUB) ? 'workflows' : UNBUILT_BY_PATH.get(path)
