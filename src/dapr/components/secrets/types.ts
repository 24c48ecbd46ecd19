import type {TypesOf} from '../component.ts'
import type {SecretStore} from '../secret-store.ts'

export const SECRET_TYPES: TypesOf<SecretStore> = {
  'local.env': {properties: ['prefix'], load: async () => (await import('./local-env.ts')).open},
  'local.file': {
    properties: ['secretsFile', 'nestedSeparator', 'multiValued'],
    load: async () => (await import('./local-file.ts')).open,
    usesFolder: true
  }
}
