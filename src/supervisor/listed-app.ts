import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'
import type {AppPlan} from '../model/plan.ts'
import type {SidecarPorts} from '../proxy/ports/claim.ts'
import type {Logs} from './lifecycle-log.ts'
import type {AppFacts} from '../model/listed-facts.ts'
import type {ExitLoop} from '../model/exit-loop.ts'
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
  readonly isBetweenOpenings: boolean
  readonly availability: Availability
}

/** Facts of its status; times are in ms since 1970, 0 for never. */
interface Known {
  readonly createdAt: number
  readonly startedAt: number
  readonly restarts: number
  readonly waitsFor: readonly string[]
  readonly loop: ExitLoop | null
  readonly listens: readonly number[]
}

/** Describes an app for others. */
export function listedApp(
  {id, plan, ports, appPort, pid, logs, app, isDebugged, isExcepted, isBetweenOpenings, availability}: Listable,
  {createdAt, startedAt, restarts, waitsFor, loop, listens}: Known
): AppFacts {
  const {channel} = plan
  const {state} = app
  // how the last process of an app has ended does not matter once the next one is about to start
  const exit = isBetweenOpenings ? undefined : lastExit(state)
  return {
    ...plannedFacts(plan),
    id,
    state: isBetweenOpenings ? 'starting' : stateOf(state, {availability, isDebugged, isExcepted}),
    isReady: availability === 'ready',
    availability,
    pid,
    exitCode: exit === undefined ? null : exitCodeOf(exit),
    exit: exit === undefined ? '' : endOf(exit),
    restarts,
    createdAt: time(createdAt),
    startedAt: time(startedAt),
    restartsAt: state.phase === 'backoff' && state.until !== Infinity ? time(state.until) : null,
    waitsFor,
    loop,
    appPort: channel.autoPort ? appPort : channel.port,
    url: publishedUrl(plan),
    listens: 'pid' in state ? listens : [],
    httpPort: ports.httpPort,
    grpcPort: ports.grpcPort,
    logFile: logs.app.path,
    sidecarLogFile: logs.sidecar.path
  }
}

function stateOf(
  {phase}: AppState,
  {availability, isDebugged, isExcepted}: Pick<Listable, 'availability' | 'isDebugged' | 'isExcepted'>
): AppFacts['state'] {
  if (availability === 'stopped') return 'stopped'
  return isDebugged && !isExcepted ? 'debugging' : phase
}

/** Describes an app that has nothing open, such as one that was stopped. */
export const plannedFacts = ({id, version, instance, channel, command, sidecar, dependsOn}: AppPlan): AppFacts => ({
  id,
  version,
  instance,
  state: 'stopped',
  isReady: false,
  availability: 'stopped',
  pid: 0,
  exitCode: null,
  exit: '',
  restarts: 0,
  createdAt: null,
  startedAt: null,
  restartsAt: null,
  waitsFor: dependsOn.map(each => each.id),
  loop: null,
  command: command.join(' '),
  appPort: channel.port,
  url: '',
  listens: [],
  appProtocol: channel.protocol,
  httpPort: 0,
  grpcPort: 0,
  maxRequestBodySize: sidecar.maxBodyBytes,
  httpReadBufferSize: sidecar.readBufferBytes,
  logFile: '',
  sidecarLogFile: ''
})

/** Returns the URL of an app for people and programs; '' if it has no `port`. */
function publishedUrl({published}: AppPlan): string {
  if (published === undefined) return ''
  const {number, host} = published
  // whether who calls `localhost` reaches what listens at this address
  const isLocal = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|::1?|)$/.test(host)
  const name = isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${number}`
}

const time = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

function lastExit(state: AppState): Exit | undefined {
  if (state.phase === 'backoff' || state.phase === 'asleep') return state.last
  return state.phase === 'exited' ? state.exit : undefined
}
