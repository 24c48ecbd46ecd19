import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {listen} from './run.ts'

/** A fault, and when the run sent it, in ms since 1970. */
export interface KnownFault extends Api.Fault {
  readonly at: number
}

/** The active faults, in the order in which they are matched. */
export const faults = signal<readonly KnownFault[]>([])

/** Returns whether a fault may hit more calls: the run keeps one that is spent. */
const isActive = ({times, hits}: Api.Fault): boolean => times === null || hits < times

listen('reset', (run, at) => (faults.value = run.faults.filter(isActive).map(fault => ({...fault, at}))))
listen('fault', ({change, fault}, at) => {
  const others = faults.value.filter(({number}) => number !== fault.number)
  const isOff = change === 'off' || !isActive(fault)
  faults.value = isOff ? others : [...others, {...fault, at}].toSorted((a, b) => a.number - b.number)
})
