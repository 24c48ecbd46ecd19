import {askedAgain} from '../../ask-app.ts'
import {EventProcessChannel} from '../../blocks/event-channel.ts'
import type {BindingEvent} from '../../../components/binding.ts'
import {requestApp} from '../../../../proxy/gateway/app-request.ts'
import type {AttemptControl} from '../../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {messageOf} from '../../../../model/errors.ts'
import type {BindingAnswer, BindingChannel, BindingTarget, BindingEffects} from '../../blocks/binding-channel.ts'
import type {SaidBindings} from '../../blocks/binding-channel.ts'
import {compactJson, itemTexts, memberIn, memberText} from '../../blocks/json-text.ts'
import {carriedTraceparent, freshTraceparent} from '../trace.ts'
import {metadataLines, pathOf} from './app-headers.ts'
import {textIn} from '../../operations/block-request.ts'
import {isObject} from '../../../../model/is-object.ts'
import {readItem} from '../../operations/state-items.ts'

const JSON_LINE = 'Content-Type: application/json\r\n'
const NOTHING = Buffer.alloc(0)

/** Delivers events of bindings to an HTTP app (Dapr: pkg/runtime/processor/binding/send.go). */
export class HttpBindingChannel extends EventProcessChannel implements BindingChannel {
  async ask(targets: readonly BindingTarget[], said: SaidBindings, signal: AbortSignal): Promise<void> {
    await Promise.all(targets.map(async target => said.set(target.name, await this.#isWanted(target, signal))))
  }

  async deliver(target: BindingTarget, event: BindingEvent, attempt?: AttemptControl): Promise<BindingAnswer> {
    const {app, context, pid, log} = this.process
    const {traceparent} = event.metadata
    const before = pid()
    const response = await requestApp({
      app,
      context,
      from: target.name,
      method: 'POST',
      path: pathOf(target.route),
      lines:
        JSON_LINE +
        metadataLines(event.metadata) +
        `Traceparent: ${carriedTraceparent(traceparent) || freshTraceparent()}\r\n`,
      body: event.data,
      attempt,
      warn: text => log('warn', text)
    })
    if (response.kind === 'unreachable')
      return this.unanswered({...response, why: `error invoking app: ${response.why}`}, before)
    const {status, body} = response
    if (status < 200 || status >= 300) {
      const text = `fails to send binding event to http app channel, status code: ${status} body: ${body.toString()}`
      return {kind: 'failed', status, text}
    }
    return {kind: 'success', effects: this.#effectsIn(body, target)}
  }

  async #isWanted({route}: BindingTarget, signal: AbortSignal): Promise<boolean | undefined> {
    const {app, context, log} = this.process
    const question = {
      app,
      context,
      method: 'OPTIONS',
      path: pathOf(route),
      lines: JSON_LINE,
      body: NOTHING,
      signal,
      warn: (text: string) => log('warn', text)
    }
    const response = await askedAgain(async () => requestApp(question), signal)
    if (response.kind === 'unreachable') {
      if (!signal.aborted)
        log(
          'error',
          `could not invoke OPTIONS method on input binding subscription endpoint ${JSON.stringify(route)}: ${response.why}`
        )
      return undefined
    }
    const {status} = response
    return (status >= 200 && status < 300) || status === 405
  }

  /** Reads the effects that an answer asks for; undefined: none. Logs an answer that cannot be parsed. */
  #effectsIn(body: Buffer, {name}: BindingTarget): BindingEffects | undefined {
    if (!MAY_WISH.test(body.toString('latin1'))) return undefined
    try {
      return effectsIn(body.toString())
    } catch (error) {
      this.process.log('warn', `the app's answer to an event of binding ${name} cannot be used: ${messageOf(error)}`)
      return undefined
    }
  }
}

/** Matches a body that may ask for effects. Other bodies are not parsed, and need not be JSON. */
const MAY_WISH = /^\s*\{.*"(?:to|state)"\s*:/is

function effectsIn(text: string): BindingEffects | undefined {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) return undefined
  const state = memberIn(value, 'state') ?? []
  const to = memberIn(value, 'to') ?? []
  if (!Array.isArray(state)) throw new Error('"state" must be an array of items')
  if (!Array.isArray(to) || !to.every(name => typeof name === 'string'))
    throw new Error('"to" must be names of bindings')
  const items = itemTexts(memberText(text, 'state') ?? '[]')
  return {
    storeName: textIn(value, 'storeName', ''),
    state: items.map((item, at) => readItem(item, state[at] as unknown, '')),
    to,
    data: Buffer.from(compactJson(memberText(text, 'data') ?? 'null')),
    isParallel: textIn(value, 'concurrency', '') === 'parallel'
  }
}
