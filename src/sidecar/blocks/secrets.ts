import {messageOf} from '../../model/errors.ts'
import type {Secret, SecretStore} from '../../components/secret-store.ts'
import {isSecretAllowed} from '../../resources/secret-scopes.ts'
import {BlockError} from './block-error.ts'
import type {BlockContext} from './block-context.ts'

/** The secrets of one app (Dapr: pkg/api/universal/secrets.go). */
export class Secrets {
  readonly #context: BlockContext

  constructor(context: BlockContext) {
    this.#context = context
  }

  async get(storeName: string, name: string): Promise<Secret> {
    const store = await this.#store(storeName)
    if (!this.#isAllowed(storeName, name))
      throw new BlockError(
        [403, 'permissionDenied', 'ERR_PERMISSION_DENIED'],
        `access denied by policy to get ${JSON.stringify(name)} from ${JSON.stringify(storeName)}`
      )
    const failed = (why: string): BlockError =>
      new BlockError(
        [500, 'internal', 'ERR_SECRET_GET'],
        `failed getting secret with key ${name} from secret store ${storeName}: ${why}`
      )
    let secret: Secret | undefined
    try {
      secret = await store.get(name)
    } catch (error) {
      throw failed(messageOf(error))
    }
    if (secret === undefined) throw failed(`secret ${name} not found`)
    return secret
  }

  /** Those that the app may read. */
  async all(storeName: string): Promise<Readonly<Record<string, Secret>>> {
    const store = await this.#store(storeName)
    try {
      const secrets = Object.entries(await store.all())
      return Object.fromEntries(secrets.filter(([name]) => this.#isAllowed(storeName, name)))
    } catch (error) {
      throw new BlockError(
        [500, 'internal', 'ERR_SECRET_GET'],
        `failed getting secrets from secret store ${storeName}: ${messageOf(error)}`
      )
    }
  }

  #isAllowed(store: string, name: string): boolean {
    return isSecretAllowed(this.#context.configuration().secretScopes, store, name)
  }

  async #store(name: string): Promise<SecretStore> {
    const {component} = await this.#context.component('secretstores', name, {
      none: why =>
        new BlockError(
          [500, 'failedPrecondition', 'ERR_SECRET_STORES_NOT_CONFIGURED'],
          `secret store is not configured${why}`
        ),
      unknown: why =>
        new BlockError(
          [401, 'invalidArgument', 'ERR_SECRET_STORE_NOT_FOUND'],
          `failed finding secret store with key ${name}${why}`
        )
    })
    return component
  }
}
