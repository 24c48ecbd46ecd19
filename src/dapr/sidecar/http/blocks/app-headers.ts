const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Converts a text for a header: removes control characters, and sends other characters as UTF-8. */
export const valueText = (value: string): string =>
  isPlain(value) ? value : Buffer.from(value.replace(/[^\P{Cc}\t]+/gu, ' ')).toString('latin1')

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text)

/** A header name as Go writes it: `Partitionkey`. */
const nameText = (name: string): string => name.toLowerCase().replace(/(?:^|-)[a-z]/g, first => first.toUpperCase())

/** Fields of the request that are its own. */
const OWN =
  /^(?:host|connection|expect|content-length|content-type|transfer-encoding|pubsubname|traceparent|dapr-api-token)$/i

/** The metadata of a delivery to an app, as header lines of the request; invalid header names are left out. */
export const metadataLines = (metadata: Readonly<Record<string, string>>): string =>
  headerLines(metadata, OWN, nameText)

/** Returns metadata as header lines. Leaves out invalid names and those that `own` recognizes. `nameOf`: the header's name for a key. */
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

/** Escapes that were escaped twice. */
const ESCAPED = /%25(?=[0-9a-f]{2})/gi

/** A route of an app as the path of a request: with its slash, and without a query, as Dapr does it. */
export const pathOf = (route: string): string =>
  PLAIN_ROUTE.test(route)
    ? route
    : encodeURI(`/${route.replace(/^\//, '').replace(/\?.*$/s, '')}`).replace(ESCAPED, '%')
