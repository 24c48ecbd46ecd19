import type {Figure} from '../figure.ts'
import {load} from '../load.ts'
import {compared} from '../pair.ts'

/** Calls a second from app to app with 32 connections. */
export const calls: Figure = {
  name: 'calls',
  needs: ['go', 'wrk'],
  measure: async scale =>
    compared(scale, {
      name: 'calls',
      unit: '/s',
      call: async (url, seconds) => {
        const {requests, perSecond: value} = await load({url, connections: 32, seconds})
        return {requests, value}
      }
    })
}
