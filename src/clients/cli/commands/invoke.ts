/** `invoke` and `publish`: Dapr's commands that send one request to the sidecar of an app. */
import type {App} from '../../../model/api.generated.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {callSidecar, findApp, payloadOf, socketIn, type SidecarAnswer} from '../sidecar-client.ts'
import {print, signedLine} from '../print.ts'

type Call = Pick<CommandContext, 'flags' | 'asJson'>

/**
 * `invoke --app-id ID --method M`: sends one call through the app's own sidecar and prints the body. After a failure it prints the status
 * and the body on stderr.
 */
export const invoke: CommandHandler = async ({flags, asJson}) => {
  const body = payloadOf(flags, 'invoke')
  warnOfSocket({flags, asJson})
  const answer = await sendCall({flags, asJson}, body)
  if (answer.body.length > 0) print(process.stdout, Buffer.concat([answer.body, Buffer.from('\n')]))
  print(process.stdout, signedLine('success', 'App invoked successfully', asJson))
  return 0
}

/** Warns about Unix domain sockets, as Dapr's CLI does. */
function warnOfSocket({flags, asJson}: Call): void {
  if ((flags.text('unix-domain-socket') ?? '') !== '')
    print(process.stdout, signedLine('warning', 'Unix domain sockets are currently a preview feature', asJson))
}

async function sendCall({flags, asJson}: Call, body: Buffer): Promise<SidecarAnswer> {
  const id = flags.text('app-id') ?? ''
  const failed = (why: string, explanation = ''): UserError =>
    new UserError(`error invoking app ${id}: ${why}`, {explanation, code: 'answer'})
  const app = await findApp(id, {flags, asJson}, `error invoking app ${id}: app ID ${id} not found`)
  const sidecar = `http://${app.sidecarHost ?? '127.0.0.1'}:${app.httpPort}`
  const answer = await callSidecar({
    method: flags.text('verb') || 'POST',
    url: `${sidecar}/v1.0/invoke/${id}/method/${flags.text('method') ?? ''}`,
    type: 'application/json',
    headers: {'pillion-invoke': 'true'}, // the run records the call as one from outside, not as one of the app
    body,
    socket: socketIn(flags.text('unix-domain-socket') ?? '', id)
  }).catch((error: unknown) => {
    throw failed(messageOf(error))
  })
  if (answer.code < 200 || answer.code >= 400) {
    const text = answer.body.toString()
    throw failed(answer.status, [text, remedyFor(app, text)].filter(part => part !== '').join('\n'))
  }
  return answer
}

const remedyFor = ({id}: App, text: string): string =>
  text.includes('(waited ') ? `"pillion why ${id}" says what it waits for.` : ''

/** `publish -i ID -p PUBSUB -t TOPIC`: sends the event to the sidecar of the app. */
export const publish: CommandHandler = async ({flags, asJson}) => {
  const body = payloadOf(flags, 'publish')
  const metadata = metadataOf(flags.text('metadata') ?? '')
  warnOfSocket({flags, asJson})
  const topic = flags.text('topic') ?? ''
  try {
    await sendEvent({flags, asJson}, body, metadata)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`Error publishing topic ${topic}: ${messageOf(error)}`, {
      explanation: error.explanation,
      cause: error
    })
  }
  print(process.stdout, signedLine('success', 'Event published successfully', asJson))
  return 0
}

async function sendEvent({flags, asJson}: Call, body: Buffer, query: string): Promise<void> {
  const [id = '', pubsub = '', topic = ''] = ['publish-app-id', 'pubsub', 'topic'].map(name => flags.text(name))
  if (id === '') throw new UserError('publishAppID is missing')
  if (pubsub === '') throw new UserError('pubsubName is missing')
  if (topic === '') throw new UserError('topic is missing')
  const app = await findApp(id, {flags, asJson}, "couldn't find a running Dapr instance")
  const folder = flags.text('unix-domain-socket') ?? ''
  const host = folder === '' ? `${app.sidecarHost ?? 'localhost'}:${app.httpPort}` : 'unix'
  const url = `http://${host}/v1.0/publish/${encodeURIComponent(pubsub)}/${encodeURIComponent(topic)}${query}`
  const answer = await callSidecar({method: 'POST', url, type: bodyType(body), body, socket: socketIn(folder, id)})
  const {code} = answer
  if (code >= 200 && code < 300) return
  print(process.stdout, `${url}\n`)
  throw new UserError(`unexpected status code ${code} on publishing to ${topic} in ${pubsub}`, {
    explanation: answer.body.toString(),
    code: 'answer'
  })
}

/** Converts `--metadata` into a query: `{"a":1}` → `?metadata.a=1`. */
function metadataOf(json: string): string {
  if (json === '') return ''
  const given = objectIn(json)
  if (given instanceof Error) throw new UserError(`Error parsing metadata as JSON. Error: ${given.message}`)
  const query = new URLSearchParams(Object.entries(given).map(([key, value]) => [`metadata.${key}`, String(value)]))
  return query.size === 0 ? '' : `?${query.toString()}`
}

const CLOUD_EVENT = ['id', 'source', 'specversion', 'type', 'data']

/** Returns the content type of an event: that of CloudEvents for JSON with the five keys of its envelope. */
export function bodyType(body: Buffer): string {
  const event = objectIn(body.toString())
  const isEnvelope = !(event instanceof Error) && CLOUD_EVENT.every(key => Object.hasOwn(event, key))
  return isEnvelope ? 'application/cloudevents+json' : 'application/json'
}

function objectIn(json: string): object | Error {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : new Error('not an object')
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
