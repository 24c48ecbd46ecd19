/** The key of the token in both storages, which belong to one origin, which serves one template. */
const KEY = 'pillion-token'

const STORAGES = ['localStorage', 'sessionStorage'] as const
type StorageName = (typeof STORAGES)[number]

interface Kept {
  readonly token: string
  readonly isReadOnly: boolean
}

/** Stores the token in the address (`#t=…`, or `#look=…` for read-only) and removes it from there; returns undefined if there is none. */
export function keepToken(): Kept | undefined {
  const [, name, token] = /^#(t|look)=([\w-]+)$/.exec(location.hash) ?? []
  if (token === undefined) return undefined
  const found: Kept = {token, isReadOnly: name === 'look'}
  for (const storage of STORAGES) write(KEY, JSON.stringify(found), storage)
  history.replaceState(null, '', '/')
  return found
}

/** Returns the token of the address, else of this tab, else the latest token. Tabs may have different rights. */
function readToken(): Kept {
  const found = keepToken()
  if (found !== undefined) return found
  const text = read(KEY, 'sessionStorage') || read(KEY) || ''
  write(KEY, text, 'sessionStorage')
  try {
    const {token: before = '', isReadOnly = false} = JSON.parse(text) as Partial<Kept>
    return {token: before, isReadOnly}
  } catch {
    return {token: '', isReadOnly: false}
  }
}

/** After the run has refused the token: loaded again, this tab has the latest one. */
export const forgetToken = (): void => write(KEY, '', 'sessionStorage')

let kept: Kept | undefined

/** Returns the token; the first call must come before the address is read as a route. */
export const takeToken = (): Kept => (kept ??= readToken())

/** Returns a value of all tabs, or of this one (`sessionStorage`). Undefined if there is none or storage is blocked. */
export function read(key: string, storage: StorageName = 'localStorage'): string | undefined {
  try {
    return window[storage].getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function write(key: string, value: string, storage: StorageName = 'localStorage'): void {
  try {
    window[storage].setItem(key, value)
  } catch {
    // without storage, the value is lost when the page is closed
  }
}
