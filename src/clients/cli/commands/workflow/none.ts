import type {CommandHandler} from '../../command-handler.ts'
import {helpOf} from '../../help.ts'
import {print} from '../../print.ts'
import {UsageError} from '../../usage-error.ts'
import {WORKFLOW} from '../../entries/workflows.ts'
import {nearMiss} from '../../../../model/near-miss.ts'

/** `workflow` without a verb that is known. */
export const noVerb: CommandHandler = async ({words: [word]}) => {
  if (word === undefined) {
    print(process.stdout, helpOf('pillion', WORKFLOW))
    return Promise.resolve(0)
  }
  const verbs = (WORKFLOW.verbs ?? []).map(({name}) => name.replace('workflow ', ''))
  const near = nearMiss(word, verbs)
  throw new UsageError(
    `unknown command "${word}" for "pillion workflow"${near === '' ? '' : `\n\nDid you mean this?\n\t${near}\n`}`
  )
}
