import type {BlockApi} from './block-api.ts'

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
