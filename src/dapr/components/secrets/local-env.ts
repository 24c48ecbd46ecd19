import {variableOf} from '../../../model/environment.ts'
import type {OpenComponent} from '../component.ts'
import type {Secret, SecretStore} from '../secret-store.ts'

/** Variables that hold tokens and settings of the sidecar itself (components-contrib: secretstores/local/env, isKeyAllowed). */
const isOwn = (name: string): boolean => name === 'APP_API_TOKEN' || name.toUpperCase().startsWith('DAPR_')

/** `secretstores.local.env`: the environment of this process. A missing variable is an empty secret. */
export const open: OpenComponent<SecretStore> = async ({properties, env}) => {
  const prefix = properties.text('prefix')
  const allowed = env['DAPR_ENV_KEYS']?.split(/[\s,]+/)
  const isAllowed = (name: string): boolean => !isOwn(name) && (allowed?.includes(name) ?? true)
  const valueOf = (name: string): string => (isAllowed(prefix + name) ? variableOf(env, prefix + name) : '')
  return {
    capabilities: [],
    get: async (name): Promise<Secret> => ({[name]: valueOf(name)}),
    all: async () => {
      const names = Object.keys(env).filter(name => name.startsWith(prefix) && isAllowed(name))
      return Object.fromEntries(
        names.map(name => name.slice(prefix.length)).map(name => [name, {[name]: valueOf(name)}])
      )
    }
  }
}
