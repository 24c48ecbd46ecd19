import type {App} from '../../../model/api.generated.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {callSidecar, findApp, payloadOf, socketIn, type SidecarAnswer} from '../sidecar-client.ts'
import {print, signedLine} from '../print.ts'

/**
 * `invoke --app-id ID --method M`: sends one call through the app's own sidecar and prints the body. After a failure it prints the status
 * and the body on stderr.
 */
export const invoke: CommandHandler = async ({flags, asJson}) => {
  const body = payloadOf(flags, 'invoke')
  if ((flags.text('unix-domain-socket') ?? '') !== '')
    print(process.stdout, signedLine('warning', 'Unix domain sockets are currently a preview feature', asJson))
  const answer = await ask({flags, asJson}, body)
  if (answer.body.length > 0) print(process.stdout, Buffer.concat([answer.body, Buffer.from('\n')]))
  print(process.stdout, signedLine('success', 'App invoked successfully', asJson))
  return 0
}

async function ask({flags, asJson}: Pick<CommandContext, 'flags' | 'asJson'>, body: Buffer): Promise<SidecarAnswer> {
  const id = flags.text('app-id') ?? ''
  const failed = (why: string, explanation = ''): UserError =>
    new UserError(`error invoking app ${id}: ${why}`, {explanation, code: 'answer'})
  const app = await findApp(id, {flags, asJson}, `error invoking app ${id}: app ID ${id} not found`)
  const sidecar = `http://${app.sidecarHost ?? '127.0.0.1'}:${app.httpPort}`
  const answer = await callSidecar({
    method: flags.text('verb') || 'POST',
    url: `${sidecar}/v1.0/invoke/${id}/method/${flags.text('method') ?? ''}`,
    type: 'application/json',
    headers: {'pillion-invoke': 'true'}, // it is recorded as a call from outside, and not of the app
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
