// api/ answers questions about a run: its calls, who calls whom. It is loaded by the first request for it, and knows neither the control
// socket nor the terminal. Requests are those of `/api/v1`, described in `schema/api.yaml`.
import {Masking} from '../telemetry/recorder/masking.ts'
import {appViews, runView} from './app-view.ts'
import {detailOf, isDetail} from './app-details.ts'
import {act, ACTIONS, appsNamed, readAppName, type AppName} from './apps.ts'
import {callsQuery, listCalls, oneCall} from './calls.ts'
import {edgeViews} from './edges.ts'
import type {ApiContext} from './api-context.ts'
import type {ApiRequest} from './api-request.ts'
import {answerFaults, isOfFaults} from './faults.ts'
import {graphView} from './graph.ts'
import {answerReplays, isOfReplays} from './replays.ts'
import {json, notAllowed, problem, problemOf, type ApiResponse} from './problem.ts'
import {oneDeath, whyOf} from './why.ts'

/** Answers one request. Never throws. */
export async function handleApi(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  try {
    return await answer(context, request)
  } catch (error) {
    return problemOf(error)
  }
}

async function answer(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const {recorder, masked} = context
  const {method, path, parameters} = request
  const masking = new Masking(masked())
  const ofApp = /^\/apps\/([^/]+)(?:\/([a-z]+))?$/.exec(path)
  if (ofApp !== null) return answerApp(context, method, readAppName(ofApp[1] ?? ''), ofApp[2] ?? '')
  if (isOfFaults(path)) return json(answerFaults(context, request))
  if (isOfReplays(path)) return answerReplays(context, request, request.gone ?? new AbortController().signal)
  const number = /^\/calls\/(\d{1,10})$/.exec(path)?.[1]
  if (method !== 'GET') return notAllowed(method, 'GET')
  if (path === '/run') return json(runView(context.control.list(), context))
  if (path === '/apps') return json({apps: appViews(context.control.list().apps, recorder)})
  if (path === '/openapi.json') return (await import('./openapi.ts')).openapi()
  if (number !== undefined) return json(oneCall(recorder, Number(number), masking))
  if (path === '/calls') {
    const calls = await listCalls(recorder, callsQuery(parameters), masking)
    return json({last: recorder.last, calls})
  }
  if (path === '/template') return json(await (await import('./template.ts')).templateView(context, masking))
  if (path === '/edges') return json({edges: edgeViews(recorder)})
  if (path === '/graph') return json(graphView(edgeViews(recorder), context.plans()))
  const death = /^\/deaths\/(\d{1,10})$/.exec(path)?.[1]
  if (death !== undefined) return json(await oneDeath(context, Number(death), masking))
  return nothing(path)
}

async function answerApp(context: ApiContext, method: string, name: AppName, what: string): Promise<ApiResponse> {
  const {control, recorder} = context
  const action = ACTIONS.find(each => each === what)
  if (what === 'why' && method === 'GET') return json(await whyOf(context, name.id, new Masking(context.masked())))
  if (isDetail(what) && method === 'GET') return json(await detailOf(context, name, what))
  if (what !== '' && action === undefined) return nothing(`/apps/${name.id}/${what}`)
  const wanted = action === undefined ? 'GET' : 'POST'
  if (method !== wanted) return notAllowed(method, wanted)
  if (action === undefined) return json({apps: appViews(appsNamed(control.list().apps, name), recorder)})
  return json({apps: await act(control, recorder, action, name)})
}

const nothing = (path: string): ApiResponse =>
  problem(404, `there is no ${path}`, '/api/v1/openapi.json lists what there is.')
