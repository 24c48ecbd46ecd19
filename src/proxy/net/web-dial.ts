import type {Dial} from './dialer.ts'
import type {WebOptions} from './external-adapter.ts'
import {lazyConnect, ProtocolAdapter} from './protocol-adapter.ts'

/** How calls reach an external URL. */
export const webDial = (options: WebOptions): Dial => {
  const scheme = options.origin.protocol === 'https:' ? 'https' : 'http'
  const connect = lazyConnect(async () => (await import('./external-adapter.ts')).connectWeb(options))
  return {scheme, opens: 'connect', open: () => new ProtocolAdapter(connect)}
}
