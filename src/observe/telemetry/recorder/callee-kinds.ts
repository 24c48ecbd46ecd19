import {MODEL_HEADER, modelFactsIn, type ModelFacts} from '../../../model/model-facts.ts'
import {orElse, uriDecoded} from '../../../model/or-else.ts'
import {PIECE} from './byte-tape.ts'
import {headerValue, pieceText, type CallContent} from './call-content.ts'
import type {RecordedCall} from './call-recorder.ts'
import type {CalledActor} from '../../../model/api.generated.ts'
import {FLAG} from './call-lines.ts'

/** Whether this is the target of a question to a language model. */
export const isQuestion = (target: string): boolean =>
  /^\/v1\.0-alpha[12]\/conversation\/[^/?]+\/converse$/.test(target)

/** Returns the question that a call asks a language model, and its cost. Undefined for other calls, and before the answer. */
export function calledModel({target, response}: CallContent): ModelFacts | undefined {
  const value = isQuestion(target) ? headerValue(response.headers, MODEL_HEADER) : ''
  // an app may serve this path itself and send any header
  return value === '' ? undefined : orElse(() => modelFactsIn(value), undefined)
}

/** Returns the call without the words to and from a language model, which must not leave the run. */
export function withoutWords(call: RecordedCall): RecordedCall {
  const [, target = ''] = /^\S+ (\S+)/.exec(pieceText(call.pieces, PIECE.requestHead)) ?? []
  if (target !== '' && !isQuestion(target)) return call // the recorded head may be overwritten
  return {...call, pieces: call.pieces.filter(({kind}) => kind !== PIECE.requestBody && kind !== PIECE.responseBody)}
}

/** Matches a method's path as the recorder has it, with the address of Dapr's API. A firing has the path of its app. */
const METHOD = /^\/v1\.0\/actors\/([^/?]+)\/([^/?]+)\/method\/([^?]+)/
const FIRING = /^\/actors\/([^/?]+)\/([^/?]+)\/method\/((?:timer|remind)\/[^?]+)/

/** Returns the called actor, if there is one. */
export function calledActor({target}: Pick<CallContent, 'target'>, flags: number): CalledActor | undefined {
  const found = ((flags & FLAG.own) === 0 ? METHOD : FIRING).exec(target)
  if (found === null) return undefined
  const [type = '', id = '', method = ''] = found.slice(1).map(uriDecoded)
  return {type, id, method}
}
