import type {IncomingMessage} from 'node:http'
import {namedHost} from '../../proxy/published/entrance-host.ts'
import {accessOf, type PageTokens} from './tokens.ts'

/** The response to a refused request. */
export interface PageRefusal {
  readonly status: number
  readonly detail: string
  readonly hint: string
}

/** Maximum size of the body of a request other than GET. */
export const MAX_BODY = 64 * 1024

const API = '/api/v1/'
/** Parts of paths that try to leave a folder. Paths of the page's API do not contain them. */
const CLIMBING = /\/\.\.(?:\/|$)|%2e|%2f|%5c|%00|\\|\/\//i

const refuse = (status: number, detail: string, hint: string): PageRefusal => ({status, detail, hint})

/**
 * Returns why a request is refused, or undefined. Files of the page are for everyone on this machine, since they contain no data of a
 * run. Other sites reach ports of this machine through the user's browser (DNS rebinding, forms, fetch): `Host`, `Origin` or
 * `Sec-Fetch-Site` reveal them, and they have no token.
 */
export function pageRefusal(
  request: IncomingMessage,
  {
    port,
    tokens,
    isName,
    isFile
  }: {
    readonly port: number
    readonly tokens: PageTokens
    /** Whether a host name besides localhost is the page's. Browsers resolve names below `.localhost` to this machine. */
    readonly isName: (name: string) => boolean
    readonly isFile: boolean
  }
): PageRefusal | undefined {
  const {headers, method = '', url = ''} = request
  const hosts = ['localhost', '127.0.0.1', '[::1]'].map(name => `${name}:${port}`)
  const host = (headers.host ?? '').toLowerCase()
  const isNamed = isName(namedHost(host).name)
  if (valuesOf(request, 'host').length !== 1 || !(isNamed || hosts.includes(host)))
    return refuse(421, 'this is the page of a run, at localhost alone', `Open http://localhost:${port}/.`)
  const origins = valuesOf(request, 'origin')
  const own = isNamed ? [`http://${host}`, `https://${host}`] : hosts.map(each => `http://${each}`)
  if (origins.length > 1 || origins.some(origin => !own.includes(origin)))
    return refuse(403, 'requests of other pages are refused', 'Ask from the page of the run.')
  const isForeign = valuesOf(request, 'sec-fetch-site').some(site => site !== 'same-origin' && site !== 'none')
  // a link on another site, or the local file by which a browser is opened
  const isLink =
    isFile && url === '/' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  if (isForeign && !isLink)
    return refuse(403, 'requests of other sites are refused', 'Type or paste the address of the page.')
  if (headers.upgrade !== undefined) return refuse(400, 'upgrades are not possible', 'Ask by plain HTTP/1.1.')
  if (method !== 'GET' && method !== 'POST' && method !== 'DELETE')
    return refuse(405, `${method} is not possible here`, 'Use GET, POST or DELETE.')
  if (isFile)
    return method === 'GET' ? refusalOfBody(request) : refuse(405, `${method} is not possible here`, 'Use GET.')
  const [path = ''] = url.split('?')
  if (!path.startsWith(API) || CLIMBING.test(path))
    return refuse(404, 'there is nothing at this path', '/api/v1/openapi.json lists what there is.')
  return refusalOfToken(request, tokens) ?? refusalOfBody(request)
}

function refusalOfToken(request: IncomingMessage, tokens: PageTokens): PageRefusal | undefined {
  const [scheme = '', token = '', ...more] = (request.headers.authorization ?? '').split(' ')
  const isBearer = scheme.toLowerCase() === 'bearer' && more.length === 0 && token !== ''
  const access = isBearer && valuesOf(request, 'authorization').length === 1 ? accessOf(token, tokens) : ''
  if (access === '')
    return refuse(401, 'the token is missing or wrong', 'Open it by pillion dashboard, or send the token as Bearer.')
  return access === 'read-only' && request.method !== 'GET'
    ? refuse(403, 'this token is for looking only', 'Open the page without --read-only.')
    : undefined
}

function refusalOfBody({headers, method}: IncomingMessage): PageRefusal | undefined {
  const size = Number(headers['content-length'] ?? 0)
  if (size === 0 && headers['transfer-encoding'] === undefined) return undefined
  if (method === 'GET') return refuse(400, 'a GET has no body', 'Leave it out.')
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
    return refuse(415, 'a body must be JSON', 'Send content-type: application/json.')
  return size > MAX_BODY ? tooLarge : undefined
}

export const tooLarge = refuse(413, 'the body is too large', `At most ${MAX_BODY} bytes are read.`)

/** Returns the values of a header, as received. */
function valuesOf({rawHeaders}: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
}
