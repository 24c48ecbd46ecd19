import type {Replays} from '../observe/api/route.ts'
import type {CallContext} from '../proxy/gateway/call-context.ts'
import type {FaultSwitch} from '../proxy/faults/faults.ts'
import type {Emit, RunEvent} from '../model/events.ts'
import {OUTSIDE} from '../model/call.ts'
import {Once} from '../model/once.ts'
import type {Pins, Round} from '../observe/replay/pins.ts'
import type {Replay} from '../observe/replay/replayer.ts'
import type {RequestText, Resent, CallPlace} from '../observe/replay/send.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {FLAG} from '../observe/telemetry/recorder/call-lines.ts'
import type {Masking} from '../observe/telemetry/recorder/masking.ts'
import {reachable} from '../model/address.ts'
import type {RunRecorder} from './run-recorder.ts'

export interface RunReplaysOptions {
  readonly recorder: RunRecorder
  readonly runtimes: () => readonly AppRuntime[]
  readonly sidecars: ReadonlyMap<AppRuntime, unknown>
  readonly faults: FaultSwitch
  readonly emit: Emit
  /** Called for each call that was replayed, or could not be. */
  readonly replayed: (replay: Replay) => void
}

/** Sends calls of a run again. The first request loads the code. */
export class RunReplays {
  readonly #options: RunReplaysOptions
  readonly #open = new Once<Replays>()
  #pins: Pins | undefined

  constructor(options: RunReplaysOptions) {
    this.#options = options
  }

  readonly open = async (): Promise<Replays> => this.#open.do(async () => this.#load())

  noticed(event: RunEvent): void {
    if (event.type === 'reloaded' && event.files.length > 0) this.#pins?.saved(event.id, event.files)
    else if (event.type === 'stopping') void this.#close()
  }

  async #load(): Promise<Replays> {
    const [{Replayer}, {Pins: PinsOfRun}, {roundTexts}, {Masking: Masks}] = await Promise.all([
      import('../observe/replay/replayer.ts'),
      import('../observe/replay/pins.ts'),
      import('./replay-text.ts'),
      import('../observe/telemetry/recorder/masking.ts')
    ])
    const {recorder, runtimes, sidecars, faults, emit, replayed} = this.#options
    const masking = (): Masking => new Masks(recorder.masked)
    const replayer = new Replayer({
      recorder: recorder.calls,
      deaths: () => recorder.deaths,
      placeOf: ({flags, edgeOf: {caller, callee}}) =>
        (flags & FLAG.published) === 0
          ? sidecarPlace([...sidecars.keys()].find(({id}) => id === (caller === OUTSIDE ? callee : caller)))
          : publishedPlace(runtimes().find(({id}) => id === callee)),
      deliver: async ({edgeOf: {caller, callee}}, request, signal) => {
        const app = runtimes().find(runtime => runtime.id === callee && sidecars.has(runtime) && takesCalls(runtime))
        if (app === undefined) return {status: 0, why: `${callee} takes no calls`}
        return delivered(app, caller, request, {observer: recorder.calls, faults}, signal)
      },
      whyUnavailable: id => {
        const all = runtimes().filter(runtime => runtime.id === id)
        return whyNot(
          id,
          all,
          all.filter(runtime => sidecars.has(runtime))
        )
      },
      mayReplay: id => runtimes().every(({id: each, plan}) => each !== id || plan.replay),
      masking,
      report: replayed
    })
    const pins = new PinsOfRun(replayer, (round: Round, replays: readonly Replay[]) => {
      for (const text of roundTexts(round, replays, masking())) emit({type: 'replayed', text})
    })
    this.#pins = pins
    return {replayer, pins}
  }

  async #close(): Promise<void> {
    const open = await this.#open.begun?.catch(() => undefined)
    open?.replayer.close()
    open?.pins.close()
  }
}

/** Sends a request to an app as its sidecar does. Like the original, it waits in the queue, may get an injected fault, and is recorded. */
async function delivered(
  app: AppRuntime,
  from: string,
  request: RequestText,
  calls: Pick<CallContext, 'observer' | 'faults'>,
  signal: AbortSignal
): Promise<Resent> {
  const [{requestApp}, {HeldBodies}] = await Promise.all([
    import('../proxy/gateway/app-request.ts'),
    import('../proxy/gateway/held-bodies.ts')
  ])
  const context = {heldBodies: new HeldBodies(), ...calls}
  const response = await requestApp({app, context, from, ...request, signal, warn: () => undefined})
  return response.kind === 'response' ? {status: response.status, why: ''} : {status: 0, why: response.why}
}

function publishedPlace(runtime: AppRuntime | undefined): CallPlace | undefined {
  const {host = '', number = 0} = runtime?.plan.published ?? {}
  const [near = '127.0.0.1'] = reachable(host === '' ? [] : [host])
  return number === 0 ? undefined : {host: near.replaceAll(/[[\]]/g, ''), port: number}
}

function sidecarPlace(runtime: AppRuntime | undefined): CallPlace | undefined {
  const [host] = reachable(runtime?.plan.sidecar.listenAddresses ?? [])
  return runtime && host !== undefined ? {host: host.replaceAll(/[[\]]/g, ''), port: runtime.ports.httpPort} : undefined
}

/** Why calls to an app are refused, or wait indefinitely; '' if they are not, or the app is not part of the run. */
function whyNot(id: string, all: readonly AppRuntime[], open: readonly AppRuntime[]): string {
  if (all.length > 0 && open.length === 0) return `${id} is stopped: pillion start ${id} brings it back`
  const [first] = open
  return first === undefined || open.some(takesCalls) ? '' : first.queue.reason
}

/** Whether an app accepts calls, or soon will. */
const takesCalls = ({queue, obstacle, app: {state}}: AppRuntime): boolean =>
  queue.state === 'open' ||
  (queue.state === 'held' && obstacle === '' && (state.phase !== 'backoff' || state.until !== Infinity))
