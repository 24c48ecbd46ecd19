const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Converts a text to a header value: UTF-8 bytes as latin1, with a space in place of control characters. */
export const valueText = (value: string): string =>
  isPlain(value) ? value : Buffer.from(value.replace(/[^\P{Cc}\t]+/gu, ' ')).toString('latin1')

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text)

/** Returns a header name as Go writes it: `Partitionkey`. */
const nameText = (name: string): string => name.toLowerCase().replace(/(?:^|-)[a-z]/g, first => first.toUpperCase())

/** Names of headers that the request to the app sets itself. */
const OWN =
  /^(?:host|connection|expect|content-length|content-type|transfer-encoding|pubsubname|traceparent|dapr-api-token)$/i

/** Returns the metadata of an event as header lines. Leaves out invalid header names. */
export const metadataLines = (metadata: Readonly<Record<string, string>>): string =>
  headerLines(metadata, OWN, nameText)

/** Returns metadata as header lines. Leaves out invalid names, and names that match `own`. `nameOf` returns the header's name for a key. */
export function headerLines(
  metadata: Readonly<Record<string, string>>,
  own?: RegExp,
  nameOf = (name: string) => name
): string {
  let lines = ''
  for (const name in metadata)
    if (TOKEN.test(name) && own?.test(name) !== true) lines += `${nameOf(name)}: ${valueText(metadata[name] ?? '')}\r\n`
  return lines
}

const PLAIN_ROUTE = /^\/[\w\-./]*$/

/** Matches the `%25` of an escape that was escaped twice. */
const ESCAPED = /%25(?=[0-9a-f]{2})/gi

/** Converts a route of an app to the path of a request: with a leading slash, and without a query, as Dapr does. */
export const pathOf = (route: string): string =>
  PLAIN_ROUTE.test(route)
    ? route
    : encodeURI(`/${route.replace(/^\//, '').replace(/\?.*$/s, '')}`).replace(ESCAPED, '%')
