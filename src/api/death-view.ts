import {endOf} from '../model/exit-text.ts'
import {contentOf} from '../telemetry/recorder/call-content.ts'
import type {Death} from '../telemetry/recorder/deaths.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {rowOf, type CallRow} from './call-view.ts'

/** An unexpected exit. Times are in ms. */
export interface DeathView {
  readonly number: number
  readonly app: string
  readonly name: string
  /** `exited with code 3`, `was ended by SIGKILL`. */
  readonly exit: string
  /** ISO 8601. */
  readonly at: string
  readonly livedMs: number
  /** What was saved before the process was started. */
  readonly files: readonly string[]
  /** The calls in flight; `times`: in how many of the `earlier` exits the same request was in flight. */
  readonly inside: readonly (CallRow & {readonly forMs: number; readonly times: number})[]
  readonly earlier: number
  readonly finished: readonly CallRow[]
  readonly lines: readonly string[]
  /** What the exit may mean; '' = nothing that is not said already. */
  readonly hint: string
}

export async function deathView(death: Death, masking: Masking): Promise<DeathView> {
  const {number, app, name, exit, at, livedMs, files, inside, earlier, finished, lines} = death
  const isKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL'
  return {
    number,
    app,
    name,
    exit: endOf(exit),
    at: new Date(at).toISOString(),
    livedMs,
    files,
    inside: inside.map(({call, forMs, times}) => ({...rowOf(call, contentOf(call), masking), forMs, times})),
    earlier,
    finished: finished.map(call => rowOf(call, contentOf(call), masking)),
    lines: await lines(),
    hint: isKilled ? 'An unexpected SIGKILL often means that the system ran out of memory: see dmesg' : ''
  }
}
