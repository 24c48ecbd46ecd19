import {connect, type Socket} from 'node:net'
import {livingRun, type RunIdentity} from '../control/run-file.ts'
import {spaceNameOf} from '../control/space.ts'
import {openPortOf} from '../dapr/components/redis/redis-servers.ts'
import {copiedEnds} from '../platform/proc-net.ts'
import {relay} from '../proxy/published/pass-on.ts'
import {NearbyCopies} from './nearby-copies.ts'
import type {RunContext} from './run-context.ts'

/** Passes on clients of the Redis that this run serves to the own Redis of the copy whose process has connected. */
export class RedisOfCopies {
  readonly #env: RunContext['env']
  readonly #runs: NearbyCopies
  readonly #isOwn: (port: number) => boolean

  /** `isOwn`: whether this run has its own Redis in place of that at a port. */
  constructor(context: Pick<RunContext, 'env' | 'plan'>, isOwn: (port: number) => boolean) {
    this.#env = context.env
    this.#isOwn = isOwn
    this.#runs = new NearbyCopies(context, runs => runs)
  }

  readonly route = (port: number, client: Socket, serve: () => void): void => {
    const home = this.#runs.homeAt(copiedEnds(client))
    const run = home === undefined ? undefined : livingRun(home)
    if (run === undefined || (run.pid === process.pid && !this.#isOwn(port))) serve()
    else void this.#pass(port, client, run).then(isPassed => isPassed || serve())
  }

  /** Resolves with false if the copy has no Redis of its own. */
  async #pass(port: number, client: Socket, {templateFile, copy}: RunIdentity): Promise<boolean> {
    const own = await openPortOf(port, spaceNameOf(this.#env, {file: templateFile, copy}))
    if (own === undefined) return false
    const there = connect({port: own, host: 'localhost', allowHalfOpen: true, noDelay: true})
    relay(client, there, () => client.resetAndDestroy())
    return true
  }
}
