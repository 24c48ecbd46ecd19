import {TEXT, TIME} from './messages.ts'

/* Messages between runs: apps of one do what workflows of the other ask for. */

/** A child that an app is to start. */
export const CHILD_REQUEST = {
  id: [1, 'string'],
  name: [2, 'string'],
  input: [3, {message: TEXT}],
  parent: [4, {message: {app: [1, 'string'], id: [2, 'string'], execution: [3, 'string'], task: [4, 'int32']}}],
  /** The place of its parent in a trace. */
  trace: [5, 'string'],
  /** PropagatedHistory */
  received: [6, 'bytes'],
  isDetached: [7, 'bool'],
  /** It is to be terminated, with its input as what it ends with. */
  isEnded: [8, 'bool'],
  /** When it is to start; left out: at once. */
  startAt: [9, {message: TIME}]
} as const

/** What came of a task. */
export const FAR_ANSWER = {
  instanceId: [1, 'string'],
  taskId: [2, 'int32'],
  result: [3, {message: TEXT}],
  failureDetails: [4, 'bytes'],
  completionToken: [5, 'string'],
  isFailed: [6, 'bool']
} as const
