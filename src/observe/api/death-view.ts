import type * as Api from '../../model/api.generated.ts'
import {callInFlight, exitSentence} from '../../model/exit-sentence.ts'
import {endOf} from '../../model/exit-text.ts'
import {heldWorkText} from '../../work/workflow/held-work-text.ts'
import {contentOf} from '../telemetry/recorder/call-content.ts'
import type {SpanStore} from '../telemetry/otlp/span-store.ts'
import {thrownBefore} from './thrown-before.ts'
import type {Death} from '../telemetry/recorder/deaths.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {rowOf} from './call-view.ts'

const OUT_OF_MEMORY = 'An unexpected SIGKILL often means that the system ran out of memory: see dmesg'

export async function deathView(death: Death, masking: Masking, spans?: SpanStore): Promise<Api.Death> {
  const {exit, place, lines, advice} = death
  const isKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL'
  return {
    ...deathFacts(death, masking),
    place: await place(),
    thrown: spans === undefined ? [] : thrownBefore(death, masking, spans),
    lines: await lines(),
    hint: isKilled ? OUT_OF_MEMORY : ((await advice?.()) ?? '')
  }
}

/** All that is known without reading the log of the app. */
export function deathFacts(
  {number, app, name, version, exit, reason, at, livedMs, files, inside, own = [], work, earlier, finished}: Death,
  masking: Masking
): Omit<Api.Death, 'place' | 'thrown' | 'lines' | 'hint'> {
  const rows = inside.map(({call, forMs, count, times}) => ({
    ...rowOf(call, contentOf(call), masking),
    // the copy was made while it was in flight: that ended with the process
    isOpen: false,
    totalMs: forMs,
    forMs,
    count,
    times
  }))
  return {
    number,
    app,
    name,
    version,
    exit: endOf(exit),
    text: exitSentence({
      name,
      exit: endOf(exit),
      livedMs: exit.kind === 'spawn-error' ? undefined : livedMs,
      calls: [...rows, ...own],
      work: work.map(heldWorkText)
    }),
    reason,
    at: new Date(at).toISOString(),
    livedMs,
    files,
    inside: rows,
    ...(own.length > 0 && {own: own.map(callInFlight)}),
    work,
    earlier,
    finished: finished.map(call => rowOf(call, contentOf(call), masking))
  }
}
