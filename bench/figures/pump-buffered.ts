import type {Figure} from '../figure.ts'
import {pumped} from '../pump.ts'

/** Lines a second of an app that writes 10 KB at a time. */
export const pumpBuffered: Figure = {
  name: 'pump-buffered',
  needs: ['cc'],
  measure: async scale => pumped('pump, buffered', scale, 10_000)
}
