import type {IncomingMessage} from 'node:http'
import {UserError} from '../model/errors.ts'

/** The body of a response of a run's API. Throws a UserError with the problem that the API reports (RFC 9457). */
export async function responseBody(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const piece of response) body += piece as string
  if (response.statusCode === 200) return body
  const {detail, hint = ''} = JSON.parse(body) as {detail: string; hint?: string}
  throw new UserError(detail, {explanation: hint})
}
