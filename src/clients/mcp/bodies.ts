import type {ApiClient} from '../../control/api-client.ts'
import type * as Api from '../../model/api.generated.ts'

/** Number of calls of one tree whose bodies are shown, and the characters of each. */
const MAX_CALLS = 50
const MAX_BODY = 500

/** The bodies of the calls of a tree, by their numbers: what was sent, and what was answered. */
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

/** A request or a response as it is recorded; secrets are masked. */
export function recordedText({line, headers, body, encoding, isUnmasked}: Api.Message): string {
  if (line === '') return 'none\n'
  const head = [line, ...headers.map(([name, value]) => `${name}: ${value}`)].map(each => `${each}\n`).join('')
  if (body === '') return head
  const bytes = encoding === 'base64' ? Buffer.from(body, 'base64').length : 0
  const note = isUnmasked === true ? '(neither JSON nor a form: nothing in it is masked)\n' : ''
  return `${head}\n${encoding === 'base64' ? `(${bytes} bytes that are not text)` : body}\n${note}`
}
