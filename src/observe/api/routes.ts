import type * as Api from '../../model/api.generated.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {ApiContext, ApiRequest, RouteTable} from './route.ts'
import {
  deathsOf,
  maskedEnvironment,
  launchOf,
  act,
  appsNamed,
  readAppName,
  assignService,
  listServices,
  removeService,
  lendSidecar
} from './apps.ts'
import {callsQuery, listCalls, oneCall, followCalls} from './calls.ts'
import {edgeViews, graphView} from './edges.ts'
import {addFault, enableFaults, listFaults, removeFaults} from './faults.ts'
import {sendLogs, sendRunLogs} from './logs.ts'
import {pinCall, pinsOf, replayCall, serveReplays, unpin} from './replays.ts'
import {ApiProblem, givenObject} from './problem.ts'
import type {KnownWork} from './run-facts.ts'
import {runView} from './run-view.ts'
import type {RunControl} from '../../control/run-control.ts'
import {troublesOf} from './troubles.ts'
import {oneDeath, whyOf} from './why.ts'

/** Returns a function that creates handlers. Their code is loaded by the request, with the kept work: reminders, jobs, workflows. Creates no file. */
const withWork =
  <C, W>(load: () => Promise<C>, part: (work: KnownWork) => W) =>
  <T>(answer: (code: C, part: W, request: ApiRequest, context: ApiContext) => T) =>
  async (context: ApiContext, request: ApiRequest): Promise<Awaited<T>> => {
    const [work, code] = await Promise.all([context.work.known(), load()])
    return await answer(code, part(work), request, context)
  }

const withWorkflows = withWork(
  async () => import('./workflows/serve-workflows.ts'),
  ({workflows}) => workflows
)
const withJobs = withWork(
  async () => import('./jobs/serve-jobs.ts'),
  ({jobs}) => jobs
)
const withScheduled = withWork(
  async () => import('./jobs/serve-scheduled.ts'),
  work => work
)

/** The handler of each request of `schema/api.yaml`. Code that few need is loaded by the request. */
export const ROUTES: RouteTable = {
  'GET /run': runView,
  'POST /stop': {
    onSocket: ({control}, {response}) => {
      // the answer ends with the process, so that the client sees when the run is gone
      response.writeHead(200, {'content-type': 'text/plain'}).flushHeaders()
      control.stop()
      return undefined
    }
  },
  'GET /apps': ({control}) => ({apps: control.list().apps}),
  'GET /apps/{id}': ({control}, {at}) => ({apps: appsNamed(control.list().apps, readAppName(at))}),
  'POST /apps/{id}/restart': async (context, {at}) => act(context, 'restart', readAppName(at)),
  'POST /apps/{id}/stop': async (context, {at}) => act(context, 'stop', readAppName(at)),
  'POST /apps/{id}/start': async (context, {at}) => act(context, 'start', readAppName(at)),
  'POST /apps/{id}/debug': {onSocket: async (context, {at}) => act(context, 'debug', readAppName(at))},
  'GET /apps/{id}/launch': {isPlain: true, onSocket: async ({control}, {at}) => launchOf(control, readAppName(at))},
  'GET /apps/{id}/sidecar': {onSocket: ({control}, request) => lendSidecar(control, readAppName(request.at), request)},
  'GET /apps/{id}/terminal': {
    onSocket: async ({control}, request) =>
      (await import('./terminal.ts')).showTerminal(control, readAppName(request.at), request)
  },
  'POST /apps/{id}/terminal': {
    isLarge: true,
    isBytes: true,
    onSocket: async ({control}, request) =>
      (await import('./terminal.ts')).typeInto(control, readAppName(request.at), request)
  },
  'GET /apps/{id}/logs': async (context, request) => sendLogs(context, readAppName(request.at), request),
  'GET /apps/{id}/why': async (context, {at}) => whyOf(context, readAppName(at), maskingOf(context)),
  'GET /troubles': async context => ({troubles: await troublesOf(context, maskingOf(context))}),
  'GET /apps/{id}/environment': async (context, {at}) => maskedEnvironment(context, readAppName(at)),
  'GET /apps/{id}/deaths': (context, {at}) => deathsOf(context, readAppName(at)),
  'GET /apps/{id}/docs': async ({control}, {at}) =>
    (await import('./docs-page.ts')).docsPageOf(appsNamed(control.list().apps, readAppName(at))[0]),
  'GET /deaths/{number}': async (context, {at}) => oneDeath(context, Number(at['number']), maskingOf(context)),
  'GET /logs': async (context, request) => sendRunLogs(context, request),
  'GET /calls': async (context, {query, response}) => {
    const {recorder} = context
    if (query.has('follow')) return followCalls(context, query, response)
    return {last: recorder.last, calls: await listCalls(recorder, callsQuery(query), maskingOf(context))}
  },
  'GET /calls/{number}': (context, {at}) => oneCall(context.recorder, Number(at['number']), maskingOf(context)),
  'GET /requests': async (context, {query}) => {
    const {q, limit} = callsQuery(query)
    return {requests: await (await import('./trace/list-requests.ts')).listRequests(context, q, limit)}
  },
  'GET /trace': async (context, {query}) =>
    (await import('./trace/request-tree.ts')).requestTree(context, query.get('q') ?? ''),
  'GET /calls.{format}': async (context, request) =>
    (await import('./export/export-calls.ts')).exportCalls(context, request),
  'GET /graph': ({recorder, plans, control}) => {
    const asleep = control.list().apps.filter(({state}) => state === 'asleep')
    return graphView(
      edgeViews(recorder),
      plans(),
      asleep.map(({id}) => id)
    )
  },
  'GET /template': async context => (await import('./template.ts')).templateView(context, maskingOf(context)),
  'GET /usage': async ({control}) => (await import('./traffic.ts')).usageView(control.list().apps),
  'GET /traffic': async ({recorder}) => (await import('./traffic.ts')).recentTraffic(recorder),
  'GET /edges': ({recorder}) => ({edges: edgeViews(recorder)}),
  'GET /events': async (context, request) =>
    (await import('./events/serve-events.ts')).serveEvents(context, await context.events(), request),
  'POST /wait': async (context, request) =>
    (await import('./wait/serve-wait.ts')).serveWait(await context.waits(), request),
  'GET /faults': context => listFaults(context),
  'POST /faults': (context, {body}) => addFault(context, body),
  'POST /faults/{number}': (context, {body, at}) => addFault(context, body, Number(at['number'])),
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
  'GET /workflows': withWorkflows((code, workflows, {query}) => code.listInstances(workflows, query)),
  'POST /workflows': async (context, request) => {
    const {startInstance} = await import('./workflows/serve-workflows.ts')
    return startInstance(context, await context.work.workflows(), request)
  },
  'POST /workflows/purge': withWorkflows(async (code, workflows, request) => code.purgeInstances(workflows, request)),
  'POST /workflows/replay': withWorkflows(async (code, workflows, request) => code.replayInstance(workflows, request)),
  'GET /workflow': withWorkflows((code, workflows, request) => code.oneInstance(workflows, request)),
  'GET /workflow/history': withWorkflows((code, workflows, request) => code.oneHistory(workflows, request)),
  'GET /workflow/timeline': withWorkflows(async (code, workflows, request, context) =>
    code.oneTimeline(workflows, request, context.plans())
  ),
  'POST /workflow/{action}': withWorkflows(async (code, workflows, request) => code.changeInstance(workflows, request)),
  'GET /jobs': withJobs(async (code, jobs, {query}) => code.listJobs(jobs, query)),
  'GET /job': withJobs(async (code, jobs, {query}) => code.oneJob(jobs, query)),
  'POST /job/{change}': withJobs(async (code, jobs, request) => code.changeJob(jobs, request)),
  'GET /scheduled': withScheduled(async (code, work, {query}) => code.listScheduled(work, query)),
  'POST /scheduled/delete': withScheduled(async (code, work, request) => code.deleteScheduled(work, request)),
  'GET /scheduled/jobs': {
    isPlain: true,
    onSocket: withScheduled(async (code, {jobs}, {query}) => code.keptJobs(jobs, query))
  },
  'POST /scheduled/jobs': {
    isLarge: true,
    onSocket: async (context, request) => {
      const {takeJobs} = await import('./jobs/serve-scheduled.ts')
      return takeJobs(await context.work.jobs(), request)
    }
  },
  'GET /actors': async ({actors}) => (await actorsCode()).listTypes(actors),
  'GET /actors/of': async ({actors}, {query}) => (await actorsCode()).listActors(actors, query),
  'GET /actor': async (context, {query}) => (await actorsCode()).oneActor(context.actors, query, maskingOf(context)),
  'GET /reminders': async ({actors}, {query}) => (await actorsCode()).listReminders(actors, query),
  'GET /reminder': async ({actors}, {query}) => (await actorsCode()).oneReminder(actors, query),
  'POST /reminder/run': async ({actors}, request) => (await actorsCode()).changeReminder(actors, 'run', request),
  'POST /reminder/delete': async ({actors}, request) => (await actorsCode()).changeReminder(actors, 'delete', request),
  'POST /skip': withWorkflows(async (code, workflows, request) => code.skipTime(workflows, request)),
  'GET /services': ({control}) => listServices(control),
  'POST /services/{name}/{version}/assign': {onSocket: ({control}, request) => assignService(control, request)},
  'DELETE /services/{name}/{version}': {onSocket: async ({control}, request) => removeService(control, request)},
  'GET /notifications': ({control}) => control.notifications(),
  'POST /show': {
    onSocket: async ({control}, {body}) =>
      control.show(givenObject(body, '{"kind": "end"}') as unknown as Api.ShowRequest)
  },
  'DELETE /redis/{number}': {onSocket: async ({control}, {at}) => releaseRedis(control, Number(at['number']))},
  'GET /copies': async context => (await import('./copies.ts')).copiesView(context),
  'POST /copies/{number}/dashboard': async (context, {at}) =>
    (await import('./copies.ts')).openCopy(context, Number(at['number'])),
  'POST /dashboard': {onSocket: async ({control}, {query}) => control.dashboard(Number(query.get('port') ?? 0))},
  'GET /openapi.json': async (_, {response}) => {
    const {default: text} = await import('./openapi.generated.js')
    response.writeHead(200, {'content-type': 'application/json'}).end(text)
    return undefined
  }
}

async function releaseRedis(control: RunControl, port: number): Promise<Api.Released> {
  if (await control.releaseRedis(port)) return {port}
  throw new ApiProblem(404, `the run holds no Redis at port ${port}`)
}

const actorsCode = async (): Promise<typeof import('./actors/serve-actors.ts')> => import('./actors/serve-actors.ts')

const maskingOf = ({masked}: ApiContext): Masking => new Masking(masked())
