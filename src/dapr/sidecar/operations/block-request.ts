import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {Protocol} from '../../../model/call-protocol.ts'
import {messageOf} from '../../../model/errors.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {Blocks} from '../blocks/blocks.ts'
import {exactText} from '../../../model/exact-json.ts'
import {memberIn} from '../blocks/json-text.ts'
import {EMPTY} from '../http/errors.ts'
import {goEscaped} from '../http/go-text.ts'
import {decoded} from '../../../model/bytes.ts'
import {isObject} from '../../../model/is-object.ts'

/** A request to a building block over HTTP. */
export interface BlockRequest {
  readonly protocol: Protocol
  /** Parameters in the path, unescaped. */
  readonly params: readonly string[]
  /** The query with its `?`. */
  readonly query: string
  /** Header lines as the caller sent them. */
  readonly lines: string
  /** Header lines of the trace that the call belongs to; '': none. */
  readonly trace: string
  readonly body: Buffer
  /** Calls the listener when the caller has received the response, or disconnects. */
  readonly onGone: OnGone
}

/** Serves an operation over HTTP. Rejects with a BlockError. */
export type BlockHandler = (blocks: Blocks, request: BlockRequest) => Promise<Reply>

/** Makes a handler that responds without a body once `act` has settled. */
export const httpDone =
  (act: (blocks: Blocks, request: BlockRequest) => Promise<unknown>): BlockHandler =>
  async (blocks, request) => {
    await act(blocks, request)
    return EMPTY
  }

export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: goEscaped(exactText(value)),
  lines: ''
})

const METADATA = 'metadata.'

export const queryOf = ({query}: BlockRequest): URLSearchParams => new URLSearchParams(decoded(query))

/** Returns the query parameters `metadata.<key>=<value>`, which Dapr passes to components. The first of equal keys counts. */
export const metadataOf = (query: string): Record<string, string> =>
  query === ''
    ? {}
    : Object.fromEntries(
        [...new URLSearchParams(decoded(query))]
          .filter(([key]) => key.startsWith(METADATA))
          .toReversed()
          .map(([key, value]) => [key.slice(METADATA.length), value])
      )

const HEADERS = new Map<string, RegExp>()

/** Returns the value of a header; '': the request has none. */
export function headerOf({lines}: Pick<BlockRequest, 'lines'>, name: string): string {
  let pattern = HEADERS.get(name)
  if (pattern === undefined) HEADERS.set(name, (pattern = RegExp(`^${name}:[ \\t]*([^\\r\\n]*)`, 'im')))
  return pattern.exec(lines)?.[1]?.trimEnd() ?? ''
}

/** Returns Dapr's error for a body that cannot be parsed. `prefix`: Dapr's words before the reason. */
export const malformed = (words: string, prefix = 'failed deserializing HTTP body: '): BlockError =>
  new BlockError([400, 'invalidArgument', 'ERR_MALFORMED_REQUEST'], prefix + words)

export function readJson({body}: BlockRequest, prefix?: string): {readonly text: string; readonly value: unknown} {
  const text = body.toString()
  try {
    return {text, value: JSON.parse(text) as unknown}
  } catch (error) {
    throw malformed(text.trim() === '' ? 'EOF' : messageOf(error), prefix)
  }
}

/** Returns the string in a member; '': the member is missing or null. Throws for other types. */
export function textIn(value: Readonly<Record<string, unknown>>, key: string, prefix?: string): string {
  const member = memberIn(value, key)
  if (member === undefined || member === null) return ''
  if (typeof member === 'string') return member
  throw malformed(`"${key}" must be a text`, prefix)
}

/** Returns the object of strings in a member; empty: the member is missing or null. Throws for other types. */
export function textsIn(
  value: Readonly<Record<string, unknown>>,
  key: string,
  prefix?: string
): Readonly<Record<string, string>> {
  const member = memberIn(value, key)
  if (member === undefined || member === null) return {}
  if (!isObject(member)) throw malformed(`"${key}" must be an object`, prefix)
  return Object.fromEntries(Object.keys(member).map(name => [name, textIn(member, name, prefix)]))
}
