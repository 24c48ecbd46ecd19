import type {BlockApi, Operation} from './block-api.ts'

/** Actors (Dapr: pkg/api/http/actors.go). */
export const ACTORS = {
  errors: 'ACTOR actor',
  operations: {
    ExecuteActorStateTransaction: {http: 'POST PUT v1.0/actors/*/*/state', grpc: 'v1/actors'},
    GetActorState: {http: 'GET v1.0/actors/*/*/state/*', grpc: 'v1/actors'},
    InvokeActor: {http: 'GET POST DELETE PUT v1.0/actors/*/*/method/*', grpc: 'v1/actors'},
    RegisterActorReminder: {http: 'POST PUT v1.0/actors/*/*/reminders/*', grpc: 'v1/actors'},
    GetActorReminder: {http: 'GET v1.0/actors/*/*/reminders/*', grpc: 'v1/actors'},
    UnregisterActorReminder: {http: 'DELETE v1.0/actors/*/*/reminders/*', grpc: 'v1/actors'},
    UnregisterActorRemindersByType: {grpc: 'v1/actors'},
    ListActorReminders: {grpc: 'v1/actors'},
    RegisterActorTimer: {http: 'POST PUT v1.0/actors/*/*/timers/*', grpc: 'v1/actors'},
    UnregisterActorTimer: {http: 'DELETE v1.0/actors/*/*/timers/*', grpc: 'v1/actors'},
    SubscribeActorEvents: {grpc: 'v1alpha1/actors', isStream: true}
  }
} as const satisfies BlockApi

/** Bindings (Dapr: pkg/api/http/http.go, constructBindingsEndpoints). */
export const BINDINGS = {
  components: {one: 'binding', purpose: 'bindings', policies: 'Binding', counted: 'output_binding'},
  errors: 'BINDING binding',
  operations: {InvokeBinding: {http: 'POST PUT v1.0/bindings/*', grpc: 'v1/bindings'}}
} as const satisfies BlockApi

const CONFIGURATION_GRPC = 'v1alpha1/configuration v1/configuration'

/** Configuration (Dapr: pkg/api/http/http.go, constructConfigurationEndpoints). */
export const CONFIGURATION = {
  components: {
    one: 'configuration store',
    purpose: 'configuration',
    policies: 'Configuration',
    counted: 'configuration'
  },
  errors: 'CONFIGURATION configuration',
  operations: {
    GetConfiguration: {http: 'GET v1.0-alpha1/configuration/* v1.0/configuration/*', grpc: CONFIGURATION_GRPC},
    SubscribeConfiguration: {
      http: 'GET v1.0-alpha1/configuration/*/subscribe v1.0/configuration/*/subscribe',
      grpc: CONFIGURATION_GRPC,
      isStream: true
    },
    UnsubscribeConfiguration: {
      http: 'GET v1.0-alpha1/configuration/*/*/unsubscribe v1.0/configuration/*/*/unsubscribe',
      grpc: CONFIGURATION_GRPC
    }
  }
} as const satisfies BlockApi

/** Conversation (Dapr: pkg/api/http/conversation.go). */
export const CONVERSATION = {
  components: {one: 'conversation', purpose: 'language models', policies: 'Conversation', counted: 'conversation'},
  errors: 'CONVERSATION conversation',
  operations: {
    ConverseAlpha1: {http: 'POST v1.0-alpha1/conversation/*/converse', grpc: 'v1alpha1/conversation', log: 'Converse'},
    ConverseAlpha2: {http: 'POST v1.0-alpha2/conversation/*/converse', grpc: 'v1alpha2/conversation', log: 'Converse'}
  }
} as const satisfies BlockApi

const subtle = (verb: string): Operation => ({
  http: `POST v1.0-alpha1/subtlecrypto/*/${verb}`,
  grpc: 'v1alpha1/subtlecrypto'
})

/** Cryptography (Dapr: pkg/api/http: crypto.go, subtlecrypto.go). */
export const CRYPTOGRAPHY = {
  components: {one: 'crypto provider', purpose: 'cryptography', policies: 'Crypto', counted: 'crypto'},
  errors: 'CRYPTO crypto',
  operations: {
    Encrypt: {http: 'PUT v1.0-alpha1/crypto/*/encrypt', grpc: 'v1alpha1/crypto', isStream: true},
    Decrypt: {http: 'PUT v1.0-alpha1/crypto/*/decrypt', grpc: 'v1alpha1/crypto', isStream: true},
    SubtleGetKey: subtle('getkey'),
    SubtleEncrypt: subtle('encrypt'),
    SubtleDecrypt: subtle('decrypt'),
    SubtleWrapKey: subtle('wrapkey'),
    SubtleUnwrapKey: subtle('unwrapkey'),
    SubtleSign: subtle('sign'),
    SubtleVerify: subtle('verify')
  }
} as const satisfies BlockApi

/** Locks (Dapr: pkg/api/http/lock.go). */
export const LOCK = {
  components: {one: 'lock store', purpose: 'locks', policies: 'Lock'},
  errors: 'LOCK lock',
  operations: {
    TryLock: {http: 'POST v1.0-alpha1/lock/*', grpc: 'v1alpha1/lock'},
    Unlock: {http: 'POST v1.0-alpha1/unlock/*', grpc: 'v1alpha1/unlock'}
  }
} as const satisfies BlockApi

/** Publish and subscribe (Dapr: pkg/api/http/http.go, constructPubSubEndpoints). */
export const PUBSUB = {
  components: {one: 'message bus', purpose: 'publish and subscribe', policies: 'Pubsub'},
  errors: 'PUBSUB pubsub',
  operations: {
    BulkPublishEvent: {
      http: 'POST PUT v1.0-alpha1/publish/bulk/*/** v1.0/publish/bulk/*/**',
      grpc: 'v1alpha1/publish v1/publish'
    },
    PublishEvent: {http: 'POST PUT v1.0/publish/*/**', grpc: 'v1/publish'},
    SubscribeTopicEvents: {grpc: 'v1alpha1/subscribe', isStream: true}
  }
} as const satisfies BlockApi

/** Secrets (Dapr: pkg/api/http/secrets.go). */
export const SECRETS = {
  components: {one: 'secret store', purpose: 'secrets', policies: 'Secretstore', counted: 'secret'},
  errors: 'SECRET|PERMISSION_DENIED secret',
  operations: {
    GetBulkSecret: {http: 'GET v1.0/secrets/*/bulk', grpc: 'v1/secrets'},
    GetSecret: {http: 'GET v1.0/secrets/*/*', grpc: 'v1/secrets'}
  }
} as const satisfies BlockApi

/** State (Dapr: pkg/api/http/http.go, constructStateEndpoints). */
export const STATE = {
  components: {one: 'state store', purpose: 'state', policies: 'Statestore', counted: 'state'},
  errors: 'ERR_STATE|DAPR_STATE|SUPPORTED_STATE state',
  operations: {
    GetState: {http: 'GET v1.0/state/*/*', grpc: 'v1/state'},
    DeleteState: {http: 'DELETE v1.0/state/*/*', grpc: 'v1/state'},
    SaveState: {http: 'POST PUT v1.0/state/*', grpc: 'v1/state'},
    GetBulkState: {http: 'POST PUT v1.0/state/*/bulk', grpc: 'v1/state'},
    ExecuteStateTransaction: {http: 'POST PUT v1.0/state/*/transaction', grpc: 'v1/state'},
    DeleteBulkState: {grpc: 'v1/state'},
    QueryState: {http: 'POST PUT v1.0-alpha1/state/*/query', grpc: 'v1alpha1/state', log: 'QueryStateAlpha1'}
  }
} as const satisfies BlockApi

/** Calls of other apps. Over HTTP they get all requests without another route (Dapr: pkg/api/http/directmessaging.go). */
export const INVOCATION = {
  errors: 'ERR_DIRECT_INVOKE service-invocation',
  operations: {InvokeService: {grpc: 'v1/invoke'}}
} as const satisfies BlockApi

/** Own API of a sidecar (Dapr: pkg/api/http: healthz.go, metadata.go, shutdown.go). */
export const RUNTIME = {
  errors: 'HEALTH health',
  operations: {
    Healthz: {http: 'GET v1.0/healthz'},
    HealthzOutbound: {http: 'GET v1.0/healthz/outbound'},
    GetMetadata: {http: 'GET v1.0/metadata', grpc: 'v1/metadata'},
    SetMetadata: {http: 'PUT v1.0/metadata/*', grpc: 'v1/metadata', log: 'PutMetadata'},
    Shutdown: {http: 'POST v1.0/shutdown', grpc: 'v1/shutdown'}
  }
} as const satisfies BlockApi

const JOBS_GRPC = 'v1alpha1/jobs v1/jobs'

/** Jobs (Dapr: pkg/api/http/jobs.go). */
export const JOBS = {
  errors: 'SCHEDULER job',
  operations: {
    ScheduleJob: {http: 'POST v1.0-alpha1/jobs/* v1.0/jobs/*', grpc: JOBS_GRPC},
    DeleteJob: {http: 'DELETE v1.0-alpha1/jobs/* v1.0/jobs/*', grpc: JOBS_GRPC},
    GetJob: {http: 'GET v1.0-alpha1/jobs/* v1.0/jobs/*', grpc: JOBS_GRPC},
    DeleteJobsByPrefix: {grpc: JOBS_GRPC},
    ListJobs: {grpc: JOBS_GRPC}
  }
} as const satisfies BlockApi

const WORKFLOWS_GRPC = 'v1alpha1/workflows v1beta1/workflows'

const on = (method: string, path: string): Operation => ({
  http: `${method} v1.0-alpha1/workflows/${path} v1.0-beta1/workflows/${path} v1.0/workflows/${path}`,
  grpc: WORKFLOWS_GRPC
})

/** Workflows (Dapr: pkg/api/http/workflow.go). */
export const WORKFLOWS = {
  errors: 'WORKFLOW|INSTANCE_ID workflow',
  operations: {
    GetWorkflow: on('GET', '*/*'),
    RaiseEventWorkflow: on('POST', '*/*/raiseEvent/*'),
    StartWorkflow: on('POST', '*/*/start'),
    PauseWorkflow: on('POST', '*/*/pause'),
    ResumeWorkflow: on('POST', '*/*/resume'),
    TerminateWorkflow: on('POST', '*/*/terminate'),
    PurgeWorkflow: on('POST', '*/*/purge')
  }
} as const satisfies BlockApi
