import type {Figure} from '../figure.ts'
import {pumped} from '../pump.ts'

/** Lines a second of an app that writes each line by itself. */
export const pumpLines: Figure = {
  name: 'pump-lines',
  needs: ['cc'],
  measure: async scale => pumped('pump, line by line', scale, 1)
}
