import type {AdaptedRequest} from '../remote-side.ts'

/** Statuses after which the request is sent as GET, without its body. */
const AS_GET = new Set([301, 302, 303])
/** Statuses after which the request is sent unchanged. */
const UNCHANGED = new Set([307, 308])

/** The next step after a response. */
export type RedirectStep =
  | {readonly kind: 'none'}
  | {readonly kind: 'invalid'; readonly why: string}
  | {readonly kind: 'to'; readonly url: URL; readonly request: AdaptedRequest}

/** A request that was answered. */
interface Answered {
  readonly url: URL
  readonly request: AdaptedRequest
  /** Whether its body can be sent again. */
  readonly isRepeatable: boolean
}

const NONE: RedirectStep = {kind: 'none'}

/**
 * Returns the request that follows a response, as Go's client makes it. `location`: the header, if the response has one.
 * `secretHeaders`: names of headers (lower case) for the first host alone.
 */
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

/** Returns the URL of a Location header. */
function resolved(location: string, url: URL, path: string): URL | undefined {
  // joined as text, since a path may begin with two slashes
  const base = new URL(url.origin + path)
  if (!URL.canParse(location, base.href)) return undefined
  const to = new URL(location, base)
  return to.protocol === 'http:' || to.protocol === 'https:' ? to : undefined
}

/** Removes headers by their names (lower case). */
export const withoutNamed = (pairs: readonly string[], names: readonly string[]): readonly string[] =>
  pairs.filter((_, at) => !names.includes((pairs[at - (at % 2)] ?? '').toLowerCase()))
