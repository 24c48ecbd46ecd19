import {durationText} from '../../model/duration.ts'
import type {RunEvent} from '../../model/events.ts'

type SleepEvent = Extract<RunEvent, {type: 'app-asleep' | 'app-woken'}>

/** `stock: asleep, nothing was under way for 10m`, `stock: woken by shop: GET items, took 312 ms`. */
export function sleepText(event: SleepEvent): string {
  if (event.type === 'app-woken') return `${event.id}: woken by ${event.cause}, took ${Math.round(event.tookMs)} ms`
  const {app, name, idleMs} = event
  return idleMs === 0
    ? `App id "${name}" starts with its first call. HTTP Port: ${app.httpPort}. gRPC Port: ${app.grpcPort}`
    : `${name}: asleep, nothing was under way for ${durationText(idleMs)}`
}
