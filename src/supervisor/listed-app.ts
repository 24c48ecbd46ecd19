import type {ListedApp} from '../control/messages.ts'
import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'
import type {AppPlan} from '../model/plan.ts'
import type {SidecarPorts} from '../ports/claim.ts'
import type {Logs} from './lifecycle-log.ts'
import {endOf} from '../model/exit-text.ts'

/** The properties of an app that its description needs. */
interface Listable {
  readonly id: string
  readonly plan: AppPlan
  readonly ports: SidecarPorts
  readonly appPort: number
  readonly pid: number
  readonly logs: Logs
  readonly app: {readonly state: AppState}
  readonly isDebugged: boolean
  readonly isExcepted: boolean
  readonly availability: Availability
}

/** The description of an app for requests over the control socket. */
export function listedApp(
  {id, plan, ports, appPort, pid, logs, app, isDebugged, isExcepted, availability}: Listable,
  known: Pick<ListedApp, 'createdAt' | 'startedAt' | 'restarts' | 'waitsFor'>
): Omit<ListedApp, 'isMain' | 'circuitBreakers'> {
  const {channel, command, sidecar} = plan
  const {state} = app
  const exit = lastExit(state)
  return {
    ...known,
    appId: id,
    httpPort: ports.httpPort,
    grpcPort: ports.grpcPort,
    appPort: channel.autoPort ? appPort : channel.port,
    appProtocol: channel.protocol,
    command: command.join(' '),
    appPid: pid,
    maxRequestBodySize: sidecar.maxBodyBytes,
    httpReadBufferSize: sidecar.readBufferBytes,
    appLogPath: logs.app.path,
    daprdLogPath: logs.sidecar.path,
    version: plan.version,
    instance: plan.instance,
    state: availability === 'stopped' ? 'stopped' : isDebugged && !isExcepted ? 'debugging' : state.phase,
    isReady: availability === 'ready',
    availability,
    exitCode: exit === undefined ? -1 : exitCodeOf(exit),
    exit: exit === undefined ? '' : endOf(exit),
    restartsAt: state.phase === 'backoff' && state.until !== Infinity ? state.until : 0
  }
}

/** The exit of its latest process. */
function lastExit(state: AppState): Exit | undefined {
  if (state.phase === 'backoff') return state.last
  return state.phase === 'exited' ? state.exit : undefined
}
