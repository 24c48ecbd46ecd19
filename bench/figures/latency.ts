import type {Figure} from '../figure.ts'
import {load} from '../load.ts'
import {compared} from '../pair.ts'

/** The median time of a call from app to app with one connection. */
export const latency: Figure = {
  name: 'latency',
  needs: ['go', 'wrk'],
  measure: async scale =>
    compared(scale, {
      name: 'latency',
      unit: 'µs',
      call: async (url, seconds) => {
        const {requests, p50: value} = await load({url, connections: 1, seconds})
        return {requests, value}
      }
    })
}
