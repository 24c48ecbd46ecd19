import type {Figure} from '../figure.ts'
import {paced as callPaced} from '../paced.ts'
import {compared} from '../pair.ts'

const CALLS_A_SECOND = 5000

/** The 99.9th percentile of calls from app to app at an even pace. */
export const paced: Figure = {
  name: 'paced',
  needs: ['go'],
  measure: async scale =>
    compared(scale, {
      name: 'p99.9, 5,000 calls/s',
      unit: 'ms',
      call: async (url, seconds) => {
        const {requests, p999} = await callPaced(url, CALLS_A_SECOND, seconds)
        return {requests, value: p999 / 1000}
      }
    })
}
