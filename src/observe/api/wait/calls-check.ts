import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {Edge} from '../../telemetry/recorder/edges.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import type {Condition} from './condition.ts'
import {impossible, met, waiting, type WaitCheck} from './standing.ts'
import {appsCalled, type Since, type WaitContext} from './wait-context.ts'

type Wanted = Extract<Condition, {kind: 'calls'}>

/** A number of `calls` have ended since then, from one app to another if these are given. */
export function callsCheck({recorder, apps}: WaitContext, {from, to, count}: Wanted, since: Since): WaitCheck {
  const isMeant = ({caller, callee}: Edge): boolean => (from === '' || caller === from) && (to === '' || callee === to)
  const before = since.at === -Infinity ? 0 : endedBefore(recorder, isMeant, since.at)
  const isKept = (app: string): boolean => {
    const meant = appsCalled(apps(), app)
    return meant.length === 0 || meant.some(({isRecorded}) => isRecorded)
  }
  return {
    look: () => {
      const ended = total(recorder, isMeant) - before
      if (ended >= count) return met(`${ended} calls have ended`)
      if (!isKept(from) || !isKept(to)) return impossible('these calls are not recorded (record: false)')
      return waiting(`${ended} of ${count} calls have ended`)
    }
  }
}

const total = ({edges}: CallRecorder, isMeant: (edge: Edge) => boolean): number =>
  edges.all.reduce((sum, edge) => (isMeant(edge) ? sum + edge.calls : sum), 0)

/** How many had ended then, as far as calls are kept. */
function endedBefore(recorder: CallRecorder, isMeant: (edge: Edge) => boolean, at: number): number {
  let since = 0
  for (const number of recorder.numbers()) {
    const line = recorder.line(number)
    if (line === undefined || !isMeant(line.edgeOf)) continue
    // the edges do not count replays
    if ((line.flags & (FLAG.open | FLAG.replay)) === 0 && line.startedAt + line.totalMs > at) since++
  }
  return total(recorder, isMeant) - since
}
