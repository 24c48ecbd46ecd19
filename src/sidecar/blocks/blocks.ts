import {BlockContext, type BlockContextOptions} from './block-context.ts'
import {Secrets} from './secrets.ts'
import {State} from './state.ts'

/** The building blocks of one app. */
export class Blocks {
  readonly secrets: Secrets
  readonly state: State

  constructor(options: BlockContextOptions) {
    const context = new BlockContext(options)
    this.secrets = new Secrets(context)
    this.state = new State(context)
  }
}
