import {BlockContext, type BlockContextOptions} from './block-context.ts'
import {Secrets} from './secrets.ts'

/** The building blocks of one app. */
export class Blocks {
  readonly secrets: Secrets

  constructor(options: BlockContextOptions) {
    const context = new BlockContext(options)
    this.secrets = new Secrets(context)
  }
}
