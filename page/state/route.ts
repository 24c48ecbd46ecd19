import {signal} from '@preact/signals'
import {keepToken, takeToken} from './token.ts'

/** The route in the address, such as `#/apps/shop?show=why`. */
export interface Route {
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
  // the user opened the dashboard address of a run, with its token, in this tab
  if (keepToken() === undefined) route.value = read()
  else location.reload()
})

/** Returns a parameter of the address; empty if there is none. */
export const parameter = (name: string): string => route.value.parameters.get(name) ?? ''

/** Returns the address of a view, without the parameters that are ''. */
export function hrefOf(
  view: string,
  rest: readonly string[] = [],
  parameters: Readonly<Record<string, string>> = {}
): string {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString()
  return `#/${[view, ...rest].map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
}

/** Returns an address in the view that is shown, with the parameters that it has. */
export const hrefHere = (...rest: readonly string[]): string =>
  hrefOf(route.value.view, rest, Object.fromEntries(route.value.parameters))

export const go = (href: string): void => void (location.hash = href)

let late: ReturnType<typeof setTimeout> | undefined

/** The address follows the route, a second later where the browser refuses: Safari takes 100 changes in ten seconds. */
function follow(): void {
  const {view, rest, parameters} = route.value
  clearTimeout(late)
  try {
    history.replaceState(null, '', hrefOf(view, rest, Object.fromEntries(parameters)))
  } catch {
    late = setTimeout(follow, 1000)
  }
}

/** Sets parameters of the current view ('' removes one) without a history entry, because they change with each typed character. */
export function setParameters(changed: Readonly<Record<string, string>>): void {
  const all = Object.entries({...Object.fromEntries(route.value.parameters), ...changed})
  route.value = {...route.value, parameters: new URLSearchParams(all.filter(([, value]) => value !== ''))}
  follow()
}
