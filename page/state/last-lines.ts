import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {linesBefore} from '../logs/history.ts'
import {appList, listen} from './run.ts'

/** Maximum number of apps whose last line is requested when the page is opened. */
const MAX_ASKED = 200

/** The last line of an app is among this many, including ours. */
const FEW = 10

/** The last line of each app, by the name of the instance; only while they are followed. */
export const lastLines = signal<ReadonlyMap<string, Api.Line>>(new Map())

const keep = (lines: readonly Api.Line[]): void => {
  if (lines.length === 0) return
  const changed = new Map(lastLines.value)
  // what we say of a crash is no line of the app
  const written = lines.filter(({line, stream}) => line.trim() !== '' && stream !== 'status')
  for (const line of written) {
    const before = changed.get(line.app)?.time ?? ''
    if (line.time === null || line.time >= before) changed.set(line.app, line)
  }
  lastLines.value = changed
}

/** Keeps the last lines up to date until the function that is returned is called. */
export function followLastLines(): () => void {
  const gone = new AbortController()
  const stop = listen('lines', ({lines}) => keep(lines))
  const load = async (): Promise<void> => keep(await linesBefore(1000, gone.signal))
  const begin = async (): Promise<void> => {
    await load()
    // apps that have been silent for long: one after the other, so that nothing waits for them
    for (const {id} of appList.value.slice(0, MAX_ASKED)) {
      if (lastLines.value.has(id)) continue
      const lines = await linesBefore(FEW, gone.signal, id)
      if (!lastLines.value.has(id)) keep(lines)
    }
  }
  begin().catch(() => undefined) // then they come as they are written
  const stopFollowing = listen('following', () => void load().catch(() => undefined))
  return () => {
    gone.abort()
    stop()
    stopFollowing()
  }
}
