/** Where the page keeps what it was opened with: for this address alone, which is that of one template. */
const KEY = 'pillion-token'

interface Kept {
  readonly token: string
  readonly isReadOnly: boolean
}

/** Keeps the token of the address (`#t=…`, `#look=…` for looking only), and takes it out of the address. Undefined: it has none. */
export function keepToken(): Kept | undefined {
  const [, name, token] = /^#(t|look)=([\w-]+)$/.exec(location.hash) ?? []
  if (token === undefined) return undefined
  const found: Kept = {token, isReadOnly: name === 'look'}
  write(KEY, JSON.stringify(found))
  history.replaceState(null, '', '/')
  return found
}

/** The token of the address, or that which was kept before. */
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
