import type {TypesOf} from '../component.ts'
import type {SecretStore} from '../secret-store.ts'

export const SECRET_TYPES: TypesOf<SecretStore> = {
  'local.env': {properties: ['prefix'], capabilities: [], load: async () => (await import('./local-env.ts')).open},
  'local.file': {
    properties: ['secretsFile', 'nestedSeparator', 'multiValued'],
    capabilities: [],
    load: async () => (await import('./local-file.ts')).open,
    usesFolder: true
  }
}
