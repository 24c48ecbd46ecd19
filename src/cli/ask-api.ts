import type {IncomingMessage} from 'node:http'
import type {FoundRun} from '../control/client.ts'
import {messageOf, UserError} from '../model/errors.ts'
import {print} from './print.ts'

/** The answer of a run's API, read. Throws a UserError with what it says is wrong. */
export async function askApi<T>(run: FoundRun, path: string): Promise<T> {
  return JSON.parse(await bodyOf(await run.api(path))) as T
}

/** The same for a request that changes something. */
export async function tellApi<T>(run: FoundRun, method: 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  return JSON.parse(
    await bodyOf(await run.api(path, {method, body: body === undefined ? '' : JSON.stringify(body)}))
  ) as T
}

/** The lines of a streamed answer as they arrive. Throws a UserError with the API's problem. */
export async function* followApi(
  run: FoundRun,
  path: string,
  request?: Parameters<FoundRun['api']>[1]
): AsyncGenerator<string> {
  const response = await run.api(path, request)
  if (response.statusCode !== 200) await bodyOf(response)
  response.setEncoding('utf8')
  let rest = ''
  try {
    for await (const piece of response) {
      const lines = (rest + (piece as string)).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch {
    // the run has ended
  }
}

/** Prints an answer as it comes, however long it is; the result is what stands behind it. Throws a UserError with what the API says is wrong, and if the run ends within it. */
export async function copyApi(run: FoundRun, path: string, to: NodeJS.WriteStream): Promise<NodeJS.Dict<string>> {
  const response = await run.api(path)
  if (response.statusCode !== 200) await bodyOf(response)
  response.setEncoding('utf8') // no character is cut
  try {
    for await (const piece of response) await new Promise<void>(resolve => print(to, piece as string, resolve))
  } catch (error) {
    throw new UserError(`the answer of the run broke off: ${messageOf(error)}`, {explanation: 'It may have ended.'})
  }
  return response.trailers
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const piece of response) body += piece as string
  if (response.statusCode === 200) return body
  const {detail, hint = ''} = JSON.parse(body) as {detail: string; hint?: string}
  throw new UserError(detail, {explanation: hint})
}
