import type {App} from '../../model/api.generated.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'

/** Time after which the apps of a slow start are reported, once. */
const SLOW_MS = 10_000
const MAX_NAMED = 5

/**
 * Reports once, 10 s after the start lines, the apps that are not ready yet. The returned function cancels the report.
 */
export const tellLateStart = (
  run: {readonly control: {list(): {readonly apps: readonly App[]}} | undefined},
  tell: (text: string) => void,
  clock: Clock = systemClock
): (() => void) =>
  clock.after(SLOW_MS, () => {
    const late = (run.control?.list().apps ?? []).filter(isLate)
    if (late.length > 0) void lateText(late).then(tell)
  })

/** Whether an app has not been ready since its first start. An app in a restart or reload does not count. */
const isLate = ({availability, state, restarts}: App): boolean =>
  availability === 'waiting' && restarts === 0 && (state === 'idle' || state === 'starting')

/** `not ready after 10 s: db (starting), api (waits for db)`. */
async function lateText(late: readonly App[]): Promise<string> {
  const [{nameText}, {stateText}] = await Promise.all([import('./app-table.ts'), import('../../model/app-words.ts')])
  const named = late.slice(0, MAX_NAMED).map(app => `${nameText(app)} (${stateText(app, Date.now())})`)
  const more = late.length > named.length ? [`${late.length - named.length} more`] : []
  return `not ready after ${SLOW_MS / 1000} s: ${[...named, ...more].join(', ')}; "pillion why" says what is waited for`
}
