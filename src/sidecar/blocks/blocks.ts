import {BlockContext, type BlockContextOptions} from './block-context.ts'
import {Publishing} from './publishing.ts'
import {Secrets} from './secrets.ts'
import {State} from './state.ts'
import {Subscriptions} from './subscriptions.ts'

/** The building blocks of one app. */
export class Blocks {
  readonly secrets: Secrets
  readonly state: State
  readonly publishing: Publishing
  readonly subscriptions: Subscriptions

  constructor(options: BlockContextOptions) {
    const context = new BlockContext(options)
    this.secrets = new Secrets(context)
    this.state = new State(context)
    this.publishing = new Publishing(context)
    this.subscriptions = new Subscriptions(context)
  }
}
