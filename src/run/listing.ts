import {dirname} from 'node:path'
import type {RunListing} from '../control/run-control.ts'
import type {Registrant} from '../control/server.ts'
import type {RunIdentity} from '../control/run-file.ts'
import type {App} from '../model/api.generated.ts'
import type {Plan} from '../model/plan.ts'
import {startOf} from '../platform/process-table.ts'
import {VERSION} from '../model/version.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {longestGraceMs} from '../supervisor/run-watchdog.ts'
import {plannedFacts} from '../supervisor/listed-app.ts'
import {recentView} from '../observe/api/edges.ts'
import type {Edges} from '../observe/telemetry/recorder/edges.ts'
import {reachable} from '../model/address.ts'
import type {Apps} from './apps/apps.ts'
import type {RunContext} from './run-context.ts'

/** Returns the registered facts of a run. */
export const registrantOf = (
  {plan, run}: Pick<RunContext, 'plan' | 'run'>,
  names: Pick<RunIdentity, 'names' | 'project' | 'entrance'>
): Registrant => ({
  marker: run,
  graceMs: longestGraceMs(plan.apps),
  identity: {...runIdentity(plan), ...names},
  name: {asked: plan.copy, folder: plan.file === '' ? process.cwd() : dirname(plan.file)}
})

/** Returns the facts by which commands identify this run without its answer: it may be suspended. */
const runIdentity = ({file, copy = '', apps, asked}: Plan): RunIdentity => ({
  pid: process.pid,
  name: '', // the registration chooses the name
  copy,
  started: startOf(process.pid),
  templateFile: file,
  appIds: apps.map(({id}) => id),
  ...(asked !== undefined && {asked})
})

export interface Listed extends Pick<RunContext, 'plan' | 'run' | 'startedAt'> {
  readonly name: string
  readonly isTemplateFollowed: boolean
  readonly isEnding: boolean
  readonly apps: Apps
  readonly edges: Edges
  readonly isMain: (runtime: AppRuntime) => boolean
  readonly sidecarOf: (runtime: AppRuntime) => OpenSidecar | undefined
  /** The number of turns and activities of workflows that wait for a worker of the app. */
  readonly waitingWork: (runtime: AppRuntime) => number
  readonly shown: Pick<RunListing, 'answeredBy' | 'answersFor' | 'dashboardUrl'>
  /** The URL of an app by its name. */
  readonly nameOf: (id: string) => Pick<App, 'nameUrl'>
}

/** Describes the run for other processes, such as `pillion ps`. */
export function listingOf({
  plan,
  name,
  run,
  startedAt,
  isTemplateFollowed,
  isEnding,
  apps,
  edges,
  shown,
  ...of
}: Listed): RunListing {
  const recent = edges.recentCalls()
  const recentOf = (id: string): App['recent'] => recentView(recent.get(id) ?? NO_CALLS)
  return {
    version: VERSION,
    name,
    run,
    pid: process.pid,
    startedAt: new Date(startedAt).toISOString(),
    template: {file: plan.file, name: plan.name},
    folder: process.cwd(),
    isTemplateFollowed,
    ...(isEnding && {isEnding}),
    ...movedPorts(plan),
    ...shown,
    apps: [
      ...apps.all.map(runtime => ({
        ...runtime.listing(),
        ...sidecarHost(runtime),
        ...of.nameOf(runtime.id),
        isMain: of.isMain(runtime),
        circuitBreakers: of.sidecarOf(runtime)?.breakers.map(({endpoint: {key}, state}) => ({name: key, state})) ?? [],
        recent: recentOf(of.isMain(runtime) ? runtime.id : `${runtime.id}@${runtime.plan.version}`),
        waitingWork: of.waitingWork(runtime),
        waitingEvents: (of.sidecarOf(runtime)?.backlogs ?? []).reduce((sum, {manyWaiting}) => sum + manyWaiting, 0),
        ...(runtime.isStopped && CLOSED)
      })),
      ...apps.leftOut().map(app => ({
        ...plannedFacts(app),
        ...of.nameOf(app.id),
        isMain: true,
        circuitBreakers: [],
        recent: recentOf(app.id),
        waitingWork: 0,
        waitingEvents: 0
      }))
    ]
  }
}

function movedPorts({movedPorts: all = new Map()}: Plan): Pick<RunListing, 'movedPorts'> {
  const moved = [...all].filter(([from, to]) => from !== to)
  return moved.length === 0 ? {} : {movedPorts: Object.fromEntries(moved)}
}

function sidecarHost({plan}: AppRuntime): Pick<App, 'sidecarHost'> {
  const [host = ''] = reachable(plan.sidecar.listenAddresses)
  return host === '127.0.0.1' ? {} : {sidecarHost: /^[^[]*:/.test(host) ? `[${host}]` : host}
}

const NO_CALLS = {calls: 0, failed: 0, p95Ms: 0}

/** Facts of an app that the user has stopped: its sidecar is closed. */
const CLOSED = {state: 'stopped', isReady: false, availability: 'stopped', httpPort: 0, grpcPort: 0} as const
