import {exitCodeOf, type AppState, type Exit} from '../model/app-state.ts'
import type {Availability} from '../model/availability.ts'
import type {AppPlan} from '../model/plan.ts'
import type {AppFacts} from '../model/events.ts'
import {endOf} from '../model/exit-text.ts'
import type {Opening} from './opening.ts'

/** The properties of an app that its listing needs. */
interface Listable {
  readonly id: string
  readonly plan: AppPlan
  readonly appPort: number
  readonly pid: number
  readonly app: {readonly state: AppState}
  readonly opening: Pick<Opening, 'ports' | 'logs' | 'createdAt' | 'listens' | 'program' | 'status'>
  readonly isDebugged: boolean
  readonly isExcepted: boolean
  readonly isBetweenOpenings: boolean
}

/** Returns the facts about an app for listings: `pillion list`, the page, events. */
export function listedApp(
  {id, plan, appPort, pid, app, opening, isDebugged, isExcepted, isBetweenOpenings}: Listable,
  availability: Availability
): AppFacts {
  const {channel} = plan
  const {ports, logs, createdAt, listens, program, status} = opening
  const {state} = app
  // hides the exit of the previous process while an edit is about to start the next one
  const exit = isBetweenOpenings ? undefined : lastExit(state)
  return {
    ...plannedFacts(plan),
    id,
    state: isBetweenOpenings ? 'starting' : stateOf(state, {isDebugged, isExcepted}, availability),
    isReady: availability === 'ready',
    availability,
    pid,
    exitCode: exit === undefined ? null : exitCodeOf(exit),
    exit: exit === undefined ? '' : endOf(exit),
    restarts: Math.max(0, program.starts - 1),
    createdAt: time(createdAt),
    startedAt: time(status.startedAt),
    restartsAt: state.phase === 'backoff' && state.until !== Infinity ? time(state.until) : null,
    waitsFor: status.waitsFor,
    loop: status.loop,
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
  {isDebugged, isExcepted}: Pick<Listable, 'isDebugged' | 'isExcepted'>,
  availability: Availability
): AppFacts['state'] {
  if (availability === 'stopped') return 'stopped'
  return isDebugged && !isExcepted ? 'debugging' : phase
}

/** Returns the facts about an app that is not open, such as a stopped one. */
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

/** Returns the URL of an app's published port; '': the template has no `port` for it. */
function publishedUrl({published}: AppPlan): string {
  if (published === undefined) return ''
  const {number, host} = published
  // whether `localhost` reaches a listener at this address
  const isLocal = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|::1?|)$/.test(host)
  const name = isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${number}`
}

const time = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

function lastExit(state: AppState): Exit | undefined {
  if (state.phase === 'backoff' || state.phase === 'asleep') return state.last
  return state.phase === 'exited' ? state.exit : undefined
}
