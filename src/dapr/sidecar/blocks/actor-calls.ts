import {ActorError, type ActorAnswer, type ActorRequest, type MethodCall} from '../../../work/actor/actor-host.ts'
import type {TurnOptions} from '../../../work/actor/actor.ts'
import {
  failureWords,
  type Outcomes,
  type ResilientCall
} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {cleanMethod} from '../http/go-path.ts'
import {AppBlock, type BlockContext} from './block-context.ts'
import {BlockError, daprError} from './block-error.ts'

/** A call of a method of an actor, as the caller sent it. */
interface ActorInvocation extends Omit<MethodCall, 'kind'> {
  readonly type: string
  readonly id: string
  /** Id of the chain of calls, for actors that allow reentrant calls; '': none. */
  readonly reentrancyId: string
  readonly onGone: OnGone
}

type ActorReply = Extract<ActorAnswer, {readonly kind: 'done'}>

const RESERVED = 'dapr.internal.'

/** Calls of actors (Dapr: pkg/api/universal/actors.go, pkg/actors/engine). */
export class ActorCalls extends AppBlock {
  readonly #callerLines: string

  constructor(context: BlockContext) {
    super(context)
    const namespace = context.namespace || 'default'
    this.#callerLines = `Dapr-Api-Call: true\r\nDapr-Caller-App-Id: ${context.appId}\r\nDapr-Caller-Namespace: ${namespace}\r\n`
  }

  async invoke({protocol, method: called, query, lines, body, onGone, ...call}: ActorInvocation): Promise<ActorReply> {
    const {type, id} = call
    checkActor(type, id)
    checkMethod(called)
    const method = cleanMethod(called)
    const {actors, appId: app, instance} = this.context
    const work = {kind: 'method', protocol, method, query, lines: lines + this.#callerLines, body} as const
    const all = await actors.load()
    const request = {...call, work, caller: {app, instance}, onStop: onGone}
    const policies = this.context.policies()
    const found = policies?.findActor(type, id)
    const attempt = async (more: Partial<ActorRequest>, options: TurnOptions): Promise<Outcome> => {
      const wanted = {...request, ...more}
      const here = async (goesElsewhere = false): Promise<Outcome> =>
        all.run(wanted, {...options, goesElsewhere}).catch((error: unknown) => {
          if (error instanceof ActorError) return error
          throw error
        })
      // tries this run first; a starting app may host any type, and may report later that it does not host this one
      const first = all.mayBeHosted(type) ? await here(true) : undefined
      const isUnhosted = first instanceof ActorError && first.refusal === 'unhosted' && !all.table.isHosted(type)
      if (first !== undefined && !isUnhosted) return first
      options.onBegin?.(false)
      return (await actors.elsewhere(wanted)) ?? all.hosted(wanted).then(async () => here())
    }
    const answer =
      policies === undefined || found === undefined
        ? await attempt({}, {})
        : await policied(policies.call(found, OUTCOMES), attempt, onGone)
    if (answer instanceof ActorError) throw refused(answer, all.table.hosted)
    switch (answer.kind) {
      case 'done':
        if (answer.isCancelled) throw failed('reminder has been canceled')
        return answer
      case 'unknown':
        throw failed(`actor method not found: actors/${type}/${id}/method/${method}`)
      case 'failed':
        throw failed(`error from actor service: ${answer.status > 0 ? `(${answer.status}) ` : ''}${answer.text}`)
      case 'lost':
        throw failed(answer.why)
    }
  }
}

/** The answer of the actor, or the reason why the call never had its turn. */
type Outcome = ActorAnswer | ActorError

/** How policies treat outcomes. Every failure is retried, except an unknown method and a call whose caller has disconnected. */
const OUTCOMES: Outcomes<Outcome> = {
  judge: outcome => {
    if (outcome instanceof ActorError) return outcome.refusal === 'gone' ? 'excluded' : 'failed'
    if (outcome.kind === 'unknown') return 'excluded'
    return outcome.kind === 'done' && !outcome.isError ? 'success' : 'failed'
  },
  failed: reason => ({kind: 'lost', why: failureWords(reason), wasSent: true}),
  discard: () => undefined
}

/** Makes a call under policies. Retries and the circuit breaker apply to the whole call; the timeout applies only to the turn. */
async function policied(
  call: ResilientCall<Outcome>,
  attempt: (more: Partial<ActorRequest>, options: TurnOptions) => Promise<Outcome>,
  onGone: OnGone
): Promise<Outcome> {
  onGone(() => call.cancel())
  return call.run(async control => {
    control.pause()
    return attempt({onStop: listener => control.onStop(listener)}, {onBegin: () => control.resume()})
  })
}

const failed = daprError([500, 'internal', 'ERR_ACTOR_INVOKE_METHOD'], 'error invoke actor method: ')

function refused(error: ActorError, hosted: readonly string[]): BlockError {
  const {refusal, message} = error
  if (refusal === 'depth') return new BlockError([500, 'resourceExhausted', 'ERR_ACTOR_STACK_DEPTH'], message)
  if (refusal !== 'unhosted') return failed(message)
  const here =
    hosted.length === 0 ? 'no app of this run hosts actors' : `the apps of this run host: ${hosted.join(', ')}`
  return new BlockError(
    [500, 'failedPrecondition', 'ERR_ACTOR_INVOKE_METHOD'],
    `error invoke actor method: failed to lookup actor: api error: code = FailedPrecondition desc = ${message} [${here}]`
  )
}

/** Throws for types that Dapr reserves for its workflows. */
export function checkReserved(type: string): void {
  if (!type.startsWith(RESERVED)) return
  throw new BlockError(
    [403, 'permissionDenied', 'ERR_ACTOR_TYPE_RESERVED'],
    `actor type ${JSON.stringify(type)} is reserved for the Dapr workflow runtime; direct actor API access is not permitted`
  )
}

// oxlint-disable-next-line no-control-regex -- control characters are forbidden in names
const IN_NAMES = /[#?/\\\x00-\x1f\x7f]/
// oxlint-disable-next-line no-control-regex -- control characters are forbidden in methods
const IN_METHODS = /[#?\\\x00-\x1f\x7f]/

const bad = (what: string, why: string, text: string): BlockError =>
  new BlockError(
    [400, 'invalidArgument', 'ERR_BAD_REQUEST'],
    `invalid request: invalid ${what}: ${why}: ${JSON.stringify(text)}`
  )

function checkName(what: string, text: string): void {
  if (IN_NAMES.test(text)) throw bad(what, 'name contains forbidden character', text)
  if (text === '.' || text === '..') throw bad(what, 'name is a path traversal sequence', text)
}

/** Throws for a type or id that cannot be part of a path (Dapr: pkg/messaging/method, ValidateName). */
export function checkActor(type: string, id: string): void {
  checkName('actorType', type)
  checkName('actorId', id)
}

/** Throws for a name of a timer or reminder that is empty, or cannot be part of a path. */
export function checkFiring(kind: 'reminder' | 'timer', name: string): void {
  if (name === '')
    throw new BlockError(
      [400, 'invalidArgument', 'ERR_BAD_REQUEST'],
      `invalid request: invalid ${kind} name: ${kind} name cannot be empty`
    )
  checkName(`${kind} name`, name)
}

function checkMethod(method: string): void {
  if (IN_METHODS.test(method)) throw bad('actor method', 'method contains forbidden character', method)
}
