/** The localStorage key of the token; storage belongs to one origin, which serves one template. */
const KEY = 'pillion-token'

interface Kept {
  readonly token: string
  readonly isReadOnly: boolean
}

/** Stores the token in the address (`#t=…`, or `#look=…` for read-only) and removes it from there; returns undefined if there is none. */
export function keepToken(): Kept | undefined {
  const [, name, token] = /^#(t|look)=([\w-]+)$/.exec(location.hash) ?? []
  if (token === undefined) return undefined
  const found: Kept = {token, isReadOnly: name === 'look'}
  write(KEY, JSON.stringify(found))
  history.replaceState(null, '', '/')
  return found
}

/** Returns the token in the address, or the stored one. */
function readToken(): Kept {
  const found = keepToken()
  if (found !== undefined) return found
  try {
    const {token: before = '', isReadOnly = false} = JSON.parse(read(KEY) ?? '{}') as Partial<Kept>
    return {token: before, isReadOnly}
  } catch {
    return {token: '', isReadOnly: false}
  }
}

let kept: Kept | undefined

/** Returns the token; the first call must come before the address is read as a route. */
export const takeToken = (): Kept => (kept ??= readToken())

/** Returns a value from localStorage; undefined if there is none or storage is blocked. */
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
    // without storage, the value is lost when the page is closed
  }
}
