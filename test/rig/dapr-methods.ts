import {readFileSync} from 'node:fs'
import type {Schema} from '../../src/proxy/net/grpc/message-codec.ts'

const PROTO = readFileSync(new URL('../../src/model/dapr/proto/dapr.proto', import.meta.url), 'utf8')

/** Dapr's own list of its methods: the names of each, and of its messages. */
export const DAPR_METHODS = [
  ...PROTO.matchAll(/^\s*rpc (\w+)\s*\((?:stream )?([\w.]+)\)\s*returns\s*\((?:stream )?([\w.]+)\)/gm)
].map(([, name = '', request = '', reply = '']) => ({name, request, reply}))

const MODULES = `actors ai binding common configuration crypto dapr google invoke jobs lock metadata
  pubsub secret state workflow`.split(/\s+/)

/** The compiled table of a message; undefined: it is not read by one. */
export async function messageTable(type: string): Promise<Schema | undefined> {
  const name = type.slice(type.lastIndexOf('.') + 1).replace(/^(.*Jobs\w*)Alpha1$/, '$1')
  for (const each of MODULES) {
    const tables = (await import(`../../src/model/dapr/messages/${each}.generated.ts`)) as Readonly<
      Record<string, Schema>
    >
    if (tables[name] !== undefined) return tables[name]
  }
  return undefined
}
