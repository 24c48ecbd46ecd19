import {messageOf, UserError} from '../../../model/errors.ts'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {callSidecar, findApp, payloadOf, socketIn} from '../sidecar-client.ts'
import {print, signedLine} from '../print.ts'

/** `publish -i ID -p PUBSUB -t TOPIC`: sends the event to the sidecar of the app. */
export const publish: CommandHandler = async ({flags, asJson}) => {
  const body = payloadOf(flags, 'publish')
  const metadata = metadataOf(flags.text('metadata') ?? '')
  if ((flags.text('unix-domain-socket') ?? '') !== '')
    print(process.stdout, signedLine('warning', 'Unix domain sockets are currently a preview feature', asJson))
  const topic = flags.text('topic') ?? ''
  try {
    await send({flags, asJson}, body, metadata)
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

async function send(
  {flags, asJson}: Pick<CommandContext, 'flags' | 'asJson'>,
  body: Buffer,
  query: string
): Promise<void> {
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

/** `{"a":1}` → `?metadata.a=1`. */
function metadataOf(json: string): string {
  if (json === '') return ''
  const given = objectIn(json)
  if (given instanceof Error) throw new UserError(`Error parsing metadata as JSON. Error: ${given.message}`)
  const query = new URLSearchParams(Object.entries(given).map(([key, value]) => [`metadata.${key}`, String(value)]))
  return query.size === 0 ? '' : `?${query.toString()}`
}

const CLOUD_EVENT = ['id', 'source', 'specversion', 'type', 'data']

/** JSON with the five keys of a CloudEvents envelope is sent as one. */
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
