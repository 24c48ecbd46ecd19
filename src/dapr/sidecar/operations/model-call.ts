import type {Call} from '../../../model/call.ts'
import type {Protocol} from '../../../model/call-protocol.ts'
import {messageOf} from '../../../model/errors.ts'
import {MODEL_HEADER, modelFactsText} from '../../../model/model-facts.ts'
import {CallJournal} from '../../../proxy/net/call-journal.ts'
import type {Schema} from '../../../proxy/net/grpc/message-codec.ts'
import {statusLine} from '../../../proxy/net/status.ts'
import type {ModelAnswer} from '../../components/language-model.ts'
import {BlockError} from '../blocks/block-error.ts'
import type {Conversations} from '../blocks/conversations.ts'
import {jsonOfMessage} from './proto-json.ts'

/** A request to a language model, as it is recorded. */
interface AskedQuestion {
  readonly name: string
  readonly version: 'v1.0-alpha1' | 'v1.0-alpha2'
  readonly protocol: Protocol
  /** Header lines of the caller's request that are recorded, each with its line end. */
  readonly kept: string
  /** The request, after personal data were removed as its caller asked. */
  readonly request: readonly [schema: Schema, message: object]
}

/** The answer of a language model, and the reply that the caller gets. */
interface AnsweredQuestion<R> {
  /** The name of the configured model; '': it has none. */
  readonly model: string
  readonly answer: ModelAnswer
  readonly reply: R
}

const latin1 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('latin1')

/** Runs a call of a language model, and records it as an HTTP call with JSON bodies. A header of the recorded response has the tokens and the called tools. */
export async function recordModelCall<R extends object>(
  conversations: Conversations,
  {name, version, protocol, kept, request: [schema, message]}: AskedQuestion,
  reply: Schema,
  work: () => Promise<AnsweredQuestion<R>>
): Promise<R> {
  const {appId: caller, observer} = conversations.context
  if (observer === undefined) return (await work()).reply
  const path = `/${version}/conversation/${encodeURIComponent(name)}/converse`
  const call: Call = {caller, callee: name, method: 'POST', path}
  const lines = `content-type: application/json\r\n${kept}`
  const journal = new CallJournal(call, {protocol, method: 'POST', path, lines}, observer, undefined)
  journal.begun()
  journal.sentWhole(true, {pid: 0, protocol: 'none'}, latin1(jsonOfMessage(schema, message)))
  const answered = (status: number, more: string, body: string): void => {
    const text = `${statusLine(status)}content-type: application/json\r\n${more}\r\n`
    journal.responded(status, {text, size: text.length}, body)
    journal.ended()
  }
  try {
    const done = await work()
    const {usage} = done.answer
    if (usage !== undefined) call.tokens = {prompt: usage.prompt, completion: usage.completion}
    const facts = modelFactsText({
      model: done.model,
      usage,
      reasons: done.answer.choices.map(({reason}) => reason),
      tools: done.answer.choices.flatMap(({calls}) => calls.map(each => each.name))
    })
    answered(200, `${MODEL_HEADER}: ${facts}\r\n`, latin1(jsonOfMessage(reply, done.reply)))
    return done.reply
  } catch (error) {
    // records any error, and passes it on
    const {status, errorCode} = error instanceof BlockError ? error : {status: 500, errorCode: ''}
    journal.failure = messageOf(error)
    answered(status, '', latin1({errorCode, message: journal.failure}))
    throw error
  }
}
