import {durationText} from '../../model/duration.ts'
import type {Reloaded, RunEvent} from '../../model/events.ts'

/** `order: reloaded in 412 ms (src/app.ts and 2 more), 31 requests held (longest 398 ms), 0 lost` */
export function reloadText({id, files, tookMs, held, longestMs, lost}: Reloaded): string {
  const requests = `${held} ${held === 1 ? 'request' : 'requests'} held`
  const longest = held === 0 ? '' : ` (longest ${whole(longestMs)} ms)`
  return `${id}: reloaded in ${whole(tookMs)} ms${because(files)}, ${requests}${longest}, ${lost} lost`
}

const whole = (ms: number): string => Math.round(ms).toString()

const because = ([file, ...others]: readonly string[]): string => {
  if (file === undefined) return ''
  return others.length === 0 ? ` (${file})` : ` (${file} and ${others.length} more)`
}

type SleepEvent = Extract<RunEvent, {type: 'app-asleep' | 'app-woken'}>

/** `stock: asleep, nothing was under way for 10m`, `stock: woken by shop: GET items, took 312 ms`. */
export function sleepText(event: SleepEvent): string {
  if (event.type === 'app-woken') return `${event.id}: woken by ${event.cause}, took ${Math.round(event.tookMs)} ms`
  const {app, name, idleMs} = event
  return idleMs === 0
    ? `App id "${name}" starts with its first call. HTTP Port: ${app.httpPort}. gRPC Port: ${app.grpcPort}`
    : `${name}: asleep, nothing was under way for ${durationText(idleMs)}`
}
