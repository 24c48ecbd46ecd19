import type {AppRuntime} from '../app-runtime.ts'

/** The part of an app that the start order needs. */
export type Startable = Pick<
  AppRuntime,
  | 'id'
  | 'name'
  | 'plan'
  | 'app'
  | 'progress'
  | 'sidecar'
  | 'pid'
  | 'fault'
  | 'isGivenUp'
  | 'start'
  | 'waits'
  | 'giveUp'
  | 'reset'
  | 'sleep'
  | 'startAsleep'
  | 'isDebugged'
>
