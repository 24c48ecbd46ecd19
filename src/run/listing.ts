import {NO_APP} from '../control/listing.ts'
import type {ListedApp, RunListing} from '../control/messages.ts'
import type {RunIdentity} from '../control/run-file.ts'
import type {AppPlan, Plan} from '../model/plan.ts'
import {startOf} from '../platform/process-table.ts'
import {VERSION} from '../model/version.ts'
import type {OpenSidecar} from '../sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {Apps} from './apps/apps.ts'

/** Who this run is, for commands that find it suspended. */
export const identityOf = ({file, apps}: Plan): RunIdentity => ({
  pid: process.pid,
  started: startOf(process.pid),
  templateFile: file,
  appIds: apps.map(({id}) => id)
})

export interface Listed {
  readonly plan: Plan
  /** The marker of the run. */
  readonly run: string
  readonly startedAt: number
  readonly isTemplateFollowed: boolean
  readonly apps: Apps
  readonly isMain: (runtime: AppRuntime) => boolean
  readonly sidecarOf: (runtime: AppRuntime) => OpenSidecar | undefined
}

/** The description of a run for other terminals. */
export const listingOf = ({plan, run, startedAt, isTemplateFollowed, apps, isMain, sidecarOf}: Listed): RunListing => ({
  version: VERSION,
  run,
  pid: process.pid,
  startedAt,
  templateFile: plan.file,
  templateName: plan.name,
  folder: process.cwd(),
  isTemplateFollowed,
  apps: [
    ...apps.all.map(runtime => ({
      ...runtime.listing(),
      isMain: isMain(runtime),
      circuitBreakers: (sidecarOf(runtime)?.breakers ?? []).map(({endpoint, state}) => ({name: endpoint.key, state})),
      ...(apps.isStopped(runtime) && CLOSED)
    })),
    ...apps.leftOut().map(listedLeftOut)
  ]
})

/** What differs in an app that the user has stopped: its sidecar is closed. */
const CLOSED = {state: 'stopped', isReady: false, availability: 'stopped', httpPort: 0, grpcPort: 0} as const

/** An app that has nothing open is listed like one that was stopped. */
const listedLeftOut = ({id, version, instance, channel, command, sidecar, dependsOn}: AppPlan): ListedApp => ({
  ...NO_APP,
  appId: id,
  appPort: channel.port,
  appProtocol: channel.protocol,
  command: command.join(' '),
  maxRequestBodySize: sidecar.maxBodyBytes,
  httpReadBufferSize: sidecar.readBufferBytes,
  version,
  instance,
  state: 'stopped',
  availability: 'stopped',
  waitsFor: dependsOn.map(each => each.id)
})
