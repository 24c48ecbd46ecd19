import {isUtf8} from 'node:buffer'
import {CONNECTION_HEADERS} from '../../../model/connection-headers.ts'
import {contentOf, headerValue, MAX_PLAIN, plainBody} from '../../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {isQuestion} from '../../telemetry/recorder/called-model.ts'
import {hasFields, Masking} from '../../telemetry/recorder/masking.ts'
import {editedCall} from '../../replay/edit.ts'
import {isDelivery, whyNotSent} from '../../replay/why-not-sent.ts'
import {isoTime} from '../call-view.ts'
import {oneLine, UNMASKED, type Exporter, type ExporterOptions} from './exporter.ts'
import {Variables} from './variables.ts'

/** Headers that the client writes itself, or that belong to the connection. */
export const OWN_HEADERS: ReadonlySet<string> = new Set(['host', ...CONNECTION_HEADERS])

/** Writes the request of a call, to be sent to a host and port. */
type WriteRequest = (call: RecordedCall, place: string, variables: Variables) => string

/** Exports calls as commands that send them again. A comment names each call, or says why it cannot be sent. */
export function requestExporter({masked, placeOf}: ExporterOptions, write: WriteRequest): Exporter {
  return {
    type: 'text/plain; charset=utf-8',
    before: '',
    between: '\n',
    end: comment => (comment === '' ? '' : `\n# ${comment}\n`),
    text: (call, whole = call) => {
      const edge = new Masking(masked).target(`${call.edgeOf.caller} → ${call.edgeOf.callee}`)
      const comment = `# call ${call.number}, ${isoTime(call.startedAt)}: ${oneLine(edge)}\n`
      const place = placeOf(call)
      const replay = `pillion replay ${call.number} --unsafe`
      const event = isDelivery(call) ? `it is an event: ${replay} delivers it again` : ''
      const said = `what is said to a language model stays in the run: ${replay} asks it again`
      const reason = event || whyNotSent(whole, place !== '') || (isQuestion(contentOf(call).target) ? said : '')
      if (reason !== '') return `${comment}# no command: ${oneLine(reason)}\n`
      const sent = decompressed(call)
      const {body, headers} = contentOf(sent).request
      const isMasked = body.length === 0 || hasFields(body.toString('latin1'), headerValue(headers, 'content-type'))
      return comment + (isMasked ? '' : `# the body is ${UNMASKED}\n`) + write(sent, place, new Variables(masked))
    }
  }
}

/** The call with its request as text: compressed, the secrets in it would have no names. */
function decompressed(call: RecordedCall): RecordedCall {
  const {request} = contentOf(call)
  const body = plainBody(request, MAX_PLAIN)
  return body === request.body || !isUtf8(body) ? call : editedCall(call, {body: body.toString()})
}
