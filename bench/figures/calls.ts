import type {Figure} from '../figure.ts'
import {againstNginx} from '../pair.ts'

/** Calls a second from app to app with 32 connections. */
export const calls: Figure = {
  name: 'calls',
  needs: ['go', 'wrk'],
  measure: async scale => [{name: 'calls', unit: '/s', ...(await againstNginx(scale, 32, ({perSecond}) => perSecond))}]
}
