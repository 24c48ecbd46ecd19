import type {Protocol} from '../../../model/call-protocol.ts'

/** Head of a request as node:http has parsed it. */
export interface ParsedHead {
  /** `1.0`, `1.1`, or `2`. */
  readonly httpVersion: string
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Headers: names and values alternate. */
  readonly rawHeaders: readonly string[]
}

/** Returns the protocol of a request that does not upgrade. */
export const protocolOf = ({httpVersion}: Pick<ParsedHead, 'httpVersion'>): Protocol =>
  httpVersion.startsWith('2') ? 'HTTP/2' : 'HTTP/1.1'

/** Returns the head as text with the empty line. Only the white space around values may differ from the original. */
export function rawHead({method = '', url = '/', httpVersion, rawHeaders}: ParsedHead): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (!name.startsWith(':')) head += `${name}: ${rawHeaders[at + 1] ?? ''}\r\n`
  }
  return `${head}\r\n`
}
