import {isJson} from '../../../model/is-json.ts'
import {CONCURRENCY, CONSISTENCY} from '../../components/state-store.ts'
import type {StateItem} from '../../../model/dapr/messages/common.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {StateSet} from '../blocks/state-requests.ts'
import {bufferOf} from './operation.ts'

// Items of state as messages have them (Dapr: pkg/api/grpc/grpc.go).

type Item = Message<typeof StateItem>

const wordOf = (words: readonly string[], index: number): string => words[index] ?? index.toString()

export const consistencyOf = (index: number): string => wordOf(CONSISTENCY, index)

/** The request of a StateItem. */
export const wishOf = ({key, value, etag, metadata, options}: Item): StateSet => ({
  key,
  value: bufferOf(value),
  isJson: saysJson(metadata),
  etag: etag?.value ?? '',
  metadata,
  concurrency: wordOf(CONCURRENCY, options?.concurrency ?? 0),
  consistency: consistencyOf(options?.consistency ?? 0)
})

const saysJson = (metadata: Readonly<Record<string, string>>): boolean =>
  Object.entries(metadata).some(([name, value]) => name.toLowerCase() === 'contenttype' && value === 'application/json')

/** A value that says that it is JSON must be (Dapr's text); all others are kept as they are. Throws a BlockError. */
export function checkJson(items: readonly Item[]): void {
  if (items.some(({metadata, value}) => saysJson(metadata) && !isJson(bufferOf(value).toString())))
    throw new BlockError([500, 'unknown', 'ERR_MALFORMED_REQUEST'], 'unexpected end of JSON input')
}

export const EMPTY_ITEM: Item = {
  key: '',
  value: new Uint8Array(0),
  etag: undefined,
  metadata: {},
  options: undefined
}
