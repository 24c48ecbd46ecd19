import type {CallObserver, SentRequest} from '../../../../model/call.ts'
import {CallJournal} from '../../../../proxy/net/call-journal.ts'
import type {ActorRequest, Firing} from '../../../../work/actor/actor-host.ts'
import {escapedSegment} from '../go-path.ts'

/** Returns path and query of a turn at the app (Dapr: pkg/actors/internal/transport/http). */
export function actorPath({type, id, work}: ActorRequest): string {
  const actor = `/actors/${escapedSegment(type)}/${escapedSegment(id)}/method/`
  return (
    actor + (work.kind === 'method' ? work.method.split('/').map(escapedSegment).join('/') + work.query : firing(work))
  )
}

const firing = ({kind, name}: Firing): string => `${kind === 'reminder' ? 'remind' : 'timer'}/${escapedSegment(name)}`

/** Returns the header lines of a turn, except the id of the reentrancy chain. */
export const actorLines = ({work}: ActorRequest): string =>
  work.kind === 'method' ? work.lines : 'Content-Type: application/json\r\n'

/** Begins the journal of a call of an actor, or of a timer or reminder. `app`: the app that hosts the type; without one, the type. */
export function actorJournal(observer: CallObserver | undefined, request: ActorRequest, app: string): CallJournal {
  const {caller, work} = request
  const path = actorPath(request)
  const isOwn = caller === undefined
  const call = {
    caller: caller?.app ?? app,
    callee: app,
    method: 'PUT',
    path,
    actor: request.type,
    isOwn,
    ...(isOwn && {from: work.kind})
  }
  // a replay sends a method call to its caller's sidecar, where it waits for its turn
  const target = isOwn ? path : `/v1.0${path}`
  const protocol = work.kind === 'method' ? work.protocol : 'none'
  const sent: SentRequest = {
    protocol,
    method: 'PUT',
    path: path.replace(/\?.*$/s, ''),
    lines: actorLines(request),
    target
  }
  return new CallJournal(call, sent, observer, undefined)
}
