import type {FoundRun} from '../control/client.ts'
import {responseBody} from '../control/response-body.ts'
import {messageOf, UserError} from '../model/errors.ts'
import {print} from './print.ts'

/** Asks the API of a run, and parses its answer. Throws a UserError with the problem that it reports. */
export async function askApi<T>(run: FoundRun, path: string): Promise<T> {
  return JSON.parse(await responseBody(await run.api(path))) as T
}

/** Sends a request that changes something. Throws a UserError as above. */
export async function tellApi<T>(run: FoundRun, method: 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  return JSON.parse(
    await responseBody(await run.api(path, {method, body: body === undefined ? '' : JSON.stringify(body)}))
  ) as T
}

/** The lines of a streamed answer as they arrive. Throws a UserError with the API's problem. */
export async function* followApi(
  run: FoundRun,
  path: string,
  request?: Parameters<FoundRun['api']>[1]
): AsyncGenerator<string> {
  const response = await run.api(path, request)
  if (response.statusCode !== 200) await responseBody(response)
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

/**
 * Prints an answer while it arrives; the result is its trailers. Throws a UserError with the problem that the API reports,
 * or if the run ends before the answer is complete.
 */
export async function copyApi(run: FoundRun, path: string, to: NodeJS.WriteStream): Promise<NodeJS.Dict<string>> {
  const response = await run.api(path)
  if (response.statusCode !== 200) await responseBody(response)
  response.setEncoding('utf8') // no character is cut
  try {
    for await (const piece of response) await new Promise<void>(resolve => print(to, piece as string, resolve))
  } catch (error) {
    throw new UserError(`the connection to the run broke: ${messageOf(error)}`, {
      explanation: 'The run may have ended.'
    })
  }
  return response.trailers
}
