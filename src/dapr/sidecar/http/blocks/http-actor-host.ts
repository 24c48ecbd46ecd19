import {requestApp, type AppResponse} from '../../../../proxy/gateway/app-request.ts'
import type {ActorAnswer, ActorHost, ActorRequest, Firing} from '../../../../work/actor/actor-host.ts'
import type {SidecarActorsOptions} from '../../actor-access.ts'
import {escapedSegment} from '../go-path.ts'
import {timedFiring} from '../../blocks/timed-firing.ts'
import {actorLines, actorPath} from './actor-request.ts'

const NOTHING = Buffer.alloc(0)

/** Header lines of an answer that belong to its connection. */
const OF_CONNECTION = /^(?:content-length|date):[^\n]*\n/gim
/** Header that the .NET SDK sets, in place of an error status, when the actor reports an error. */
const OWN_ERROR = /^x-daprerrorresponseheader:/im
const CANCELS = /^x-daprremindercancel:[ \t]*true[ \t]*\r?$/im
const REENTRANCY = /^dapr-reentrancy-id:[^\n]*\n/gim

/** Sends the turns of actors to an HTTP app that hosts them (Dapr: pkg/actors/internal/transport/http). */
export class HttpActorHost implements ActorHost {
  readonly #options: SidecarActorsOptions

  constructor(options: SidecarActorsOptions) {
    this.#options = options
  }

  get app(): string {
    return this.#options.runtime.id
  }

  get instance(): string {
    return this.#options.runtime.home
  }

  get state(): ActorHost['state'] {
    const {queue, isUnhealthy, isListening} = this.#options.runtime
    if (queue.state === 'shut') return isUnhealthy ? 'held' : 'shut'
    return queue.isOpen && isListening ? 'open' : 'held'
  }

  get reason(): string {
    return this.#options.runtime.queue.reason
  }

  get isBusy(): boolean {
    return this.#options.runtime.queue.inFlight.size > 0
  }

  get holdMs(): number {
    return this.#options.runtime.queue.timeoutMs
  }

  async send(request: ActorRequest, isForced: boolean): Promise<ActorAnswer> {
    return timedFiring(this.#options.policies(), request, async timed => this.#send(timed, isForced))
  }

  async #send(request: ActorRequest, isForced: boolean): Promise<ActorAnswer> {
    const {work, caller, reentrancyId, onStop, journal} = request
    const isMethod = work.kind === 'method'
    const chain = reentrancyId === '' ? '' : `Dapr-Reentrancy-Id: ${reentrancyId}\r\n`
    const lines = journal?.request.lines ?? actorLines(request)
    const {runtime, context, log} = this.#options
    const response = await requestApp({
      app: runtime,
      context,
      caller: caller && isMethod ? {app: caller.app, protocol: work.protocol} : undefined,
      from: isMethod ? undefined : work.kind,
      journal,
      method: 'PUT',
      path: journal?.call.path ?? actorPath(request),
      lines: (chain === '' ? lines : lines.replace(REENTRANCY, '')) + chain,
      body: isMethod ? work.body : firingBody(work),
      onStop,
      isForced,
      warn: text => log('warn', text)
    })
    return actorAnswerOf(response)
  }

  async deactivate(type: string, id: string, signal: AbortSignal | undefined): Promise<boolean> {
    const {runtime, context, log} = this.#options
    const response = await requestApp({
      app: runtime,
      context,
      method: 'DELETE',
      path: `/actors/${escapedSegment(type)}/${escapedSegment(id)}`,
      lines: 'Content-Type: application/x-protobuf\r\n',
      body: NOTHING,
      signal,
      isForced: true,
      warn: text => log('warn', text)
    })
    if (response.kind === 'response' && response.status === 200) return true
    const why = response.kind === 'response' ? `status ${response.status}` : response.why
    log('warn', `failed to deactivate actor ${type}||${id}: ${why}`)
    return false
  }
}

const member = (name: string, value: string): string => `"${name}":${JSON.stringify(value)}`

/** Returns the body for a timer or reminder. Only a timer's body has its schedule. */
function firingBody({kind, callback, dueTime, period, data}: Firing): Buffer {
  const members = [
    ...(kind === 'timer' ? [member('callback', callback)] : []),
    ...(data === undefined ? [] : [`"data":${data}`]),
    member('dueTime', kind === 'timer' ? dueTime : ''),
    member('period', kind === 'timer' ? period : '')
  ]
  return Buffer.from(`{${members.join(',')}}`)
}

export function actorAnswerOf(response: AppResponse): ActorAnswer {
  if (response.kind === 'unreachable') return {kind: 'lost', why: response.why, wasSent: response.wasSent}
  const {status, lines, body} = response
  if (status === 404) return {kind: 'unknown'}
  if (status !== 200) return {kind: 'failed', status, text: body.toString()}
  return {
    kind: 'done',
    lines: lines.replace(OF_CONNECTION, ''),
    body,
    isError: OWN_ERROR.test(lines),
    isCancelled: CANCELS.test(lines)
  }
}
