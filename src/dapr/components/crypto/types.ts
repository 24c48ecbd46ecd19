import type {TypesOf} from '../component.ts'
import type {CryptoProvider} from '../crypto-provider.ts'

export const CRYPTO_TYPES: TypesOf<CryptoProvider> = {
  'dapr.jwks': {
    properties: ['jwks', 'minRefreshInterval', 'requestTimeout'],
    load: async () => (await import('./jwks.ts')).open,
    usesFolder: true
  },
  'dapr.localstorage': {
    properties: ['path'],
    load: async () => (await import('./local-storage.ts')).open,
    usesFolder: true
  }
}
