// api/ answers questions about a run: its calls, who calls whom. It is loaded by the first request for it, and knows neither the control
// socket nor the terminal. Requests are those of `/api/v1`, described in `schema/api.yaml`.
import {messageOf, UserError} from '../model/errors.ts'
import type {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import {callsQuery, listCalls, oneCall} from './calls.ts'
import {edgeViews} from './edges.ts'

export interface ApiContext {
  readonly recorder: CallRecorder
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
export function handleApi(context: ApiContext, request: ApiRequest): ApiResponse {
  try {
    return answer(context, request)
  } catch (error) {
    return problemOf(error)
  }
}

/** What went wrong: a mistake of who asks, or a fault of ours. */
export const problemOf = (error: unknown): ApiResponse =>
  error instanceof UserError ? problem(400, error.message, error.explanation) : problem(500, messageOf(error))

function answer({recorder, masked}: ApiContext, {method, path, parameters}: ApiRequest): ApiResponse {
  const masking = new Masking(masked())
  const number = /^\/calls\/(\d{1,10})$/.exec(path)?.[1]
  if (method !== 'GET') return problem(405, `${method} is not possible here`, 'Use GET.')
  if (number !== undefined) return json(oneCall(recorder, Number(number), masking))
  if (path === '/calls') return json({last: recorder.last, calls: listCalls(recorder, callsQuery(parameters), masking)})
  if (path === '/edges') return json({edges: edgeViews(recorder)})
  return problem(404, `there is no ${path}`, 'schema/api.yaml lists what there is.')
}
