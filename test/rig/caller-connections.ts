import type net from 'node:net'
import type {CallHandler} from '../../src/proxy/net/exchange-parts.ts'
import type {Exchange} from '../../src/proxy/net/exchange.ts'
import {FastConnection} from '../../src/proxy/net/http1/fast-connection.ts'
import {nameReader} from '../../src/proxy/net/http1/header-kinds.ts'
import {NOTED, PLAIN_KINDS, readPlain, type PlainRequest} from '../../src/proxy/net/http1/plain-request.ts'
import {PublishedConnection} from '../../src/proxy/published/published-connection.ts'
import {readVerbatimHead, type VerbatimHead} from '../../src/proxy/published/verbatim-head.ts'

/** Begins the call of a request, whose head for the app this is. */
export type BeginCall = (connection: {begin(handler: CallHandler): Exchange}, head: string) => void

const nothing = (): void => undefined

const RULES = {kinds: nameReader({...PLAIN_KINDS, host: NOTED}), prefix: '', valueCount: 1}

const plainHead = ({method, path, hasLength, length}: PlainRequest): string =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\n${hasLength ? `Content-Length: ${length}\r\n` : ''}\r\n`

/** The connections of callers that send plain HTTP/1, without what is around them. */
export const CALLER_CONNECTIONS: Readonly<Record<string, (socket: net.Socket, begin: BeginCall) => void>> = {
  'at a sidecar': (socket, begin) => {
    const route = (request: PlainRequest, connection: FastConnection): boolean => {
      begin(connection, plainHead(request))
      return true
    }
    const read = (text: string): PlainRequest | undefined => readPlain(text, RULES)
    const handOver = (): void => void socket.destroy(new Error('it is not plain'))
    new FastConnection({isClosing: false, plain: {rules: RULES, route}, read, handOver, forget: nothing}, socket).age =
      0
  },
  'at a published port': (socket, begin) => {
    const start = ({text, size}: VerbatimHead, connection: PublishedConnection): void =>
      begin(connection, text.slice(0, size))
    const passBytes = (): void => void socket.destroy(new Error('it is no HTTP'))
    const host = {isClosing: false, read: readVerbatimHead, start, ended: nothing, passBytes, forget: nothing}
    new PublishedConnection(host, socket).isFresh = true
  }
}
