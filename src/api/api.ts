// api/ answers questions about a run: its calls, who calls whom. It is loaded by the first request for it, and knows neither the control
// socket nor the terminal. Requests are those of `/api/v1`, described in `schema/api.yaml`.
import {messageOf, UserError} from '../model/errors.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import type {Deaths} from '../telemetry/recorder/deaths.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import {callsQuery, listCalls, oneCall} from './calls.ts'
import {edgeViews} from './edges.ts'
import {oneDeath, whyOf} from './why.ts'

/** Whether an app takes calls, and what it waits for. */
export interface NotRunning {
  readonly id: string
  readonly name: string
  readonly isReady: boolean
  /** Why calls to it wait, or fail; '' = they do not. */
  readonly reason: string
}

export interface ApiContext {
  readonly recorder: CallRecorder
  /** Undefined: no process has ended yet that nobody asked to. */
  readonly deaths: Deaths | undefined
  readonly apps: () => readonly NotRunning[]
  /** Names whose values are masked besides the usual ones. */
  readonly masked: () => readonly string[]
}

export interface ApiRequest {
  readonly method: string
  /** Without `/api/v1`. */
  readonly path: string
  readonly parameters: URLSearchParams
}

export interface ApiResponse {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** A problem as RFC 9457 has it; `hint` says what to do. */
const problem = (status: number, detail: string, hint = ''): ApiResponse => ({
  status,
  type: 'application/problem+json',
  body: JSON.stringify({status, detail, ...(hint === '' ? {} : {hint})})
})

const json = (value: unknown): ApiResponse => ({status: 200, type: 'application/json', body: JSON.stringify(value)})

/** Answers one request. Never throws. */
export async function handleApi(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  try {
    return await answer(context, request)
  } catch (error) {
    return problemOf(error)
  }
}

/** What went wrong: a mistake of who asks, or a fault of ours. */
export const problemOf = (error: unknown): ApiResponse =>
  error instanceof UserError ? problem(400, error.message, error.explanation) : problem(500, messageOf(error))

async function answer(context: ApiContext, {method, path, parameters}: ApiRequest): Promise<ApiResponse> {
  const {recorder, masked} = context
  const masking = new Masking(masked())
  const number = /^\/calls\/(\d{1,10})$/.exec(path)?.[1]
  if (method !== 'GET') return problem(405, `${method} is not possible here`, 'Use GET.')
  if (number !== undefined) return json(oneCall(recorder, Number(number), masking))
  if (path === '/calls') return json({last: recorder.last, calls: listCalls(recorder, callsQuery(parameters), masking)})
  if (path === '/edges') return json({edges: edgeViews(recorder)})
  const death = /^\/deaths\/(\d{1,10})$/.exec(path)?.[1]
  if (death !== undefined) return json(await oneDeath(context, Number(death), masking))
  const [, app] = /^\/apps\/([^/]+)\/why$/.exec(path) ?? []
  if (app !== undefined) return json(await whyOf(context, decodeURIComponent(app), masking))
  return problem(404, `there is no ${path}`, 'schema/api.yaml lists what there is.')
}
