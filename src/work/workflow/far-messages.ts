import type {Parent} from './instance.ts'
import {TEXT, TIME} from './messages.ts'

/* Messages between runs: apps of one do what workflows of the other ask for. */

/** A child workflow that an app of another run is to start. */
export const CHILD_REQUEST = {
  id: [1, 'string'],
  name: [2, 'string'],
  input: [3, {message: TEXT}],
  parent: [4, {message: {app: [1, 'string'], id: [2, 'string'], execution: [3, 'string'], task: [4, 'int32']}}],
  /** The traceparent of its parent. */
  trace: [5, 'string'],
  /** PropagatedHistory */
  received: [6, 'bytes'],
  isDetached: [7, 'bool'],
  /** The child is to be terminated; its input is the output that it ends with. */
  isEnded: [8, 'bool'],
  /** When it is to start; left out: at once. */
  startAt: [9, {message: TIME}]
} as const

/** What another run gets to do: an ActivityRequest or a CHILD_REQUEST, and the app that asks for it. */
export const FAR_ITEM = {
  activityRequest: [2, 'bytes'],
  childRequest: [3, 'bytes'],
  source: [4, 'string'],
  completionToken: [10, 'string']
} as const

export const FAR_ANSWER = {
  instanceId: [1, 'string'],
  taskId: [2, 'int32'],
  result: [3, {message: TEXT}],
  failureDetails: [4, 'bytes'],
  completionToken: [5, 'string'],
  isFailed: [6, 'bool']
} as const

/** A child in an app of another run, as its parent knows it. */
export interface FarChild {
  readonly app: string
  readonly id: string
  readonly parent: Omit<Parent, 'task'>
}

/** Purges such a child with its descendants in its own run; returns their number, undefined: no run has the app. Rejects with a WorkflowError. */
export type PurgeFar = (child: FarChild, isForced: boolean) => Promise<number | undefined>
