import {KnownHeads} from './known-heads.ts'
import {readLooseResponse} from './loose-response.ts'
import {readResponseHead, type HeaderRules, type ResponseHead} from './response-head.ts'

/** Reads the heads of one callee's responses. */
export class ResponseHeads {
  #known = new KnownHeads<ResponseHead>()
  #rules: HeaderRules | undefined

  /** Reads as `readResponseHead`, and a rejected head as `readLooseResponse`. */
  read(text: string, toHead: boolean, rules: HeaderRules): ReturnType<typeof readLooseResponse> {
    // a response to HEAD has no body, despite its head
    if (toHead) return readResponseHead(text, true, rules) ?? readLooseResponse(text, true, rules)
    if (rules !== this.#rules) this.#known = new KnownHeads()
    this.#rules = rules
    const known = this.#known.find(text)
    // the body of this response follows the head
    if (known !== undefined) return {...known, text}
    const head = readResponseHead(text, false, rules)
    if (!head) return readLooseResponse(text, false, rules)
    this.#known.add(head)
    return head
  }
}
