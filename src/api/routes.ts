import {Masking} from '../telemetry/recorder/masking.ts'
import type {ApiContext} from './api-context.ts'
import {deathsOf, environmentOf} from './app-details.ts'
import {appViews, runView} from './app-view.ts'
import {act, appsNamed, readAppName} from './apps.ts'
import {callsQuery, listCalls, oneCall} from './calls.ts'
import {edgeViews} from './edges.ts'
import {addFault, enableFaults, listFaults, removeFaults} from './faults.ts'
import {followCalls} from './follow-calls.ts'
import {graphView} from './graph.ts'
import {sendLogs, sendRunLogs} from './logs.ts'
import {pinCall, pinsOf, replayCall, serveReplays, unpin} from './replays.ts'
import type {Routes} from './route.ts'
import {oneDeath, whyOf} from './why.ts'

/** What is done for each request of `schema/api.yaml`. What few ask for is loaded by the request. */
export const ROUTES: Routes = {
  'GET /run': context => runView(context.control.list(), context),
  'GET /apps': ({control, recorder}) => ({apps: appViews(control.list().apps, recorder)}),
  'GET /apps/{id}': ({control, recorder}, {at}) => ({
    apps: appViews(appsNamed(control.list().apps, readAppName(at)), recorder)
  }),
  'POST /apps/{id}/restart': async (context, {at}) => act(context, 'restart', readAppName(at)),
  'POST /apps/{id}/stop': async (context, {at}) => act(context, 'stop', readAppName(at)),
  'POST /apps/{id}/start': async (context, {at}) => act(context, 'start', readAppName(at)),
  'GET /apps/{id}/logs': async (context, request) => sendLogs(context, readAppName(request.at), request),
  'GET /apps/{id}/why': async (context, {at}) => whyOf(context, readAppName(at).id, maskingOf(context)),
  'GET /apps/{id}/environment': async (context, {at}) => environmentOf(context, readAppName(at)),
  'GET /apps/{id}/deaths': (context, {at}) => deathsOf(context, readAppName(at)),
  'GET /deaths/{number}': async (context, {at}) => oneDeath(context, Number(at['number']), maskingOf(context)),
  'GET /logs': async (context, request) => sendRunLogs(context, request),
  'GET /calls': async (context, {query, response}) => {
    const {recorder} = context
    if (query.has('follow')) return followCalls(context, query, response)
    return {last: recorder.last, calls: await listCalls(recorder, callsQuery(query), maskingOf(context))}
  },
  'GET /calls/{number}': (context, {at}) => oneCall(context.recorder, Number(at['number']), maskingOf(context)),
  'GET /calls.{format}': async (context, request) =>
    (await import('./export/export-calls.ts')).exportCalls(context, request),
  'GET /graph': ({recorder, plans}) => graphView(edgeViews(recorder), plans()),
  'GET /template': async context => (await import('./template.ts')).templateView(context, maskingOf(context)),
  'GET /edges': ({recorder}) => ({edges: edgeViews(recorder)}),
  'GET /events': async (context, request) =>
    (await import('./events/serve-events.ts')).serveEvents(context, await context.events(), request),
  'POST /wait': async (context, request) =>
    (await import('./wait/serve-wait.ts')).serveWait(await context.waits(), request),
  'GET /faults': context => listFaults(context),
  'POST /faults': (context, {body}) => addFault(context, body),
  'DELETE /faults': context => removeFaults(context),
  'DELETE /faults/{number}': (context, {at}) => removeFaults(context, Number(at['number'])),
  'POST /faults/{number}/{verb}': (context, {at}) =>
    enableFaults(context, at['verb'] === 'enable', Number(at['number'])),
  'POST /faults/disable': context => enableFaults(context, false),
  'POST /faults/enable': context => enableFaults(context, true),
  'POST /calls/{number}/replay': async (context, request) => replayCall(context, Number(request.at['number']), request),
  'POST /replays': async (context, request) => serveReplays(context, request),
  'GET /pins': pinsOf,
  'POST /pins': async (context, request) => pinCall(context, request),
  'DELETE /pins': async context => unpin(context),
  'DELETE /pins/{number}': async (context, {at}) => unpin(context, Number(at['number'])),
  'GET /openapi.json': async (_, {response}) => {
    const {default: text} = await import('./openapi.generated.js')
    response.writeHead(200, {'content-type': 'application/json'}).end(text)
    return undefined
  }
}

const maskingOf = ({masked}: ApiContext): Masking => new Masking(masked())
