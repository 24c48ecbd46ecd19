import type {AdaptedRequest} from '../remote-side.ts'

/** Statuses after which the request is sent as GET, without its body. */
const AS_GET = new Set([301, 302, 303])
/** Statuses after which the request is sent unchanged. */
const UNCHANGED = new Set([307, 308])

/** The next step after a response: deliver the response, fail, or send another request. */
export type RedirectStep =
  | {readonly kind: 'none'}
  | {readonly kind: 'invalid'; readonly why: string}
  | {readonly kind: 'to'; readonly url: URL; readonly request: AdaptedRequest}

/** A request that was answered. */
interface Answered {
  readonly url: URL
  readonly request: AdaptedRequest
  /** Whether the body of the request can be sent again. */
  readonly isRepeatable: boolean
}

const NONE: RedirectStep = {kind: 'none'}

/** Decides about a redirect as Go's client does. `secretHeaders`: names of headers (lower case) that only the first host may receive. */
export function redirectAfter(
  status: number,
  location: string | undefined,
  {url, request, isRepeatable}: Answered,
  secretHeaders: readonly string[]
): RedirectStep {
  const isRedirect = AS_GET.has(status) || (UNCHANGED.has(status) && isRepeatable)
  if (!isRedirect || location === undefined || location === '') return NONE
  const to = resolved(location, url, request.path)
  if (to === undefined) return {kind: 'invalid', why: `failed to parse Location header "${location}"`}
  const isSame = UNCHANGED.has(status) || request.method === 'HEAD'
  const isSameHost = to.host === url.host && to.protocol === url.protocol
  const dropped = [
    ...(isSame ? [] : ['content-length', 'content-type']),
    ...(isSameHost ? [] : ['authorization', 'cookie', 'dapr-api-token', ...secretHeaders])
  ]
  return {
    kind: 'to',
    url: to,
    request: {
      method: isSame ? request.method : 'GET',
      path: to.pathname + to.search,
      pairs: withoutNamed(request.pairs, dropped),
      hasBody: isSame && request.hasBody
    }
  }
}

/** Returns the absolute URL of a Location header; undefined: invalid. */
function resolved(location: string, url: URL, path: string): URL | undefined {
  // joins the base as text: resolving a path that begins with two slashes would read a host
  const base = new URL(url.origin + path)
  if (!URL.canParse(location, base.href)) return undefined
  const to = new URL(location, base)
  return to.protocol === 'http:' || to.protocol === 'https:' ? to : undefined
}

/** Returns headers without those of these names. `pairs`: names and values alternate. `names`: in lower case. */
export const withoutNamed = (pairs: readonly string[], names: readonly string[]): readonly string[] =>
  pairs.filter((_, at) => !names.includes((pairs[at - (at % 2)] ?? '').toLowerCase()))
