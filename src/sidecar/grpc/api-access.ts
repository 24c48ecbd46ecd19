import {withErrorInfo} from '../../net/grpc/error-info.ts'
import {UNIMPLEMENTED} from '../../net/grpc/status.ts'
import type {ApiAccess} from '../../resources/api-access.ts'

const DAPR = '/dapr.proto.runtime.v1.Dapr/'
/** What is not below it is the proxy's, which is not restricted. */
const RUNTIME = '/dapr.proto.runtime.'

const VERBS = ['Start', 'Get', 'Terminate', 'RaiseEvent', 'Purge', 'Pause', 'Resume'] as const
const workflows = (version: string): string => VERBS.map(verb => `${verb}Workflow${version}`).join(' ')

const JOBS = ['ScheduleJob', 'DeleteJob', 'GetJob', 'DeleteJobsByPrefix', 'ListJobs'] as const

/** The methods that a rule is about, by its name and version (Dapr: pkg/api/grpc, endpoints). */
const METHODS: Readonly<Record<string, string>> = {
  'v1/invoke': 'InvokeService',
  'v1/state': 'GetState GetBulkState SaveState DeleteState DeleteBulkState ExecuteStateTransaction',
  'v1alpha1/state': 'QueryStateAlpha1',
  'v1/publish': 'PublishEvent BulkPublishEvent',
  'v1alpha1/publish': 'BulkPublishEventAlpha1',
  'v1/bindings': 'InvokeBinding',
  'v1/secrets': 'GetSecret GetBulkSecret',
  'v1/actors':
    'RegisterActorTimer UnregisterActorTimer RegisterActorReminder GetActorReminder UnregisterActorReminder UnregisterActorRemindersByType ListActorReminders GetActorState ExecuteActorStateTransaction InvokeActor',
  'v1alpha1/actors': 'SubscribeActorEventsAlpha1',
  'v1/metadata': 'GetMetadata SetMetadata',
  'v1alpha1/configuration': 'GetConfigurationAlpha1 SubscribeConfigurationAlpha1 UnsubscribeConfigurationAlpha1',
  'v1/configuration': 'GetConfiguration SubscribeConfiguration UnsubscribeConfiguration',
  'v1alpha1/lock': 'TryLockAlpha1',
  'v1alpha1/unlock': 'UnlockAlpha1',
  'v1alpha1/subtlecrypto':
    'SubtleGetKeyAlpha1 SubtleEncryptAlpha1 SubtleDecryptAlpha1 SubtleSignAlpha1 SubtleVerifyAlpha1 SubtleWrapKeyAlpha1 SubtleUnwrapKeyAlpha1',
  'v1alpha1/crypto': 'EncryptAlpha1 DecryptAlpha1',
  'v1alpha1/workflows': workflows('Alpha1'),
  'v1beta1/workflows': workflows('Beta1'),
  'v1alpha1/jobs': JOBS.map(job => `${job}Alpha1`).join(' '),
  'v1/jobs': JOBS.join(' '),
  'v1/shutdown': 'Shutdown',
  'v1alpha1/subscribe': 'SubscribeTopicEventsAlpha1',
  'v1alpha1/conversation': 'ConverseAlpha1',
  'v1alpha2/conversation': 'ConverseAlpha2'
}

const isListed = (rules: readonly string[], method: string): boolean =>
  rules.some(rule => METHODS[rule]?.split(' ').includes(method) === true)

/** Whether the sidecar serves a method: what is denied goes before what is allowed. */
export const isServed = (access: ApiAccess | undefined, path: string): boolean => {
  if (access === undefined || !path.startsWith(RUNTIME)) return true
  const {allowed, denied} = access
  const method = path.startsWith(DAPR) ? path.slice(DAPR.length) : path
  // a rule that names no API of gRPC restricts nothing (Dapr: apiAccessRuleToMap)
  const isRestricted = allowed.some(rule => METHODS[rule] !== undefined)
  return !isListed(denied, method) && (!isRestricted || isListed(allowed, method))
}

export const NOT_SERVED = withErrorInfo(UNIMPLEMENTED, 'Not Implemented', {
  reason: 'Not Implemented',
  metadata: {'http.code': '501', 'http.error_message': 'requested endpoint is not available'}
})
