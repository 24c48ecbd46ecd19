import {MODEL_HEADER, modelFactsIn, type ModelFacts} from '../../../model/model-facts.ts'
import {orElse, uriDecoded} from '../../../model/or-else.ts'
import {PIECE} from './byte-tape.ts'
import {headerValue, pieceText, type CallContent} from './call-content.ts'
import type {RecordedCall} from './call-recorder.ts'
import type {CalledActor} from '../../../model/api.generated.ts'
import {FLAG} from './call-lines.ts'

/** Whether a request target is a question to a language model, by Dapr's conversation API. */
export const isQuestion = (target: string): boolean =>
  /^\/v1\.0-alpha[12]\/conversation\/[^/?]+\/converse$/.test(target)

/** Returns model, cost and tools of a call of a language model. Undefined for other calls, and before the answer. */
export function calledModel({target, response}: CallContent): ModelFacts | undefined {
  const value = isQuestion(target) ? headerValue(response.headers, MODEL_HEADER) : ''
  // an app may serve this path itself and send any header
  return value === '' ? undefined : orElse(() => modelFactsIn(value), undefined)
}

/** Returns the call without the words to and from a language model, which must not leave the run. */
export function withoutWords(call: RecordedCall): RecordedCall {
  const [, target = ''] = /^\S+ (\S+)/.exec(pieceText(call.pieces, PIECE.requestHead)) ?? []
  if (target !== '' && !isQuestion(target)) return call // without a recorded head, a call may be a question
  return {...call, pieces: call.pieces.filter(({kind}) => kind !== PIECE.requestBody && kind !== PIECE.responseBody)}
}

/** Target of a call of an actor's method at the sidecar; `FIRING`: of a timer or reminder that the sidecar delivers to its app. */
const METHOD = /^\/v1\.0\/actors\/([^/?]+)\/([^/?]+)\/method\/([^?]+)/
const FIRING = /^\/actors\/([^/?]+)\/([^/?]+)\/method\/((?:timer|remind)\/[^?]+)/

/** Returns the actor that a call addresses; undefined for other calls. */
export function calledActor({target}: Pick<CallContent, 'target'>, flags: number): CalledActor | undefined {
  const found = ((flags & FLAG.own) === 0 ? METHOD : FIRING).exec(target)
  if (found === null) return undefined
  const [type = '', id = '', method = ''] = found.slice(1).map(uriDecoded)
  return {type, id, method}
}
