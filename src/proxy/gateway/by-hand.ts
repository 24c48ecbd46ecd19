import {PeerVariable} from '../../platform/peer-variable.ts'
import {isLocal, type Ends} from '../../platform/proc-net.ts'

/** Matches the User-Agent of programs with which people and coding agents send requests. */
const TOOL = /(?:^|\n)user-agent: ?(?:bruno|curl|httpie|insomnia|pillion|postman\w*|wget|xh)\b/i

/**
 * Recognizes requests that a person or a coding agent has sent to a sidecar by a tool such as curl. Looks up the sending process only if the
 * User-Agent names such a tool, so that requests of apps stay fast. A process of an app never counts: it may forward its caller's header.
 */
export class ByHand {
  readonly #marks = new PeerVariable('PILLION_LIFE')
  /** Whether a process of an app is at the other end, by connection. */
  readonly #apps = new WeakMap<Ends, boolean>()
  /** Header lines of the latest request, and whether they name such a tool. The next request usually has the same lines. */
  #lines = ''
  #isNamed = false

  isSender(lines: string, ends: Ends): boolean {
    if (lines !== this.#lines) {
      this.#lines = lines
      this.#isNamed = TOOL.test(lines)
    }
    return this.#isNamed && isLocal(ends) && !this.#isApp(ends)
  }

  #isApp(ends: Ends): boolean {
    const isApp = this.#apps.get(ends) ?? this.#marks.of(ends) !== ''
    this.#apps.set(ends, isApp)
    return isApp
  }
}
