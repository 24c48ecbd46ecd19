import type {Figure} from '../figure.ts'
import {againstNginx} from '../pair.ts'

/** The median time of a call from app to app with one connection. */
export const latency: Figure = {
  name: 'latency',
  needs: ['go', 'wrk'],
  measure: async scale => [{name: 'latency', unit: 'µs', ...(await againstNginx(scale, 1, ({p50}) => p50))}]
}
