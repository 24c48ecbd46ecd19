import {signal} from '@preact/signals'
import {keepToken, takeToken} from './token.ts'

/** What the address says: `#/apps/shop?show=why`. */
export interface Route {
  /** The name of a view. */
  readonly view: string
  readonly rest: readonly string[]
  readonly parameters: URLSearchParams
}

const FIRST = 'apps'

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [view = '', ...rest] = path.split('/').map(decode)
  return {view: view === '' ? FIRST : view, rest, parameters: new URLSearchParams(query)}
}

takeToken()
export const route = signal(read())
addEventListener('hashchange', () => {
  // the address of a run, with its token, was opened in this tab
  if (keepToken() === undefined) route.value = read()
  else location.reload()
})

/** The address of a view. Parameters that are '' are left out. */
export function hrefOf(
  view: string,
  rest: readonly string[] = [],
  parameters: Readonly<Record<string, string>> = {}
): string {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString()
  return `#/${[view, ...rest].map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
}

export const go = (href: string): void => void (location.hash = href)

/** Sets parameters of the view that is shown ('' = take it out), without an entry in the history: one types there. */
export function setParameters(changed: Readonly<Record<string, string>>): void {
  const {view, rest, parameters} = route.value
  history.replaceState(null, '', hrefOf(view, rest, {...Object.fromEntries(parameters), ...changed}))
  route.value = read()
}
