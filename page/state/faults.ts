import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {listen} from './run.ts'

/** The active faults, in the order in which they are matched. */
export const faults = signal<readonly Api.Fault[]>([])

listen('reset', run => (faults.value = run.faults))
listen('fault', ({change, fault}) => {
  const others = faults.value.filter(({number}) => number !== fault.number)
  faults.value = change === 'off' ? others : [...others, fault].toSorted((a, b) => a.number - b.number)
})
