export interface AppAddress {
  readonly url: string
  readonly host: string
  readonly port: number
  /** Its URL by host name; `url` if it has none. */
  readonly name: string
}

export const PROPERTIES = ['url', 'host', 'port', 'name'] as const

/** Matches `${app.ID.PROPERTY}`, unless a `$` before makes it literal. */
const REFERENCE = /(?<!\$)\$\{app\.([^{}\n]*)\}/g

export interface AppReference {
  readonly written: string
  readonly id: string
  readonly property: string
}

/** Finds references to addresses of apps in a text. The property follows the last dot, since an id may contain dots. */
export const appReferences = (text: string): readonly AppReference[] =>
  Array.from(text.matchAll(REFERENCE), ([written, inside = '']) => ({written, ...partsOf(inside)}))

const partsOf = (inside: string): Pick<AppReference, 'id' | 'property'> => {
  const dot = inside.lastIndexOf('.')
  return {id: inside.slice(0, Math.max(0, dot)), property: inside.slice(dot + 1)}
}

/** Returns the length of the reference with which a text begins; 0: it does not begin with one. */
export const referenceAt = (text: string): number => /^\$\{app\.[^{}\n]*\}/.exec(text)?.[0].length ?? 0

/** Replaces references by addresses. Unknown references stay. */
export const withAddresses = (text: string, addressOf: (id: string) => AppAddress | undefined): string =>
  text.replaceAll(REFERENCE, (written, inside: string) => {
    const {id, property} = partsOf(inside)
    const key = PROPERTIES.find(each => each === property)
    const address = key === undefined ? undefined : addressOf(id)
    return key === undefined || address === undefined ? written : String(address[key])
  })
