import {randomBytes} from 'node:crypto'
import type {Guards} from '../manager-api.ts'
import type {AppPlan} from '../../model/plan.ts'
import {hostGuard, isToken} from '../../gateway/guards.ts'

/** The words by which callers get in at the manager's routes: the run's own, and one of each service. */
export class Tokens {
  readonly #own: string
  readonly #ofServices = new Map<string, string>()

  constructor(shell: Readonly<Record<string, string | undefined>>) {
    this.#own = shell['DAPR_API_TOKEN'] ?? ''
  }

  /** A service's, the same for all its processes. */
  of({id, version}: AppPlan): string {
    const key = `${id}_${version}`
    const token = this.#ofServices.get(key) ?? randomBytes(32).toString('hex')
    this.#ofServices.set(key, token)
    return token
  }

  /** Who may ask at a sidecar that listens here. */
  guards(listenAddresses: readonly string[]): Guards {
    return {
      isAllowedHost: hostGuard(listenAddresses),
      isLetIn: (apiToken, authorization) =>
        this.#own === '' || isToken(apiToken, this.#own) || this.#isBearer(authorization)
    }
  }

  #isBearer(authorization: string): boolean {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
    return [...this.#ofServices.values()].some(token => isToken(bearer, token))
  }
}
