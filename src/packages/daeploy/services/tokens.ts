import {randomBytes} from 'node:crypto'
import type {Environment} from '../../../model/environment.ts'
import type {ManagerGuards} from '../manager-api.ts'
import type {AppPlan} from '../../../model/plan.ts'
import type {PageGuard} from '../../../proxy/gateway/page-guard.ts'
import {hostGuard, isToken} from '../../../proxy/gateway/guards.ts'

/** Tokens for the manager's routes: one of the run, and one for each service. */
export class Tokens {
  readonly #runToken: string
  readonly #ofServices = new Map<string, string>()

  constructor(env: Environment) {
    this.#runToken = env['DAPR_API_TOKEN'] ?? ''
  }

  /** The token of a service, the same for all its processes. */
  of({id, version}: AppPlan): string {
    const key = `${id}_${version}`
    const token = this.#ofServices.get(key) ?? randomBytes(32).toString('hex')
    this.#ofServices.set(key, token)
    return token
  }

  /** The access checks of a port that listens on these addresses. */
  guards(listenAddresses: readonly string[], pages: PageGuard): ManagerGuards {
    return {
      pages,
      isAllowedHost: hostGuard(listenAddresses),
      isAuthorized: (apiToken, authorization) =>
        this.#runToken === '' || isToken(apiToken, this.#runToken) || this.#isBearer(authorization)
    }
  }

  #isBearer(authorization: string): boolean {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
    return [...this.#ofServices.values()].some(token => isToken(bearer, token))
  }
}
