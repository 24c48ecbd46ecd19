import {randomBytes} from 'node:crypto'
import type {Environment} from '../../../model/environment.ts'
import type {ManagerGuards} from '../manager-api.ts'
import type {AppPlan} from '../../../model/plan.ts'
import type {PageGuard} from '../../../proxy/gateway/page-guard.ts'
import {hostGuard, isToken} from '../../../proxy/gateway/guards.ts'
import {existsSync} from 'node:fs'
import {rowOfPeer, SOCKET_TABLES, socketTables, type Ends} from '../../../platform/proc-net.ts'

/** Tokens for the manager's routes: one of the run, and one for each service. */
export class Tokens {
  readonly #runToken: string
  readonly #ofServices = new Map<string, string>()

  constructor(env: Environment) {
    this.#runToken = env['DAPR_API_TOKEN'] ?? ''
  }

  /** Returns the token of a service, the same for all its processes. */
  of({id, version}: AppPlan): string {
    const key = `${id}_${version}`
    const token = this.#ofServices.get(key) ?? randomBytes(32).toString('hex')
    this.#ofServices.set(key, token)
    return token
  }

  /** Returns the access checks of a port that listens on these addresses. */
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

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/

/**
 * Whether a program of Pillion's user or of root, on this machine, is at the other end of a connection. Reads the owner from the tables of
 * proc(5). A system without these tables accepts any program on this machine. If the tables cannot be read, since no file descriptor is left,
 * no program is accepted.
 */
export function isOwnPeer(ends: Ends): boolean {
  if (!LOOPBACK.test(ends.remoteAddress ?? '')) return false
  if (!SOCKET_TABLES.some(existsSync)) return true
  const uid = rowOfPeer(socketTables(), ends)?.uid
  return uid === 0 || (uid !== undefined && uid === process.getuid?.())
}
