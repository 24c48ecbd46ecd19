import type {TypesOf} from '../component.ts'
import type {CryptoProvider} from '../crypto-provider.ts'

export const CRYPTO_TYPES: TypesOf<CryptoProvider> = {
  'dapr.jwks': {
    properties: ['jwks', 'minRefreshInterval', 'requestTimeout'],
    capabilities: [],
    load: async () => (await import('./jwks.ts')).open,
    usesFolder: true
  },
  'dapr.localstorage': {
    properties: ['path'],
    capabilities: [],
    load: async () => (await import('./local-storage.ts')).open,
    usesFolder: true
  }
}
