/** Where the page keeps what it was opened with: for this address alone, which is that of one template. */
const KEY = 'pillion-token'

interface Kept {
  readonly token: string
  readonly isReadOnly: boolean
}

/**
 * Reads the token from the address (`#t=…`, `#look=…` for looking only), keeps it, and takes it out of the address; without one
 * there it is what was kept before.
 */
function readToken(): Kept {
  const [, name, token] = /^#(t|look)=([\w-]+)$/.exec(location.hash) ?? []
  if (token !== undefined) {
    const kept: Kept = {token, isReadOnly: name === 'look'}
    write(KEY, JSON.stringify(kept))
    history.replaceState(null, '', '/')
    return kept
  }
  try {
    const {token: before = '', isReadOnly = false} = JSON.parse(read(KEY) ?? '{}') as Partial<Kept>
    return {token: before, isReadOnly}
  } catch {
    return {token: '', isReadOnly: false}
  }
}

let kept: Kept | undefined

/** The token; before the address is read as that of a view. */
export const takeToken = (): Kept => (kept ??= readToken())

/** A value that outlives the page; undefined: there is none, or the browser keeps nothing. */
export function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // then it is asked for again
  }
}
