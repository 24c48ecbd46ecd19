// observe/dashboard/ serves the page of a run: a listener on loopback that opens on demand, and the checks of
// callers. Answers are made in observe/api/.
import {createHash} from 'node:crypto'
import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {UncollectedBody} from '../../platform/collector.ts'
import {collectRequest} from '../../proxy/net/http1/collect-request.ts'
import {serveInOrder} from '../../proxy/net/http1/connection.ts'
import {http} from '../../proxy/net/http1/node-http.ts'
import {closeLingering} from '../../platform/lingering-close.ts'
import {MAX_BODY, pageRefusal, tooLarge, type PageRefusal} from './admit.ts'
import type {PageTokens} from './tokens.ts'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {gunzipSync} from 'node:zlib'
import {assetOf} from '../../platform/own-program.ts'

const FIRST_PORT = 9700
const PORTS = 200
const MAX_HEAD = 16 * 1024
const HEAD_MS = 5000
const REQUEST_MS = 10_000
const MAX_CONNECTIONS = 128
/** Maximum number of requests under way: a page follows events, and asks for little else. */
const MAX_OPEN = 64

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store'
}

type Known = Pick<Parameters<typeof pageRefusal>[1], 'tokens' | 'isName'>

/** Answers a request. `body`: its body, which was read already; may be empty. */
export type Serve = (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void>

export interface PageListener {
  readonly port: number
  /** Serves a connection that another listener has accepted. */
  accept(socket: Socket): void
  close(): void
}

/**
 * Listens on 127.0.0.1, and on ::1 if there is one. Port 0 chooses a port by the template's path, so that the address stays over
 * restarts, or the next free one. `serve` answers requests under `/api/v1`; `isName` recognizes further host names of the page. Throws a
 * UserError if the port is taken.
 */
export async function listenForPages(
  template: string,
  port: number,
  tokens: PageTokens,
  serve: Serve,
  isName = (_name: string): boolean => false
): Promise<PageListener> {
  const hash = createHash('sha256').update(template).digest().readUInt32BE()
  const wanted = port > 0 ? [port] : Array.from({length: PORTS}, (_, i) => FIRST_PORT + ((hash + i) % PORTS))
  for (const each of wanted) {
    const servers = await listenAt(each, {tokens, isName}, serve)
    if (servers === undefined) continue
    return {
      port: each,
      accept: socket => {
        servers[0]?.emit('connection', socket)
        socket.resume()
      },
      close: () => {
        for (const server of servers) {
          server.close()
          server.closeAllConnections()
        }
      }
    }
  }
  throw new UserError(
    port > 0 ? `port ${port} is in use` : `all ports from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} are in use`,
    {explanation: 'Choose another one with --port N.', code: 'port-taken'}
  )
}

/** Listens at a port. Resolves with undefined if it is in use. */
async function listenAt(port: number, known: Known, serve: Serve): Promise<readonly Server[] | undefined> {
  const servers: Server[] = []
  for (const host of ['127.0.0.1', '::1']) {
    const server = serverOf(port, known, serve)
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen({port, host, ipv6Only: true}, resolve)
      })
      servers.push(server)
    } catch (error) {
      if (host === '::1' && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error))) continue // no IPv6 here
      for (const each of servers) each.close()
      if (codeOf(error) === 'EADDRINUSE') return undefined
      throw new UserError(`cannot listen on port ${port}: ${messageOf(error)}`, {cause: error})
    }
  }
  return servers
}

function serverOf(port: number, known: Known, serve: Serve): Server {
  const server = http.createServer({
    maxHeaderSize: MAX_HEAD,
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 1000
  })
  server.maxConnections = MAX_CONNECTIONS
  let open = 0
  serveInOrder(server, (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const handle = async (): Promise<void> => {
      const file = fileOf(request)
      const refusal = open >= MAX_OPEN ? BUSY : pageRefusal(request, {port, ...known, isFile: file !== undefined})
      if (refusal !== undefined) return end(response, refusal)
      if (file !== undefined) return sendFile(request, response, file)
      open++
      response.on('close', () => open--)
      await answer(request, response, serve)
    }
    handle().catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else end(response, {status: 500, detail: messageOf(error), hint: ''})
    })
  })
  // without this listener, Node would close the connection of a CONNECT request silently, or wait
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    closeLingering(
      socket,
      'HTTP/1.1 405 Method Not Allowed\r\nallow: GET, POST, DELETE\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
    )
  })
  return server.unref()
}

const BUSY: PageRefusal = {status: 503, detail: 'too many requests at once', hint: 'Close some pages of this run.'}

async function answer(request: IncomingMessage, response: ServerResponse, serve: Serve): Promise<void> {
  let body: string
  try {
    body = (await collectRequest(request, MAX_BODY)).take().toString()
  } catch (error) {
    if (error instanceof UncollectedBody) return end(response, error.isTooLarge ? tooLarge : BUSY)
    throw error
  }
  await serve(request, response, body)
}

const fileOf = ({url = ''}: IncomingMessage): PageFile | undefined =>
  url.startsWith('/api/') ? undefined : pageFile(url)

function sendFile({headers}: IncomingMessage, response: ServerResponse, file: PageFile): void {
  const readsGzip = /\bgzip\b/.test(headers['accept-encoding']?.toString() ?? '')
  response
    .writeHead(200, {'content-type': file.type, ...(readsGzip && {'content-encoding': 'gzip'})})
    .end(readsGzip ? file.gzip : plainBytes(file))
}

/** Refuses a request; its connection ends, since its body is not read. */
function end(response: ServerResponse, {status, detail, hint}: PageRefusal): void {
  response
    .writeHead(status, {
      'content-type': 'application/problem+json',
      connection: 'close',
      ...(status === 401 && {'www-authenticate': 'Bearer'}),
      ...(status === 405 && {allow: 'GET, POST, DELETE'})
    })
    .end(JSON.stringify({status, detail, ...(hint !== '' && {hint})}))
}

interface PageFile {
  readonly type: string
  readonly gzip: Buffer
}

/** Reads a file that the build wrote: from the program, or from `dist` if the source runs. */
const read = (name: string): Buffer =>
  assetOf(`page/${name}`) ?? readFileSync(join(import.meta.dirname, '../../../dist/page', name))

let files: ReadonlyMap<string, PageFile> | undefined

/** Returns the file of the page at a path. The build writes the list of paths: no path comes from a request. */
function pageFile(path: string): PageFile | undefined {
  files ??= new Map(
    Object.entries(JSON.parse(read('files.json').toString()) as Record<string, {file: string; type: string}>).map(
      ([at, {file, type}]) => [at, {type, gzip: read(file)}]
    )
  )
  return files.get(path)
}

const plain = new Map<PageFile, Buffer>()

/** Returns the bytes for clients that do not accept gzip. */
export function plainBytes(file: PageFile): Buffer {
  const bytes = plain.get(file) ?? gunzipSync(file.gzip)
  plain.set(file, bytes)
  return bytes
}
