import {decode, encode} from '../../../net/grpc/message-codec.ts'
import {unmarshalable, type BulkEntry} from '../../blocks/publishing.ts'
import {BULK_PUBLISH, BULK_PUBLISHED, PUBLISH_EVENT} from '../../../net/grpc/messages/pubsub.ts'
import {bytesOf, type BlockMethod} from './block-method.ts'

// Publishing over gRPC (Dapr: pkg/api/grpc/grpc.go).

const NOTHING = new Uint8Array(0)

export const publishEvent: BlockMethod = async ({publishing}, bytes, {trace, onGone}) => {
  const {data, ...request} = decode(PUBLISH_EVENT, bytes)
  await publishing.publish({...request, data: bytesOf(data), trace, isTraceInMetadata: true}, onGone)
  return NOTHING
}

/** Lists the entries that were not published. If none was, the call fails as in Dapr. */
export const bulkPublishEvent: BlockMethod = async ({publishing}, bytes, {trace, onGone}) => {
  const {entries: sent, ...target} = decode(BULK_PUBLISH, bytes)
  await publishing.check(target)
  const ids = new Set<string>()
  const entries = sent.map(({event, ...entry}): BulkEntry => {
    if (entry.entryId === '' || ids.has(entry.entryId))
      throw unmarshalable({...target, appId: publishing.appId}, 'entryId is duplicated or not present for entry')
    ids.add(entry.entryId)
    return {...entry, data: bytesOf(event)}
  })
  const failedEntries = await publishing.publishBulk({...target, trace, entries}, onGone)
  const [first] = failedEntries
  if (first !== undefined && failedEntries.length === entries.length) throw publishing.failed(target, first.error)
  return encode(BULK_PUBLISHED, {failedEntries})
}
