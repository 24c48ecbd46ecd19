import {ApiError} from '../../../control/api-client.ts'
import type {FoundRun} from '../../../control/client.ts'
import {launchText} from '../commands/debug.ts'
import {traceText} from '../trace-text.ts'
import type {TextPage} from './view.ts'

/** Stops the process of an app, and returns how to start it in a debugger. */
export async function debugPage({api}: FoundRun, id: string): Promise<TextPage> {
  await api.ask('POST /apps/{id}/debug', {at: {id}})
  const launch = await api.ask('GET /apps/{id}/launch', {at: {id}})
  const title = `Start ${id} in a debugger; s starts it here again`
  return {title, lines: launchText(launch, 'shell').trimEnd().split('\n')}
}

/** Returns the latest request in which an app had a part. Undefined if there was none. */
export async function tracePage({api}: FoundRun, id: string, width: number): Promise<TextPage | undefined> {
  const tree = await api.ask('GET /trace', {query: {q: `app:${id}`}}).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  })
  const title = `The latest request in which ${id} had a part`
  return tree && {title, lines: traceText(tree, {width}).trimEnd().split('\n')}
}
