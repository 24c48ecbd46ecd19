import type {App} from './api.generated.ts'

/** Returns advice to give an app a `port`, so that calls at the ports where it listens pass through Pillion. */
export function uncarriedText({id, listens}: Pick<App, 'id' | 'listens'>): string {
  const [first = 0, ...more] = listens
  return more.length === 0
    ? `${id} listens on ${first}: write port: ${first} to carry its calls`
    : `${id} listens on ${listens.join(', ')}: write the one that others call as its port, such as port: ${first}, to carry its calls`
}

/** Returns a line of advice for each app that listens at a port whose calls do not pass through Pillion; '': none. */
export const uncarriedLines = (apps: readonly Pick<App, 'id' | 'listens'>[]): string =>
  [...new Set(apps.filter(({listens}) => listens.length > 0).map(app => `${uncarriedText(app)}\n`))].join('')
