import {PeerVariable} from '../../platform/peer-variable.ts'
import {isLocal, type Ends} from '../../platform/proc-net.ts'

/** Programs with which people and coding agents send requests. */
const TOOL = /(?:^|\n)user-agent: ?(?:bruno|curl|httpie|insomnia|pillion|postman\w*|wget|xh)\b/i

/**
 * Recognizes requests at a sidecar that a person or a coding agent has sent. Looks only at requests that name such a program, so requests
 * of apps stay fast. An app that passes on its caller's header, or runs such a program, is still an app.
 */
export class ByHand {
  readonly #marks = new PeerVariable('PILLION_LIFE')
  /** Whether an app owns a connection. */
  readonly #apps = new WeakMap<Ends, boolean>()
  /** Header lines of the latest request, usually equal to the next one's, and whether they name such a program. */
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
