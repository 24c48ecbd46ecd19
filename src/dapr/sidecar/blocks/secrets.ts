import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {Secret, SecretStore} from '../../components/secret-store.ts'
import {isSecretAllowed} from '../../../files/resources/secret-scopes.ts'
import {BlockError, rethrowAs, daprError} from './block-error.ts'
import {AppBlock} from './block-context.ts'

/** The error for a missing secret. Policies do not retry it, since the store works. */
class NotFound extends Error {}

const isNotFound = (error: unknown): boolean => error instanceof NotFound

/** The secrets of one app (Dapr: pkg/api/universal/secrets.go). */
export class Secrets extends AppBlock {
  async get(storeName: string, name: string, onGone?: OnGone): Promise<Secret> {
    const store = await this.#store(storeName)
    if (!this.#isAllowed(storeName, name))
      throw new BlockError(
        [403, 'permissionDenied', 'ERR_PERMISSION_DENIED'],
        `access denied by policy to get ${JSON.stringify(name)} from ${JSON.stringify(storeName)}`
      )
    const words = `failed getting secret with key ${name} from secret store ${storeName}: `
    return this.#call(storeName, 'get', onGone, async () => {
      const secret = await store.get(name)
      if (secret === undefined) throw new NotFound(`secret ${name} not found`)
      return secret
    }).catch(rethrowAs([500, 'internal', 'ERR_SECRET_GET'], words))
  }

  async all(storeName: string, onGone?: OnGone): Promise<Readonly<Record<string, Secret>>> {
    const store = await this.#store(storeName)
    const failed = rethrowAs(
      [500, 'internal', 'ERR_SECRET_GET'],
      `failed getting secrets from secret store ${storeName}: `
    )
    const secrets = await this.#call(storeName, 'bulk_get', onGone, async () => store.all()).catch(failed)
    return Object.fromEntries(Object.entries(secrets).filter(([name]) => this.#isAllowed(storeName, name)))
  }

  async #call<T>(name: string, operation: string, onGone: OnGone | undefined, work: () => Promise<T>): Promise<T> {
    return this.context.outbound({block: 'secretstores', name, operation, isFinal: isNotFound, onGone}, work)
  }

  #isAllowed(store: string, name: string): boolean {
    return isSecretAllowed(this.context.configuration().secretScopes, store, name)
  }

  async #store(name: string): Promise<SecretStore> {
    const {component} = await this.context.component('secretstores', name, {
      none: daprError(
        [500, 'failedPrecondition', 'ERR_SECRET_STORES_NOT_CONFIGURED'],
        'secret store is not configured'
      ),
      unknown: daprError(
        [401, 'invalidArgument', 'ERR_SECRET_STORE_NOT_FOUND'],
        `failed finding secret store with key ${name}`
      )
    })
    return component
  }
}
