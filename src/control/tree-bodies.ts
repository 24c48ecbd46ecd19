import type * as Api from '../model/api.generated.ts'
import type {ApiClient} from './api-client.ts'

/** Maximum number of calls of one tree whose bodies are shown, and of characters of each body. */
const MAX_CALLS = 50
const MAX_BODY = 500

/** Returns the bodies of the requests and responses of a tree, by the number of their call. */
export async function bodiesOf(
  api: Pick<ApiClient, 'ask'>,
  {nodes}: Api.RequestTree,
  signal?: AbortSignal
): Promise<ReadonlyMap<number, readonly string[]>> {
  const calls = nodes.filter(({kind, id}) => kind === 'call' && id > 0).slice(0, MAX_CALLS)
  const found = calls.map(async ({id: number}) => {
    const {request, response} = await api.ask('GET /calls/{number}', {at: {number}, signal})
    return [number, [...bodyLine('sent', request), ...bodyLine('answered', response)]] as const
  })
  return new Map(await Promise.all(found))
}

function bodyLine(what: string, {body, encoding}: Api.Message): readonly string[] {
  if (body === '') return []
  const text = encoding === 'base64' ? `(${Buffer.from(body, 'base64').length} bytes that are not text)` : body
  const line = text.trimEnd().replaceAll(/\s*\n\s*/g, ' ')
  return [`${what}: ${line.length > MAX_BODY ? `${line.slice(0, MAX_BODY)}… (${line.length} characters)` : line}`]
}
