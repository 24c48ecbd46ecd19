import {ActorCalls} from './actor-calls.ts'
import {ActorState} from './actor-state.ts'
import {ActorFirings} from './actor-firings.ts'
import {ActorStreams} from './actor-streams.ts'
import {Bindings} from './bindings.ts'
import {blockContext, type BlockContext, type BlockContextOptions} from './block-context.ts'
import {Configurations} from './configurations.ts'
import {Conversations} from './conversations.ts'
import {Cryptography} from './cryptography.ts'
import {InputBindings} from './input-bindings.ts'
import {JobCalls} from './job-calls.ts'
import {Locks} from './locks.ts'
import {OutboxCalls} from './outbox-calls.ts'
import {Publishing} from './publishing.ts'
import {Secrets} from './secrets.ts'
import {State} from './state.ts'
import {Subscriptions} from './subscriptions.ts'
import {WorkflowCalls} from './workflow-calls.ts'

/** The building blocks of one app. */
export class Blocks {
  readonly secrets: Secrets
  readonly state: State
  readonly configurations: Configurations
  readonly locks: Locks
  readonly cryptography: Cryptography
  readonly conversations: Conversations
  readonly publishing: Publishing
  readonly outbox: OutboxCalls
  readonly subscriptions: Subscriptions
  readonly bindings: Bindings
  readonly inputBindings: InputBindings
  readonly workflows: WorkflowCalls
  readonly actors: ActorCalls
  readonly actorState: ActorState
  readonly actorFirings: ActorFirings
  readonly actorStreams: ActorStreams
  readonly jobs: JobCalls
  readonly postToApp: BlockContext['postToApp']
  readonly log: BlockContext['log']

  constructor(options: BlockContextOptions) {
    const context = blockContext(options)
    this.secrets = new Secrets(context)
    this.publishing = new Publishing(context)
    this.outbox = new OutboxCalls(context, this.publishing)
    this.state = new State(context, this.outbox)
    this.configurations = new Configurations(context)
    this.locks = new Locks(context)
    this.cryptography = new Cryptography(context)
    this.conversations = new Conversations(context)
    this.subscriptions = new Subscriptions(context)
    this.bindings = new Bindings(context)
    this.inputBindings = new InputBindings(context, {bindings: this.bindings, state: this.state})
    this.workflows = new WorkflowCalls(context)
    this.actors = new ActorCalls(context)
    this.actorState = new ActorState(context)
    this.actorFirings = new ActorFirings(context)
    this.actorStreams = new ActorStreams(context)
    this.jobs = new JobCalls(context)
    this.postToApp = context.postToApp
    this.log = context.log
  }

  /** Ends what they have begun by themselves. */
  async close(): Promise<void> {
    this.actorStreams.close()
    await Promise.all([this.configurations.close(), this.outbox.close()])
  }
}
