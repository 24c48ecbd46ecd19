import {signal} from '@preact/signals'
import type {FaultRow} from '../../src/api/faults.ts'
import {listen} from './run.ts'

export type {FaultRow}

/** The faults that are on, in the order in which they decide. */
export const faults = signal<readonly FaultRow[]>([])

listen('reset', run => (faults.value = run.faults))
listen('fault', ({change, fault}) => {
  const others = faults.value.filter(({number}) => number !== fault.number)
  faults.value = change === 'off' ? others : [...others, fault].toSorted((a, b) => a.number - b.number)
})
