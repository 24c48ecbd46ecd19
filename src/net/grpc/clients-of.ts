import {FrameClients} from '../http2/frame-clients.ts'
import type {Pool} from '../pool.ts'
import {isSecure} from './head-fields.ts'

/** The connections of a pool that carry many calls each. */
export const clientsOf = (pool: Pool, warn: (text: string) => void): FrameClients =>
  (pool.frameClients ??= new FrameClients({hosts: pool.hosts, port: pool.port, isSecure: isSecure(pool), warn}))
