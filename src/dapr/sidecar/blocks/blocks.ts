import {ActorCalls} from './actor-calls.ts'
import {ActorState} from './actor-state.ts'
import {ActorFirings} from './actor-firings.ts'
import {ActorStreams} from './actor-streams.ts'
import {Bindings} from './bindings.ts'
import {blockContext, type BlockContextOptions} from './block-context.ts'
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
export type Blocks = ReturnType<typeof newBlocks>

export const newBlocks = (options: BlockContextOptions) => {
  const context = blockContext(options)
  const publishing = new Publishing(context)
  const outbox = new OutboxCalls(context, publishing)
  const state = new State(context, outbox)
  const bindings = new Bindings(context)
  const configurations = new Configurations(context)
  const actorStreams = new ActorStreams(context)
  return {
    publishing,
    outbox,
    state,
    bindings,
    configurations,
    actorStreams,
    secrets: new Secrets(context),
    locks: new Locks(context),
    cryptography: new Cryptography(context),
    conversations: new Conversations(context),
    subscriptions: new Subscriptions(context),
    inputBindings: new InputBindings(context, {bindings, state}),
    workflows: new WorkflowCalls(context),
    actors: new ActorCalls(context),
    actorState: new ActorState(context),
    actorFirings: new ActorFirings(context),
    jobs: new JobCalls(context),
    postToApp: context.postToApp,
    log: context.log,
    /** Ends the subscriptions, streams and publications that the blocks run themselves. */
    close: async () => {
      actorStreams.close()
      await Promise.all([configurations.close(), outbox.close()])
    }
  }
}
