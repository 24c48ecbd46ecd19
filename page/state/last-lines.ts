import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {linesBefore} from '../logs/history.ts'
import {instanceName} from '../../src/model/plan.ts'
import {appList, endAll, listen, targetOf} from './run.ts'

/** Maximum number of apps whose last line is requested when the page is opened. */
const MAX_ASKED = 200

/** The number of lines requested for one app: enough to include one of its own, besides Pillion's lines about it. */
const FEW = 10

/** The last line of each app, by instance name; updated only between `followLastLines` and its end. */
export const lastLines = signal<ReadonlyMap<string, Api.Line>>(new Map())

const keep = (lines: readonly Api.Line[]): void => {
  if (lines.length === 0) return
  const changed = new Map(lastLines.value)
  // a line that Pillion writes about a crash is not a line of the app
  const written = lines.filter(({line, stream}) => line.trim() !== '' && stream !== 'status')
  for (const line of written) {
    const before = changed.get(line.app)?.time ?? ''
    if (line.time === null || line.time >= before) changed.set(line.app, line)
  }
  lastLines.value = changed
}

// another run may lack what an app wrote in the one before
listen('another', () => (lastLines.value = new Map()))

/** New lines are shown even if earlier ones cannot be loaded. */
const later = (): void => undefined

/** Keeps `lastLines` up to date until the returned function is called. */
export function followLastLines(): () => void {
  const gone = new AbortController()
  const load = async (): Promise<void> => keep(await linesBefore(1000, gone.signal))
  const begin = async (): Promise<void> => {
    await load()
    // apps without a recent line are asked for one by one, so that other requests do not wait behind theirs
    for (const app of appList.value.slice(0, MAX_ASKED)) {
      const name = instanceName(app.id, app.instance)
      if (lastLines.value.has(name)) continue
      const lines = await linesBefore(FEW, gone.signal, targetOf(app).name)
      if (!lastLines.value.has(name)) keep(lines)
    }
  }
  begin().catch(later)
  return endAll(
    () => gone.abort(),
    listen('lines', ({lines}) => keep(lines)),
    listen('following', () => void load().catch(later)),
    listen('another', () => void begin().catch(later))
  )
}
